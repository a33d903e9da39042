"""Frozen records for the rules, without importing `dataclasses`.

That import, and what it makes of each class, would take a Lambda half as long again to load Define, three quarters to
load Verify, and a sign-in may pay it three times. A type checker sees ordinary dataclasses; at run time this module
does the little that the rules use of them.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import field, replace
else:
    _MISSING = object()

    class _Field:
        def __init__(self, default, repr):  # noqa: A002  # the name that dataclasses give it
            self.default, self.repr = default, repr

    def field(*, default=_MISSING, repr=True):  # noqa: A002
        return _Field(default, repr)

    class _Methods:
        """The methods that `record` gives a class."""

        def __init__(self, *args, **kwargs):
            kind, names = type(self).__name__, self.__record_fields__
            if args:
                positional = dict(zip(names, args, strict=False))
                if self.__record_kw_only__ or len(args) > len(names) or positional.keys() & kwargs.keys():
                    raise TypeError(f"{kind} does not take these positional arguments")
                kwargs |= positional
            values = self.__record_defaults__ | kwargs
            if values.keys() != self.__record_names__:
                raise TypeError(f"{kind} lacks, or does not have, {', '.join(sorted(values.keys() ^ set(names)))}")
            self.__dict__.update(values)
            if hasattr(self, "__post_init__"):
                self.__post_init__()

        def __repr__(self):
            shown = [name for name in self.__record_fields__ if name not in self.__record_hidden__]
            return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

        def __eq__(self, other):
            return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented

        def __hash__(self):
            return hash(tuple(map(self.__dict__.get, self.__record_fields__)))

        def __setattr__(self, name, *_value):
            raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name!r}")

        __delattr__ = __setattr__

    def record(*, frozen, slots, kw_only=False):
        """Gives a class with annotations its constructor, equality, hash and ``repr``, and freezes it."""
        if not (frozen and slots):
            raise TypeError("every record is frozen")

        def build(cls):
            names = tuple(cls.__annotations__)
            given = {name: vars(cls)[name] for name in names if name in vars(cls)}
            fields = {name: value for name, value in given.items() if isinstance(value, _Field)}
            for name in fields:
                delattr(cls, name)
            plain = given | {name: value.default for name, value in fields.items()}
            cls.__match_args__ = cls.__record_fields__ = names
            cls.__record_names__ = frozenset(names)
            cls.__record_defaults__ = {name: value for name, value in plain.items() if value is not _MISSING}
            cls.__record_hidden__ = {name for name, value in fields.items() if not value.repr}
            cls.__record_kw_only__ = kw_only
            for name in ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"):
                setattr(cls, name, vars(_Methods)[name])
            return cls

        return build

    def replace(value, **changes):
        """A copy of a record with some fields changed, validated as a new one is."""
        return type(value)(**{name: getattr(value, name) for name in value.__record_fields__} | changes)


__all__ = ["field", "record", "replace"]

"""Frozen records for the rules, without importing `dataclasses` or `typing`.

Those two imports cost a Lambda's cold start more than everything else the rules need, and a sign-in may pay it three
times. A type checker sees ordinary dataclasses; at run time this module does the little that the rules use of them.
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

    def record(*, frozen, slots, kw_only=False):
        """Gives a class with annotations its constructor, equality, hash and ``repr``, and freezes it."""
        if not (frozen and slots):
            raise TypeError("every record is frozen")

        def build(cls):
            names = tuple(cls.__annotations__)
            given = {name: cls.__dict__.get(name, _MISSING) for name in names}
            hidden = {name for name, value in given.items() if isinstance(value, _Field) and not value.repr}
            defaults = {name: value.default if isinstance(value, _Field) else value for name, value in given.items()}
            for name, value in given.items():
                if isinstance(value, _Field):
                    delattr(cls, name)
            cls.__match_args__ = cls.__record_fields__ = names
            cls.__init__ = _constructor(cls.__name__, names, defaults, kw_only=kw_only)
            cls.__repr__ = _representation(names, hidden)
            cls.__eq__, cls.__hash__ = _equal, _hash
            cls.__setattr__ = cls.__delattr__ = _refuse
            return cls

        return build

    def replace(value, **changes):
        """A copy of a record with some fields changed, validated as a new one is."""
        return type(value)(**{name: getattr(value, name) for name in value.__record_fields__} | changes)

    def _constructor(kind, names, defaults, *, kw_only):
        known = frozenset(names)

        def initialise(self, *args, **kwargs):
            if args:
                if kw_only or len(args) > len(names):
                    raise TypeError(f"{kind} takes fewer positional arguments")
                positional = dict(zip(names, args, strict=False))
                if positional.keys() & kwargs.keys():
                    raise TypeError(f"{kind} got a field twice")
                kwargs = positional | kwargs
            if not kwargs.keys() <= known:
                raise TypeError(f"{kind} has no field {', '.join(sorted(kwargs.keys() - known))}")
            values = self.__dict__
            for name in names:
                value = kwargs.get(name, defaults[name])
                if value is _MISSING:
                    raise TypeError(f"{kind} needs the field {name}")
                values[name] = value
            if hasattr(self, "__post_init__"):
                self.__post_init__()

        return initialise

    def _representation(names, hidden):
        def show(self):
            shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names if name not in hidden)
            return f"{type(self).__qualname__}({shown})"

        return show

    def _equal(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def _hash(self):
        return hash(tuple(self.__dict__.values()))

    def _refuse(self, name, *_value):
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name!r}")


__all__ = ["field", "record", "replace"]

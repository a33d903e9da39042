"""Read single values of a pool, and keep mappings frozen."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar


def is_true(value: Any) -> bool:
    """Coerce a boolean that may be a string: ``True``, and "true" in any case, are true.

    userInfo and the directory write booleans as strings, and a bare truth test would make "false" true. Everything
    else is False: "1", 1, "yes", null, missing, lists.
    """
    return value is True or (isinstance(value, str) and value.lower() == "true")


def is_storable(text: str) -> bool:
    """Whether every database takes the text: PostgreSQL takes no NUL, and no half of a surrogate pair is UTF-8."""
    return "\0" not in text and text.encode(errors="replace").decode() == text


def text(value: Any) -> str:
    """A string as it is; empty for any other value, and for what no database takes."""
    return value if isinstance(value, str) and is_storable(value) else ""


V = TypeVar("V")


class FrozenMapping(Mapping[str, V]):
    """A read-only copy of a mapping; ``repr`` shows the keys alone.

    ``types.MappingProxyType`` would show personal data in ``repr`` and can be neither pickled nor deep-copied. The
    values are expected to be immutable, or treated as such.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, V] | None = None) -> None:
        self._items: dict[str, V] = dict(items or {})

    def __getitem__(self, key: str) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        # The values may be unhashable; equal mappings have equal keys, and that is enough.
        return hash(frozenset(self._items))

    def __repr__(self) -> str:
        return f"<{len(self)} keys: {', '.join(sorted(self))}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self._items),)

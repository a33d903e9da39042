"""Reading what came back to a callback: as text, each parameter once, and no longer than a page of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from .hosted import Answer

MAX_FIELD: Final = 4096  # characters of one parameter
# What an answer is made of (OpenID Connect Core 3.1.2.5 and 3.1.2.6, RFC 9207).
_FIELDS: Final[Mapping[str, str]] = {"state": "state", "code": "code", "error": "error", "iss": "issuer"}


def read(values_of: Callable[[str], Sequence[str]]) -> tuple[Answer | None, str]:
    """The answer, or None and the cause why there is none. ``values_of`` gives all values of a parameter."""
    values = {name: values_of(key) for key, name in _FIELDS.items()}
    if any(len(found) > 1 for found in values.values()):
        return None, "repeated_parameter"
    if any(len(text) > MAX_FIELD for found in values.values() for text in found):
        return None, "oversized_parameter"
    answer = Answer(**{name: "".join(found) for name, found in values.items()})
    return (answer, "") if answer.state else (None, "state_missing")

"""Read single values as pools write them."""

from typing import Any


def is_true(value: Any) -> bool:
    """Coerce a boolean that may be a string: ``True``, and "true" in any case, are true.

    userInfo and the directory write booleans as strings, and a bare truth test would make
    "false" true. Everything else is False: "1", 1, "yes", null, missing, lists.
    """
    return value is True or (isinstance(value, str) and value.lower() == "true")


def text(value: Any) -> str:
    """A string as it is; anything else is no text."""
    return value if isinstance(value, str) else ""

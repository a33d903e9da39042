"""Whose business a cause is, by its short word alone: the sign-in's own (``flow``), the setup's (``configuration``),
or the network's and the provider's (``system``)."""

from collections.abc import Mapping
from typing import Final, Literal

from ..cognito import Cause
from .oidc import LOGIN_ERRORS

Category = Literal["flow", "configuration", "system"]

# Words of this package beside a pool's causes and a hosted login's errors; all others are of the sign-in.
_OWN: Final[Mapping[str, Category]] = {
    "no_connection": "configuration",
    "route_not_offered": "configuration",
    "scope_not_allowed": "configuration",
    "key_retired": "configuration",
    "key_unknown": "configuration",
    "unexpected_error": "configuration",
    "quota": "system",
    "busy": "system",
}
_KNOWN: Final[Mapping[str, str]] = {**LOGIN_ERRORS, **{str(cause): cause.category for cause in Cause}, **_OWN}


def category_of(cause: str) -> str:
    return _KNOWN.get(cause, "flow")

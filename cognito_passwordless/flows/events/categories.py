"""Whose business a cause is, by its short word alone: the sign-in's own (``flow``), the setup's (``configuration``),
or the network's and the provider's (``system``)."""

from collections.abc import Mapping
from typing import Final, Literal

from ...cognito import Cause

Category = Literal["flow", "configuration", "system"]

# OpenID Connect Core 3.1.2.6 and RFC 6749 4.1.2.1. The browser that brings an answer may have written it: no error in
# it opens another route, and one that is not in this list is not repeated anywhere.
LOGIN_ERRORS: Final[Mapping[str, Category]] = {
    "access_denied": "flow",
    "account_selection_required": "flow",
    "consent_required": "flow",
    "interaction_required": "flow",
    "login_required": "flow",
    "unmet_authentication_requirements": "flow",
    "server_error": "system",
    "temporarily_unavailable": "system",
    "invalid_request": "configuration",
    "invalid_scope": "configuration",
    "unauthorized_client": "configuration",
    "unsupported_response_type": "configuration",
}
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

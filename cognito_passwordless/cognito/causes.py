"""What can go wrong with a user pool, in our own words.

Whoever calls this room decides by ``Cause`` and never looks at what AWS wrote. Two facts
of a cause carry the weight:

* ``scope``: does it say something about one person (``"person"``), or is it the same
  for everybody (``"pool"``)? Only the second may send a sign-in on to another route,
  or a person whom the pool refuses could choose a door that does not ask.
* ``retryable``: may the very same call be made again later?
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, NamedTuple

Category = Literal["flow", "configuration", "system"]
Scope = Literal["person", "pool"]


class Cause(StrEnum):
    """Why a step at the pool failed."""

    throttled = "throttled"
    timeout = "timeout"
    unavailable = "unavailable"
    unknown_user = "unknown_user"
    wrong_code = "wrong_code"
    wrong_password = "wrong_password"  # noqa: S105 - a word, not a password
    session_expired = "session_expired"
    session_used = "session_used"
    disabled = "disabled"
    archived = "archived"
    unconfirmed = "unconfirmed"
    reset_required = "reset_required"
    force_change_password = "force_change_password"  # noqa: S105 - a word, not a password
    mfa_required = "mfa_required"
    otp_unavailable = "otp_unavailable"
    not_authorized = "not_authorized"
    misconfigured = "misconfigured"
    lambda_refused = "lambda_refused"
    lambda_failed = "lambda_failed"
    limit_exceeded = "limit_exceeded"
    token_invalid = "token_invalid"  # noqa: S105 - a word, not a token

    @property
    def category(self) -> Category:
        """Whose business it is: the sign-in itself, the setup, or the network and AWS."""
        return _TRAITS[self].category

    @property
    def retryable(self) -> bool:
        """Whether the same call may be made again, unchanged."""
        return _TRAITS[self].retryable

    @property
    def scope(self) -> Scope:
        """``"person"``: concerns one person. ``"pool"``: the same for everybody."""
        return _TRAITS[self].scope


class _Traits(NamedTuple):
    category: Category
    retryable: bool
    scope: Scope


_PERSON: Final = _Traits("flow", False, "person")
_OUTAGE: Final = _Traits("system", True, "pool")
_SETUP: Final = _Traits("configuration", False, "pool")

_TRAITS: Final[Mapping[Cause, _Traits]] = {
    Cause.throttled: _OUTAGE,
    Cause.timeout: _OUTAGE,
    Cause.unavailable: _OUTAGE,
    Cause.unknown_user: _PERSON,
    Cause.wrong_code: _PERSON,
    Cause.wrong_password: _PERSON,
    Cause.session_expired: _PERSON,
    Cause.session_used: _PERSON,
    Cause.disabled: _PERSON,
    Cause.archived: _PERSON,
    Cause.unconfirmed: _PERSON,
    Cause.reset_required: _PERSON,
    Cause.force_change_password: _PERSON,
    Cause.mfa_required: _PERSON,
    Cause.otp_unavailable: _PERSON,
    Cause.not_authorized: _PERSON,
    Cause.misconfigured: _SETUP,
    # A pre-authentication trigger refuses a person by raising; from here that looks the
    # same as a bug in it. So a raise counts as a refusal, and only a trigger that could
    # not be run, or whose answer Cognito could not read, counts as broken.
    Cause.lambda_refused: _PERSON,
    Cause.lambda_failed: _SETUP,
    # "Attempt limit exceeded" is brought about by guessing: never a way to another route.
    Cause.limit_exceeded: _PERSON,
    Cause.token_invalid: _PERSON,
}

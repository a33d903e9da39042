"""Counts that outlive a sign-in (law 3), in one DynamoDB table, by conditional writes.

Without the table a new `InitiateAuth` resets every count, and parallel answers to one Cognito session are all
compared: then only the limits of Cognito itself apply.
"""

from ...otp.policy import Policy
from ..core.deadline import Deadline
from ..core.environment import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Limits(Protocol):
        """``owner`` is a keyed hash of a user. Every method may raise `Unavailable`, which closes."""

        def number(self, owner: str, repeat: str, fresh: str, seconds: int, now: float) -> str:
            """The second half of a new challenge's id: that of a repeat of the same start, else a fresh one."""

        def claim_send(self, owner: str, now: float) -> bool:
            """Whether one more message may go to this user."""

        def claim_attempt(self, owner: str, nonce: str, policy: Policy, now: float) -> bool:
            """Whether one more answer may be compared, in this sign-in and for this user."""

        def clear(self, owner: str) -> None:
            """A right answer: the user's failures are forgotten, and the next challenge is a new one."""


# The last challenges of this instance of the function: when each began, and its number.
_LARGEST = 1000
_begun: dict[str, tuple[float, str]] = {}


class NoLimits:
    """No table: nothing is counted. This instance remembers its last challenges to recognise a repeat; another
    instance recognises it by the same slice of time."""

    def number(self, owner: str, repeat: str, fresh: str, seconds: int, now: float) -> str:
        at, number = _begun.get(owner, (float("-inf"), ""))
        if not 0 <= now - at < seconds:
            at, number = now, repeat
            if len(_begun) >= _LARGEST:
                _begun.pop(next(iter(_begun)), None)
        _begun[owner] = at, number
        return number

    def claim_send(self, owner: str, now: float) -> bool:
        return True

    def claim_attempt(self, owner: str, nonce: str, policy: Policy, now: float) -> bool:
        return True

    def clear(self, owner: str) -> None:
        """Nothing to forget."""


def limits_of(settings: Settings, deadline: Deadline) -> "Limits":
    """The limits that the settings ask for."""
    if not settings.limits_table:
        return NoLimits()
    from ..aws.dynamodb import Table, TableLimits  # noqa: PLC0415  # functions without a table need no network

    return TableLimits(
        Table(settings, deadline),
        failures=settings.limit("LIMITS_FAILURES", "10/1h"),
        sends=settings.limit("LIMITS_SENDS", "10/1h"),
    )

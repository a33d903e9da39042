"""The life of one challenge, as a table and pure functions.

The law of this file: an attempt is claimed before anything is compared, a claim is never given back, and a
challenge is accepted at most once. Hosts that share state between processes (Django) express `claim`, `resend` and
`accept` as one conditional UPDATE each; a test holds the two against each other.
"""

from enum import StrEnum
from types import MappingProxyType

from .codes import Code, Keyring, derive, matches
from .policy import Policy
from .records import record, replace


class Phase(StrEnum):
    OPEN = "open"
    LOCKED = "locked"  # every attempt is claimed; the last one may still turn out right
    EXPIRED = "expired"
    VERIFIED = "verified"
    SUPERSEDED = "superseded"


class Event(StrEnum):
    CLAIM = "claim"
    ACCEPT = "accept"
    RESEND = "resend"
    SUPERSEDE = "supersede"


# What may happen in each phase, and what the challenge becomes by it. OPEN turns LOCKED by counting and EXPIRED by
# time, so neither needs a row. ACCEPT in EXPIRED is for an attempt that was claimed in time and answered late.
TRANSITIONS = MappingProxyType(
    {
        Phase.OPEN: {
            Event.CLAIM: Phase.OPEN,
            Event.RESEND: Phase.OPEN,
            Event.ACCEPT: Phase.VERIFIED,
            Event.SUPERSEDE: Phase.SUPERSEDED,
        },
        Phase.LOCKED: {Event.ACCEPT: Phase.VERIFIED, Event.SUPERSEDE: Phase.SUPERSEDED},
        Phase.EXPIRED: {Event.ACCEPT: Phase.VERIFIED, Event.SUPERSEDE: Phase.SUPERSEDED},
        Phase.VERIFIED: {},
        Phase.SUPERSEDED: {},
    }
)


class Verdict(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"


class Refused(Exception):
    """The event is not allowed now. ``reason`` is a phase, ``"cooldown"`` or ``"sends"``.

    ``retry_after`` is in seconds, and only set for a cool-down.
    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


@record(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The state of one challenge; times in seconds since the epoch."""

    id: str
    purpose: str
    fingerprint: str
    issued_at: float
    last_sent_at: float
    generation: int = 1
    attempts: int = 0
    sends: int = 1
    outcome: Phase = Phase.OPEN


def issue(challenge_id: str, *, purpose: str, keyring: Keyring, now: float) -> Challenge:
    """A new challenge under the current key; its first message counts as sent now."""
    return Challenge(
        id=challenge_id, purpose=purpose, fingerprint=keyring.current.fingerprint, issued_at=now, last_sent_at=now
    )


def phase(challenge: Challenge, policy: Policy, now: float) -> Phase:
    """The phase at ``now``: a stored outcome is final, then the time decides, then the count."""
    if challenge.outcome is not Phase.OPEN:
        return challenge.outcome
    if now >= challenge.issued_at + policy.ttl:
        return Phase.EXPIRED
    return Phase.LOCKED if challenge.attempts >= policy.max_attempts else Phase.OPEN


def _enter(challenge: Challenge, event: Event, policy: Policy, now: float) -> Phase:
    current = phase(challenge, policy, now)
    following = TRANSITIONS[current].get(event)
    if following is None:
        raise Refused(current)
    return following


def claim(challenge: Challenge, policy: Policy, now: float) -> Challenge:
    """Spends one attempt. Raises `Refused` when none is left or the challenge is over."""
    _enter(challenge, Event.CLAIM, policy, now)
    return replace(challenge, attempts=challenge.attempts + 1)


def accept(challenge: Challenge, policy: Policy, now: float) -> Challenge:
    """Ends the challenge with success. Raises `Refused` the second time."""
    return replace(challenge, outcome=_enter(challenge, Event.ACCEPT, policy, now))


def resend(challenge: Challenge, policy: Policy, now: float) -> Challenge:
    """Allows one more message. Expiry and attempts stay: a resend buys neither time nor guesses.

    Raises `Refused`: ``"cooldown"`` with the seconds left, ``"sends"`` when the policy's messages are used up.
    """
    _enter(challenge, Event.RESEND, policy, now)
    if challenge.sends >= policy.max_sends:
        raise Refused("sends")
    wait = challenge.last_sent_at + policy.resend_cooldown - now
    if wait > 0:
        raise Refused("cooldown", wait)
    generation = challenge.generation + (policy.on_resend == "rotate")
    return replace(challenge, sends=challenge.sends + 1, generation=generation, last_sent_at=now)


def answer(
    challenge: Challenge, policy: Policy, keyring: Keyring, given: Code, now: float
) -> tuple[Challenge, Verdict]:
    """Claims, compares and accepts in one step, for hosts that carry the state themselves.

    A challenge whose key is gone has no right code any more. Raises `Refused` as `claim` does.
    """
    claimed = claim(challenge, policy, now)
    key = keyring.find(claimed.fingerprint)
    if key is None:
        return claimed, Verdict.WRONG
    expected = derive(key, claimed.id, purpose=claimed.purpose, generation=claimed.generation, length=policy.length)
    if not matches(expected, given):
        return claimed, Verdict.WRONG
    return accept(claimed, policy, now), Verdict.RIGHT

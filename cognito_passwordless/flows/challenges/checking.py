"""An answer that was not right at once: its verdict, and the proof that waits for the browser."""

from datetime import datetime, timedelta

from django.db.models import Q

from ...models import ChallengeSession
from .attempts import OPEN, challenges, durable, find

# How long a right answer waits for the browser that gave it.
PROOF_WAITS = timedelta(minutes=5)


def take_proof(handle: str, now: datetime) -> ChallengeSession | None:
    """Ends the challenge whose proof waits for this browser: the row as it was, for exactly one caller. Two
    statements."""
    challenge = find(handle)
    if challenge is None or challenge.outcome != ChallengeSession.Outcome.PROVEN:
        return None
    with durable():
        won = (
            challenges()
            .filter(pk=challenge.pk, outcome=challenge.outcome, answered_at__gt=now - PROOF_WAITS)
            .update(outcome=ChallengeSession.Outcome.VERIFIED, pool_session="")
        )
    return challenge if won else None


def refuse_once_more(challenge: ChallengeSession, now: datetime) -> None:
    """Notes an answer that no attempt was left for, unless an earlier one is still being checked. One statement."""
    answered = Q(answered_at=None) | ~Q(verdict="")
    refused = ChallengeSession.Verdict.REFUSED
    challenges().filter(answered, pk=challenge.pk).update(answered_at=now, verdict=refused)


def judge(challenge: ChallengeSession, verdict: ChallengeSession.Verdict) -> None:
    """Writes what became of this attempt, if it is the latest. One statement."""
    challenges().filter(pk=challenge.pk, outcome=OPEN, attempts=challenge.attempts).update(verdict=verdict)

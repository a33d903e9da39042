"""The worker's part of a sign-in: one message, from the request for it to what became of it.

It may run twice, or die anywhere (law 9): `deliveries` sees to it that at most one more copy goes out. What is tried
again, and what is not, is told in docs/senders.md.
"""

import logging
import time
from datetime import datetime
from uuid import UUID

from ...cognito import CognitoError
from ...delivery import Closed, SendFailed
from ...models import ChallengeSession, Delivery
from ...otp.masking import mask
from ..events import journey
from ..events.journey import Outcome
from ..limits.budgets import OverLimit
from . import deliveries
from .deliveries import MAX_COPIES, Busy, Gate, Status
from .execute import PASSWORD_FIRST, REVIEW, Done, carry_out, decide

logger = logging.getLogger(__name__)
MAX_TRIES = 5
# Budgets of everybody on a channel: when they are used up, the page may say so to everybody.
FOR_EVERYBODY = frozenset({"sms_per_day", "emails_per_day"})


class TryLater(Exception):
    """Throttled, timed out or 5xx: the same step may go better later, and no other route is taken instead.

    ``tries`` that have been made, to space the next one by; or ``seconds`` until it is of any use, where another
    worker seems to be at it.
    """

    def __init__(self, cause: str, *, tries: int = 0, seconds: float = 0.0) -> None:
        super().__init__(cause)
        self.tries = tries
        self.seconds = seconds


def send(challenge_id: UUID, generation: int, *, now: datetime, final: bool = False) -> None:
    """Does what one request for a message asked for. ``final``: nobody will try later. Raises `TryLater`."""
    challenge = ChallengeSession.objects.filter(pk=challenge_id).first()
    if challenge is None or challenge.generation != generation or challenge.outcome != ChallengeSession.Outcome.OPEN:
        return
    try:
        if challenge.expires_at <= now:
            _expire(challenge, now)
            return
        delivery = deliveries.begin(challenge, now)
    except Busy as busy:
        if not final:
            raise TryLater("busy", seconds=busy.seconds) from None
        return
    if delivery is None:
        # Finished before; the worker may have died before it said so to the page.
        _done(challenge)
        return
    _send(challenge, delivery, now, final)


def _send(challenge: ChallengeSession, delivery: Delivery, now: datetime, final: bool) -> None:
    gate, started = Gate(challenge, delivery, now, paid=delivery.tries > 1), time.monotonic()
    try:
        done = carry_out(challenge, decide(challenge, gate, now), gate, now)
    except Closed as closed:
        gate.give_back()
        _closed(challenge, gate, closed.cause, now, time.monotonic() - started)
    except OverLimit as over:
        _over_limit(challenge, gate, over, now, time.monotonic() - started)
    except (SendFailed, CognitoError) as error:
        gate.give_back()
        if not final and _worth_another_try(error, gate):
            deliveries.wait(delivery, str(error.cause))
            raise TryLater(str(error.cause), tries=delivery.tries) from None
        _fail(challenge, gate, error, now, time.monotonic() - started)
    else:
        _finish(challenge, gate, done, now, time.monotonic() - started)
    _done(challenge)


def _worth_another_try(error: SendFailed | CognitoError, gate: Gate) -> bool:
    retryable = error.retryable if isinstance(error, SendFailed) else error.cause.retryable
    return retryable and gate.delivery.tries < MAX_TRIES and gate.copies() < MAX_COPIES


def _finish(challenge: ChallengeSession, gate: Gate, done: Done, now: datetime, took: float) -> None:
    if done.sent is None:
        gate.give_back()
    status = Status.SENT if done.sent else Status.SKIPPED
    deliveries.finish(gate.delivery, status, gate.clock(), cause=done.reason, sent=done.sent)
    refused = done.reason not in {"", REVIEW, PASSWORD_FIRST}
    journey.record(
        challenge,
        "sent",
        Outcome.REFUSED if refused else Outcome.OK,
        now=now,
        cause=done.reason,
        category="flow" if refused else "",
        duration=took,
        output=_told_of(challenge, done),
    )


def _told_of(challenge: ChallengeSession, done: Done) -> dict[str, str]:
    told = {
        "sender": done.sent.sender if done.sent else "",
        "to": mask(challenge.recipient) if challenge.recipient else "",
        "pool_challenge": challenge.pool_challenge,
    }
    return {name: value for name, value in told.items() if value}


def _fail(
    challenge: ChallengeSession, gate: Gate, error: SendFailed | CognitoError, now: datetime, took: float
) -> None:
    """The person learns of it only where it is the same for everybody."""
    if isinstance(error, SendFailed):
        category, provider_down = "system", error.provider_down
    else:
        category, provider_down = error.cause.category, error.cause.scope == "pool"
    _end_unsent(gate, now, str(error.cause), provider_down=provider_down)
    journey.record(
        challenge, "sent", Outcome.FAILED, now=now, cause=str(error.cause), category=category, duration=took
    )


def _closed(challenge: ChallengeSession, gate: Gate, cause: str, now: datetime, took: float) -> None:
    """Nothing may go out any more: the time is over, the person has gone on, or the copies are used up."""
    _end_unsent(gate, now, cause)
    journey.record(challenge, "sent", Outcome.FAILED, now=now, cause=cause, category="flow", duration=took)


def _over_limit(challenge: ChallengeSession, gate: Gate, over: OverLimit, now: datetime, took: float) -> None:
    gate.give_back()
    logger.info("%s is over the limit %s", challenge.pk, over.name)
    if over.name in FOR_EVERYBODY:
        deliveries.finish(gate.delivery, Status.FAILED, now, cause=over.cause, provider_down=True)
    else:
        deliveries.finish(gate.delivery, Status.SKIPPED, now, cause=over.cause)
    journey.record(challenge, "sent", Outcome.REFUSED, now=now, cause=over.cause, category="flow", duration=took)


def _end_unsent(gate: Gate, now: datetime, cause: str, *, provider_down: bool = False) -> None:
    """Not sent, or perhaps sent: a copy that nobody gave back may be out."""
    status = Status.UNKNOWN if gate.copies() else Status.FAILED
    deliveries.finish(gate.delivery, status, gate.clock(), cause=cause, provider_down=provider_down)


def _expire(challenge: ChallengeSession, now: datetime) -> None:
    """Too late to send: whatever was begun or never begun is over, and can be seen to be. Raises `Busy`."""
    if deliveries.abandon(challenge, now, "expired"):
        journey.record(challenge, "sent", Outcome.FAILED, now=now, cause="expired", category="system")
    _done(challenge)


def _done(challenge: ChallengeSession) -> None:
    ChallengeSession.objects.filter(pk=challenge.pk, sends=challenge.sends).update(
        sending=ChallengeSession.Sending.DONE
    )

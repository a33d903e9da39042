"""The worker's part of a sign-in: one message, from the request for it to its end.

It may run twice, or die anywhere (law 9): `deliveries` sees to it that at most one more copy goes out. What is tried
again, and what is not, is told in docs/senders.md.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from ...cognito import CognitoError
from ...delivery import Closed, SendFailed, Sent
from ...models import ChallengeSession, Delivery, JourneyEvent
from ...otp.masking import mask
from ..events import journey
from ..events.journey import Outcome
from ..limits.budgets import OverLimit
from . import deliveries
from .deliveries import MAX_COPIES, Busy, Gate, Status
from .execute import PASSWORD_FIRST, REVIEW, decide, execute

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
    """Does what one request for a message asked for. ``final``: there is no later try. Raises `TryLater`."""
    challenge = ChallengeSession.objects.filter(pk=challenge_id).first()
    if challenge is None or challenge.generation != generation or challenge.outcome != ChallengeSession.Outcome.OPEN:
        return
    delivery = None
    try:
        if challenge.expires_at > now:
            delivery = deliveries.begin(challenge, now)
        elif deliveries.abandon(challenge, now, "expired"):
            # Too late to send: what was begun or never begun is over, and can be seen to be.
            journey.record(challenge, "sent", Outcome.FAILED, now=now, cause="expired", category="system")
    except Busy as busy:
        if final:
            return
        raise TryLater("busy", seconds=busy.seconds) from None
    # None where it was finished before: the worker may have died before it said so to the page.
    if delivery is not None:
        _send(Gate(challenge, delivery, now, paid=delivery.tries > 1), now, final=final)
    ChallengeSession.objects.filter(pk=challenge.pk, sends=challenge.sends).update(
        sending=ChallengeSession.Sending.DONE
    )


def _send(gate: Gate, now: datetime, *, final: bool) -> None:
    challenge = gate.challenge
    try:
        result = execute(challenge, decide(challenge, gate, now), gate, now)
    except Closed as closed:  # the time is over, the person has gone on, or the copies are used up
        gate.give_back()
        _record(gate, Outcome.FAILED, closed.cause)
    except OverLimit as over:
        gate.give_back()
        logger.info("%s is over the limit %s", challenge.pk, over.name)
        for_everybody = over.name in FOR_EVERYBODY
        status = Status.FAILED if for_everybody else Status.SKIPPED
        _record(gate, Outcome.REFUSED, over.cause, status=status, provider_down=for_everybody)
    except (SendFailed, CognitoError) as error:
        gate.give_back()
        # The person learns of it only where it is the same for everybody.
        if isinstance(error, SendFailed):
            retryable, category, provider_down = error.retryable, "system", error.provider_down
        else:
            retryable, category = error.cause.retryable, error.cause.category
            provider_down = error.cause.scope == "pool"
        tries = gate.delivery.tries
        if retryable and not final and tries < MAX_TRIES and gate.copies() < MAX_COPIES:
            deliveries.wait(gate.delivery, str(error.cause))
            raise TryLater(str(error.cause), tries=tries) from None
        _record(gate, Outcome.FAILED, str(error.cause), category=category, provider_down=provider_down)
    else:
        if result.sent is None:
            gate.give_back()
        refused = result.reason not in {"", REVIEW, PASSWORD_FIRST}
        _record(
            gate,
            Outcome.REFUSED if refused else Outcome.OK,
            result.reason,
            status=Status.SENT if result.sent else Status.SKIPPED,
            category="flow" if refused else "",
            sent=result.sent,
            output={
                "sender": result.sent.sender if result.sent else "",
                "to": mask(challenge.recipient) if challenge.recipient else "",
                "pool_challenge": challenge.pool_challenge,
            },
        )


def _record(
    gate: Gate,
    outcome: JourneyEvent.Outcome,
    cause: str,
    *,
    status: Delivery.Status | None = None,
    category: str = "flow",
    provider_down: bool = False,
    sent: Sent | None = None,
    output: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Writes how it ended. Without a ``status``: it failed, or it is unknown, as a copy that no sender gave back
    may be out."""
    if status is None:
        status = Status.UNKNOWN if gate.copies() else Status.FAILED
    ended = gate.clock()
    deliveries.finish(gate.delivery, status, ended, cause=cause, provider_down=provider_down, sent=sent)
    journey.record(
        gate.challenge,
        "sent",
        outcome,
        now=gate.now,
        cause=cause,
        category=category,
        duration=(ended - gate.now).total_seconds(),
        output={name: value for name, value in output.items() if value},
    )

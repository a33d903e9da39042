"""One message of a sign-in: handed to the worker, and the worker's part from there to its end.

It may run twice, or die anywhere (law 9): `deliveries` sees to it that at most one more copy goes out. What is tried
again, and what is not, is told in docs/senders.md.
"""

import logging
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from ...cognito import CognitoError
from ...conf import conf
from ...delivery import Closed, SendFailed, Sent
from ...identity import Channel
from ...models import ChallengeSession, Delivery, JourneyEvent
from ...otp.masking import mask
from ..events import journey
from ..events.journey import Outcome
from ..limits.budgets import OverLimit
from . import deliveries
from .deliveries import MAX_COPIES, Busy, Gate, Status
from .execute import PASSWORD_FIRST, REVIEW, SendResult, decide, execute

logger = logging.getLogger(__name__)
MAX_TRIES = 5
# Budgets of everybody on a channel: when they are used up, the page may say so to everybody.
FOR_EVERYBODY = frozenset({"sms_per_day", "emails_per_day"})
INLINE_TRIES = 2
QUEUES = {channel: f"cognito_{channel}" for channel in Channel}
BUILT_IN = {
    "celery": "cognito_passwordless.tasks.dispatch_by_celery",
    "inline": "cognito_passwordless.flows.sending.send_code.dispatch_inline",
}


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
        _record(
            gate, Outcome.REFUSED, over.cause, status=status, provider_down=for_everybody, for_everybody=for_everybody
        )
    except (SendFailed, CognitoError) as error:
        gate.give_back()
        # The person learns of it only where it is the same for everybody.
        if isinstance(error, SendFailed):
            retryable, category, provider_down = error.retryable, "system", error.provider_down
            for_everybody = error.for_everybody
        else:
            retryable, category = error.cause.retryable, error.cause.category
            provider_down, for_everybody = error.cause.scope == "pool", error.not_reached
        tries = gate.delivery.tries
        if retryable and not final and tries < MAX_TRIES and gate.copies() < MAX_COPIES:
            deliveries.wait(gate.delivery, str(error.cause))
            raise TryLater(str(error.cause), tries=tries) from None
        _record(
            gate,
            Outcome.FAILED,
            str(error.cause),
            category=category,
            provider_down=provider_down,
            for_everybody=for_everybody,
        )
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
            output=partial(_described, challenge, result),
        )


def _record(
    gate: Gate,
    outcome: JourneyEvent.Outcome,
    cause: str,
    *,
    status: Delivery.Status | None = None,
    category: str = "flow",
    provider_down: bool = False,
    for_everybody: bool = False,
    sent: Sent | None = None,
    output: journey.Output = None,
) -> None:
    """Writes how it ended. Without a ``status``: it failed, or it is unknown, as a copy that no sender gave back
    may be out."""
    if status is None:
        status = Status.UNKNOWN if gate.copies() else Status.FAILED
    ended = gate.clock()
    deliveries.finish(
        gate.delivery, status, ended, cause=cause, provider_down=provider_down, for_everybody=for_everybody, sent=sent
    )
    journey.record(
        gate.challenge,
        "sent",
        outcome,
        now=gate.now,
        cause=cause,
        category=category,
        duration=(ended - gate.now).total_seconds(),
        output=output,
    )


def _described(challenge: ChallengeSession, result: SendResult) -> dict[str, str]:
    described = {
        "sender": result.sent.sender if result.sent else "",
        "to": mask(challenge.recipient),
        "pool_challenge": challenge.pool_challenge,
    }
    return {name: value for name, value in described.items() if value}


def dispatch(challenge: ChallengeSession) -> None:
    """Asks for the challenge's next message, after commit when a transaction is open.

    Only ids travel. Raises `DispatchFailed` when the broker does not take it; inside a caller's transaction that
    happens after their commit, so it is logged there and the person asks for another code.
    """

    def hand_over() -> None:
        path = BUILT_IN.get(conf.dispatch, conf.dispatch)
        import_string(path)(str(challenge.pk), challenge.generation, challenge.channel)

    if transaction.get_connection(challenge._state.db).in_atomic_block:
        transaction.on_commit(hand_over, using=challenge._state.db, robust=True)
    else:
        hand_over()


def dispatch_inline(challenge_id: str, generation: int, channel: str) -> None:
    """Sends in this process, for development and tests: a person waits for the provider, and timing tells."""
    del channel
    for tries in range(1, INLINE_TRIES + 1):
        try:
            send(UUID(challenge_id), generation, now=timezone.now(), final=tries == INLINE_TRIES)
        except TryLater:
            continue
        return

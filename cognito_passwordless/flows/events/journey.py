"""Recording the steps of a sign-in. An event never holds a code, a session or a token."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from ...models import ChallengeSession, JourneyEvent
from ...otp import Code
from ...signals import journey_event
from . import payload

logger = logging.getLogger(__name__)
Outcome = JourneyEvent.Outcome
# The steps that a sign-in is made of, in their order; `EVENT_DATA` may name each.
STEPS = ("started", "sent", "pool_started", "left", "password", "answered", "migrated", "signed_in", "first_factor")
# The step of a sign-in that still happened in the pool, for the migration's figures.
POOL_SIGN_IN = "pool_sign_in"


def record(
    challenge: ChallengeSession,
    step: str,
    outcome: JourneyEvent.Outcome,
    *,
    now: datetime,
    cause: str = "",
    category: str = "",
    connection: str = "",
    duration: float | None = None,
    user_id: Any = None,
    data: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
    given: Code | None = None,
) -> JourneyEvent:
    """Writes one event and its line in the log. One statement.

    ``connection`` where it is not the challenge's own. ``duration`` in seconds. ``data`` is always kept and has
    nothing of the person; ``output`` is what the step gave, redacted, for whoever wants it (`EVENT_DATA`). ``given``
    is what was typed as a code, to be kept out.
    """
    event = JourneyEvent(
        attempt=challenge.pk,
        at=now,
        step=step,
        outcome=outcome,
        cause=cause[:60],
        category=category,
        connection=connection or challenge.connection,
        route=challenge.route,
        duration_ms=None if duration is None else max(0, round(duration * 1000)),
        user_id=user_id,
    )
    own = payload.of(event, challenge, {**(output or {}), **(data or {})}, given)
    event.data = (dict(data) if data else None) if own is None else own
    event.save(force_insert=True)
    level = logging.WARNING if outcome is Outcome.FAILED else logging.INFO
    logger.log(level, "%s %s %s cause=%s route=%s", challenge.pk, step, outcome, cause or "-", challenge.route or "-")
    tell(event)
    return event


def tell(event: JourneyEvent) -> None:
    """Sends `journey_event`, once the event is there to stay. Observers can neither undo a step nor break one: what
    they raise is in Django's log."""
    transaction.on_commit(lambda: journey_event.send_robust(sender=JourneyEvent, event=event), using=event._state.db)

"""What staff and commands did about one pool user, on the same timeline as their sign-ins."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from ...models import JourneyEvent, MigratedUser
from . import journey

logger = logging.getLogger(__name__)
_NAMESPACE = UUID("5f0a7b52-6a0c-4f59-9d3b-0d6b2a3d9c11")


def attempt_of(record: MigratedUser) -> UUID:
    """What ties these events together: the record itself, which has no sign-in of its own."""
    return uuid5(_NAMESPACE, str(record.pk))


def record(
    person: MigratedUser,
    step: str,
    *,
    now: datetime,
    cause: str = "",
    by: str = "",
    outcome: JourneyEvent.Outcome = JourneyEvent.Outcome.OK,
    category: str = "",
    level: int = logging.WARNING,
) -> JourneyEvent:
    """Writes one event and its line in the log. ``by`` is the key of the user who did it; nothing of the person's."""
    return write(
        attempt_of(person),
        step,
        connection=person.connection,
        now=now,
        cause=cause,
        by=by,
        user_id=person.user_id,
        outcome=outcome,
        category=category,
        level=level,
    )


def write(
    attempt: UUID,
    step: str,
    *,
    connection: str,
    now: datetime,
    cause: str = "",
    by: str = "",
    user_id: Any = None,
    outcome: JourneyEvent.Outcome = JourneyEvent.Outcome.OK,
    category: str = "",
    level: int = logging.WARNING,
) -> JourneyEvent:
    """As `record`, for what concerns no pool user, or one who must not be known. One statement."""
    event = JourneyEvent.objects.create(
        attempt=attempt,
        at=now,
        step=step,
        outcome=outcome,
        cause=cause[:60],
        category=category,
        connection=connection,
        user_id=user_id,
        data={"by": by} if by else None,
    )
    logger.log(level, "%s %s %s by %s", attempt, step, cause or "-", by or "-")
    journey.tell(event)
    return event

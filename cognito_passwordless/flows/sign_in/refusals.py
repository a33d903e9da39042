"""A network that has used up its starts: the same refusal for everybody, and one event of it in a window."""

from datetime import datetime
from uuid import uuid4

from ...models import ChallengeSession, JourneyEvent
from ..events import journey
from ..limits import budgets
from .context import TooMany


def too_many(over: budgets.OverLimit, now: datetime) -> TooMany:
    """What to raise for a start that was over the limit. Two statements, three for the first of a window."""
    if budgets.is_first_refusal(over):  # the others of this window would be a flood of rows
        nobody = ChallengeSession(id=uuid4())
        journey.record(nobody, "started", JourneyEvent.Outcome.REFUSED, now=now, cause=over.cause, category="flow")
    return TooMany(budgets.retry_after(over, now))

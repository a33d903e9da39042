"""Who asks, before anything is proven."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from ...models import ChallengeSession, JourneyEvent
from ..events import journey
from ..limits import budgets
from .errors import TooMany


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a request tells about who asks. ``handle`` is what the browser holds from an earlier start; ``ip`` is empty
    where it cannot be told: all of those share one budget."""

    handle: str = ""
    known_browser: str = ""
    ip: str = ""
    language: str = ""


def too_many(over: budgets.OverLimit, now: datetime) -> TooMany:
    """What to raise for a start that was over the limit. Two statements, three for the first of a window."""
    if budgets.is_first_refusal(over):  # the others of this window would be a flood of rows
        nobody = ChallengeSession(id=uuid4())
        journey.record(nobody, "started", JourneyEvent.Outcome.REFUSED, now=now, cause=over.cause, category="flow")
    return TooMany(budgets.retry_after(over, now))

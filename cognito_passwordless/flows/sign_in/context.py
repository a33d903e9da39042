"""The context of a request, before anything is proven: which browser, which network, which language."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from ...models import ChallengeSession, JourneyEvent
from ..challenges.attempts import SIGN_IN
from ..events import journey
from ..limits import budgets
from .errors import TooMany


@dataclass(frozen=True, slots=True)
class Visitor:
    """``handle`` is what the browser holds from an earlier start; ``ip`` is empty where it is not known: all such
    requests share one budget; ``purpose``: which entrance this is, whose challenges no other one answers."""

    handle: str = ""
    known_browser: str = ""
    ip: str = ""
    language: str = ""
    purpose: str = SIGN_IN


def too_many(over: budgets.OverLimit, now: datetime) -> TooMany:
    """What to raise for a start that was over the limit. Two statements, three for the first of a window."""
    if budgets.is_first_refusal(over):  # the others of this window would be a flood of rows
        stray = ChallengeSession(id=uuid4())
        journey.record(stray, "started", JourneyEvent.Outcome.REFUSED, now=now, cause=over.cause, category="flow")
    return TooMany(budgets.retry_after(over, now))

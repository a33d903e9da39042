"""Post confirmation: tells Django of a new pool user, and never stands in the way.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html
"""

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, source_of
from .runtime import Note, run
from .site.notify import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask


def respond(
    event: object,
    *,
    settings: Settings,
    now: float,
    deadline: Deadline,
    note: Note,
    ask: "Ask | None" = None,
) -> "dict[str, Any]":
    """Only a confirmed sign-up is news; whoever forgot a password was a user before."""
    if source_of(event) == "PostConfirmation_ConfirmSignUp":
        tell("post_confirmation", event, settings=settings, deadline=deadline, note=note, ask=ask)
    return answered(event, {})


def unchanged(event: object) -> "dict[str, Any]":
    return answered(event, {})


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("post_confirmation", respond, event, context, fallback=unchanged)

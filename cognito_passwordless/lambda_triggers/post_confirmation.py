"""Post confirmation: reports a new pool user to Django, and never stops the sign-up.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html
"""

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import source_of, unchanged
from .runtime import Note, run
from .site.notify import notify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask


def respond(
    event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note, ask: "Ask | None" = None
) -> "dict[str, Any]":
    """Only a confirmed sign-up is reported: a person with a forgotten password was a user before."""
    if source_of(event) == "PostConfirmation_ConfirmSignUp":
        notify("post_confirmation", event, settings=settings, deadline=deadline, note=note, ask=ask)
    return unchanged(event)


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("post_confirmation", respond, event, context, fallback=unchanged)

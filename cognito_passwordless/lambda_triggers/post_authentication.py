"""Post authentication: reports a sign-in that still happened in the pool to Django, and never stops it.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-authentication.html
"""

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import request_of, unchanged
from .runtime import Note, run
from .site.notify import notify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask


def respond(
    event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note, ask: "Ask | None" = None
) -> "dict[str, Any]":
    """``new_device`` marks a device that Cognito sees for the first time, in a pool that remembers devices."""
    new = request_of(event).get("newDeviceUsed") is True
    notify("post_authentication", event, settings=settings, deadline=deadline, note=note, ask=ask, new_device=new)
    return unchanged(event)


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("post_authentication", respond, event, context, fallback=unchanged)

"""Post authentication: tells Django of a sign-in that still happened in the pool, and never stands in the way.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-authentication.html
"""

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, request_of
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
    """A new device, where Cognito remembers devices, is told apart."""
    new_device = request_of(event).get("newDeviceUsed") is True
    tell(
        "post_authentication",
        event,
        settings=settings,
        deadline=deadline,
        note=note,
        ask=ask,
        new_device=new_device,
    )
    return answered(event, {})


def unchanged(event: object) -> "dict[str, Any]":
    return answered(event, {})


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("post_authentication", respond, event, context, fallback=unchanged)

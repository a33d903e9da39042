"""Reports an event to Django. A trigger needs no answer to it, and only logs a failure."""

from ..core.deadline import Deadline
from ..core.environment import Settings
from ..errors import Misconfigured, Unavailable
from ..runtime import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .client import Ask

# Seconds. The person waits for the sign-in meanwhile.
PATIENCE = 1.5


def notify(
    what: str,
    event: object,
    *,
    settings: Settings,
    deadline: Deadline,
    note: Note,
    ask: "Ask | None" = None,
    **more: "Any",
) -> None:
    """Raises no `Unavailable` or `Misconfigured`; the line of log has the cause."""
    from . import client  # noqa: PLC0415  # a function without a site needs no network

    if ask is None and not settings.django_url:
        note("not_notified", reason="DJANGO_URL is not set")
        return
    soon = Deadline(min(PATIENCE, deadline.left))
    try:
        (ask or client.ask)(what, {**client.about(event), **more}, settings=settings, deadline=soon)
    except (Unavailable, Misconfigured) as error:
        note("not_notified", reason=str(error))
    else:
        note("notified")

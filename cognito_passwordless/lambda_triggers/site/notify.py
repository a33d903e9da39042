"""Telling Django something that happened, where nobody waits for the answer and a failure is only noted."""

from ..core.deadline import Deadline
from ..core.environment import Settings
from ..errors import Misconfigured, Unavailable
from ..runtime import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .client import Ask

# A person waits for the sign-in that this is part of.
PATIENCE = 1.5  # seconds


def tell(
    what: str,
    event: object,
    *,
    settings: Settings,
    deadline: Deadline,
    note: Note,
    ask: "Ask | None" = None,
    **more: "Any",
) -> None:
    """Never raises for what is not Django's to decide; the line of log says what went wrong."""
    from . import client  # noqa: PLC0415  # a function that has nobody to tell pays for no network

    if ask is None and not settings.django_url:
        note("untold", reason="DJANGO_URL is not set")
        return
    soon = Deadline(min(PATIENCE, deadline.left))
    try:
        (ask or client.ask)(what, {**client.about(event), **more}, settings=settings, deadline=soon)
    except (Unavailable, Misconfigured) as error:
        note("untold", reason=str(error))
    else:
        note("told")

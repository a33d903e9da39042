"""Custom SMS sender: Cognito's own codes, in our words, by our senders."""

from .core.deadline import Deadline
from .core.environment import Settings
from .messages.custom_sender import send as send_by
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .messages.custom_sender import Decrypt
    from .messages.senders import Send


def respond(
    event: object,
    *,
    settings: Settings,
    now: float,
    deadline: Deadline,
    note: Note,
    decrypt: "Decrypt | None" = None,
    send: "Send | None" = None,
) -> "dict[str, Any]":
    return send_by("sms", event, settings=settings, deadline=deadline, note=note, decrypt=decrypt, send=send)


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("custom_sms_sender", respond, event, context)

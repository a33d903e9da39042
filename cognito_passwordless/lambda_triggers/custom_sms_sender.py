"""Custom SMS sender: sends Cognito's own codes with our texts, by our senders."""

from functools import partial

from .messages.custom_sender import send
from .runtime import run

respond = partial(send, "sms")


def handler(event: object, context: object) -> dict[str, object]:
    return run("custom_sms_sender", respond, event, context)

"""Custom e-mail sender: sends Cognito's own codes with our texts, by our senders."""

from functools import partial

from .messages.custom_sender import send
from .runtime import run

respond = partial(send, "email")


def handler(event: object, context: object) -> dict[str, object]:
    return run("custom_email_sender", respond, event, context)

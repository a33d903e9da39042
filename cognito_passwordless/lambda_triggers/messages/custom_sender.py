"""What both custom senders do: decrypt Cognito's code, put it into our text, and send it by one of our senders.

Cognito calls them in the background, so an error shows only in the log and the alarm.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sender-triggers.html
"""

import base64
import binascii
import html

from ..core.deadline import Deadline
from ..core.environment import Settings
from ..core.events import answered, attributes_of, request_of, source_of, text, username_of
from ..errors import Misconfigured, Unavailable
from ..runtime import Note
from .cognito import filled, words_for
from .senders import Message, deliver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from .senders import Send

    class Decrypt(Protocol):
        """The plain text of a code. Raises `Unavailable`."""

        def __call__(self, ciphertext: bytes, *, settings: Settings, deadline: Deadline) -> str: ...


def send(
    channel: str,
    event: object,
    *,
    settings: Settings,
    now: float,
    deadline: Deadline,
    note: Note,
    decrypt: "Decrypt | None" = None,
    send: "Send | None" = None,
) -> "dict[str, Any]":
    """``channel`` is "email" or "sms". A user without an address for the channel is no error and gets no message."""
    attributes = attributes_of(event)
    recipient = attributes.get("email" if channel == "email" else "phone_number", "")
    if not recipient:
        note("no_recipient")
        return answered(event, {})
    # A notice, such as that of a taken-over account, has no code.
    encrypted, code = text(request_of(event).get("code")), ""
    if encrypted:
        try:
            ciphertext = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise Unavailable("code_encoding") from None
        # Temporary passwords arrive escaped for HTML.
        code = html.unescape((decrypt or by_kms)(ciphertext, settings=settings, deadline=deadline))
    values = {"code": code, "link": "", "username": username_of(event), "app": settings.app_name}
    words = words_for(source_of(event).rpartition("_")[2], settings)
    message = Message(
        channel=channel,
        recipient=recipient,
        text=filled(words[channel], values),
        subject=" ".join(filled(words["subject"], values).split()) if channel == "email" else "",
    )
    note("sent", sender=(send or deliver)(message, settings=settings.for_channel(channel), deadline=deadline))
    return answered(event, {})


def by_kms(ciphertext: bytes, *, settings: Settings, deadline: Deadline) -> str:
    """Decrypts with the key at ``KEY_ARN``, by the AWS Encryption SDK (extra `lambda-senders`, a layer in the cloud).

    Cognito encrypts without key commitment, which the SDK's default policy refuses.
    """
    key_arn = settings.text("KEY_ARN")
    if not key_arn:
        raise Misconfigured("KEY_ARN must be set")
    from ..aws.encryption import decrypt  # noqa: PLC0415  # an extra layer, which only the custom senders have

    return deadline.share(2).call(lambda: decrypt(ciphertext, key_arn, settings), "kms")

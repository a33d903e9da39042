"""Send the pool's own messages: by its custom sender, else to the inbox in the text of its custom message.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sender-triggers.html
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html
"""

from __future__ import annotations

import base64
import html
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from ..backend.directory import Person, attributes_of
from ..testing.clock import Clock
from ..triggers.runner import Caller, Triggers, unusable
from .inbox import Inbox, Medium, sent

logger = logging.getLogger(__name__)

CODE, LINK, USERNAME = "{####}", "{##Click Here##}", "{username}"
PLACEHOLDERS = {"codeParameter": CODE, "linkParameter": LINK, "usernameParameter": USERNAME}
SENDERS: dict[Medium, tuple[str, str]] = {
    "EMAIL": ("CustomEmailSender", "customEmailSenderRequestV1"),
    "SMS": ("CustomSMSSender", "customSMSSenderRequestV1"),
}
LONGEST = {"smsMessage": 140, "emailMessage": 20_000}


@dataclass(frozen=True, slots=True)
class Letter:
    """One code, or first password, for one person. ``occasion`` follows the underscore in a triggerSource."""

    occasion: str
    medium: Medium
    destination: str
    code: str = field(repr=False)
    metadata: Mapping[str, Any] | None = None


class Post:
    """Sends for all pools of a local Cognito."""

    def __init__(self, triggers: Triggers, inbox: Inbox, clock: Clock) -> None:
        self._triggers = triggers
        self._inbox = inbox
        self._clock = clock

    def send(self, letter: Letter, pool_id: str, client_id: str | None, person: Person) -> None:
        """Send by the pool's custom sender, else to the inbox. Raises PoolError for an unusable custom message."""
        caller = Caller(pool_id, client_id, person.key)
        sender, kind = SENDERS[letter.medium]
        if not self._triggers.has(pool_id, sender):
            text = self._words(letter, caller, person) if self._triggers.has(pool_id, "CustomMessage") else ""
            at, username = self._clock.now(), person.key
            self._inbox.deliver(
                sent(
                    letter.medium,
                    letter.destination,
                    letter.code,
                    at=at,
                    username=username,
                    pool_id=pool_id,
                    text=text,
                )
            )
            return
        # Temporary passwords come escaped, as if for a page.
        ciphertext = self._triggers.encrypt(pool_id, html.escape(letter.code))
        request = {
            "type": kind,
            "code": base64.b64encode(ciphertext).decode(),
            "clientMetadata": letter.metadata,
            "userAttributes": attributes_of(person),
        }
        try:
            self._triggers.call(sender, letter.occasion, caller, request, wait=False)
        except errors.PoolError as error:
            # In the cloud it runs in the background, and the client does not get its errors.
            logger.warning("%s of %s failed: %s", sender, pool_id, error.kind)

    def _words(self, letter: Letter, caller: Caller, person: Person) -> str:
        request = {"userAttributes": attributes_of(person), **PLACEHOLDERS, "clientMetadata": letter.metadata}
        keys = ("smsMessage", "emailMessage", "emailSubject")
        answer = self._triggers.call("CustomMessage", letter.occasion, caller, request, keys)
        part = "smsMessage" if letter.medium == "SMS" else "emailMessage"
        text = answer.get(part)
        if text is None:
            return ""
        if not isinstance(text, str) or len(text) > LONGEST[part] or not (CODE in text or LINK in text):
            raise unusable(part)
        return text.replace(CODE, letter.code).replace(USERNAME, person.key)

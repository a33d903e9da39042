"""Custom message: the text of the messages that Cognito sends. Cognito puts the code in; this never sees it.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html
"""

import html
import re
from collections.abc import Mapping

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, attributes_of, metadata_of, request_of, source_of, text, unchanged
from .messages.cognito import OCCASIONS, filled, words_for
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_SMS, LONGEST_EMAIL = 140, 20_000
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_MessageTemplateType.html
LONGEST_SUBJECT = 140
LONGEST_SAID = 40
_NAMED = re.compile(r"\{(user|client)\.([\w:.-]+)\}")
_UNSAFE = re.compile(r"[{}<>#/@\\]|\.(?=\w)|[\x00-\x1f]")


def respond(event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note) -> "dict[str, Any]":
    """Our text where it fits and has its placeholders; Cognito's own where it does not."""
    request, occasion = request_of(event), source_of(event).removeprefix("CustomMessage_")
    code = text(request.get("codeParameter"))
    if occasion not in OCCASIONS or not code:
        note("default", reason="occasion" if code else "code")
        return answered(event, {})
    words = words_for(occasion, settings, attributes_of(event).get("locale", ""))
    values = {
        **_said(event, " ".join(words.values())),
        "code": code,
        "link": text(request.get("linkParameter")),
        "username": text(request.get("usernameParameter")),
        "app": settings.app_name,
    }
    sms, subject = filled(words["sms"], values), filled(words["subject"], values)
    # Cognito sends it as HTML; its own placeholders have to stay as they are.
    safe = {name: html.escape(value) if name.partition(".")[1] else value for name, value in values.items()}
    email = filled(words["email"], safe)
    written = {}
    if len(sms) <= LONGEST_SMS and _keeps(sms, occasion, values):
        written["smsMessage"] = sms
    if len(email) <= LONGEST_EMAIL and (_keeps(email, occasion, values) or _holds(email, values["link"])):
        written["emailMessage"] = email
        written["emailSubject"] = " ".join(subject.split())[:LONGEST_SUBJECT]
    note("written" if written else "default", parts=",".join(sorted(written)))
    return answered(event, written)


def _said(event: object, templates: str) -> dict[str, str]:
    """What the templates name of the person and of the client: ``{user.given_name}``, ``{client.order}``.

    Both come from people whom nobody knows yet, so they are short and hold no placeholder, and no address.
    """
    given = {"user": attributes_of(event), "client": metadata_of(event)}
    return {
        f"{source}.{name}": " ".join(_UNSAFE.sub(" ", given[source].get(name, "")).split())[:LONGEST_SAID]
        for source, name in _NAMED.findall(templates)
    }


def _keeps(message: str, occasion: str, values: Mapping[str, str]) -> bool:
    """An invitation needs the user name as well as the code; everything else the code."""
    needed = ("code", "username") if occasion == "AdminCreateUser" else ("code",)
    return all(_holds(message, values[name]) for name in needed)


def _holds(message: str, placeholder: str) -> bool:
    return bool(placeholder) and placeholder in message


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("custom_message", respond, event, context, fallback=unchanged)

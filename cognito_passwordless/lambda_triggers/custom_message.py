"""Custom message: the text of the messages that Cognito sends. Cognito puts the code in; this never sees it.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html
"""

from collections.abc import Mapping

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, request_of, source_of, text, unchanged
from .messages.cognito import OCCASIONS, filled, words_for
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_SMS, LONGEST_EMAIL = 140, 20_000
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_MessageTemplateType.html
LONGEST_SUBJECT = 140


def respond(event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note) -> "dict[str, Any]":
    """Our text where it fits and has its placeholders; Cognito's own where it does not."""
    request, occasion = request_of(event), source_of(event).removeprefix("CustomMessage_")
    code = text(request.get("codeParameter"))
    if occasion not in OCCASIONS or not code:
        note("default", reason="occasion" if code else "code")
        return answered(event, {})
    values = {
        "code": code,
        "link": text(request.get("linkParameter")),
        "username": text(request.get("usernameParameter")),
        "app": settings.app_name,
    }
    words = words_for(occasion, settings)
    sms, subject, email = (filled(words[part], values) for part in ("sms", "subject", "email"))
    written = {}
    if len(sms) <= LONGEST_SMS and _keeps(sms, occasion, values):
        written["smsMessage"] = sms
    if len(email) <= LONGEST_EMAIL and (_keeps(email, occasion, values) or _holds(email, values["link"])):
        written["emailMessage"] = email
        written["emailSubject"] = " ".join(subject.split())[:LONGEST_SUBJECT]
    note("written" if written else "default", parts=",".join(sorted(written)))
    return answered(event, written)


def _keeps(message: str, occasion: str, values: Mapping[str, str]) -> bool:
    """An invitation needs the user name as well as the code; everything else the code."""
    needed = ("code", "username") if occasion == "AdminCreateUser" else ("code",)
    return all(_holds(message, values[name]) for name in needed)


def _holds(message: str, placeholder: str) -> bool:
    return bool(placeholder) and placeholder in message


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("custom_message", respond, event, context, fallback=unchanged)

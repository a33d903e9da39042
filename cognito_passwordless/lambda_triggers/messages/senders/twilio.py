"""SMS by Twilio. https://www.twilio.com/docs/messaging/api/message-resource

``TWILIO_ACCOUNT_SID``, ``TWILIO_AUTH_TOKEN`` (or ``…_ARN``), ``TWILIO_FROM`` or ``TWILIO_MESSAGING_SERVICE_SID``.
"""

import base64
import json
from urllib.parse import quote, urlencode

from ...aws import http
from ...aws.secrets import secret
from ...core.deadline import Deadline
from ...core.environment import Settings
from ...errors import Misconfigured, Unavailable
from . import Message

# https://www.twilio.com/docs/api/errors: not a number, no mobile number, unsubscribed, not reachable.
_PERSONAL = frozenset({21211, 21214, 21610, 21612, 21614})


def send(message: Message, *, settings: Settings, deadline: Deadline) -> str:
    account = settings.text("TWILIO_ACCOUNT_SID")
    sender, service = settings.text("TWILIO_FROM"), settings.text("TWILIO_MESSAGING_SERVICE_SID")
    if not account or not (sender or service):
        raise Misconfigured("TWILIO_ACCOUNT_SID, and TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID, must be set")
    token = secret("TWILIO_AUTH_TOKEN", settings=settings, deadline=deadline)
    origin = {"MessagingServiceSid": service} if service else {"From": sender}
    base = settings.text("TWILIO_URL", "https://api.twilio.com").rstrip("/")
    answer = http.post(
        f"{base}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json",
        urlencode({"To": message.recipient, "Body": message.text, **origin}).encode(),
        {
            "Authorization": "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        },
        deadline=deadline,
        what="twilio",
    )
    if not answer.ok:
        try:
            failure = json.loads(answer.body)
        except ValueError:
            failure = None
        code = failure.get("code") if isinstance(failure, dict) else None
        code = code if isinstance(code, int) else 0
        raise Unavailable(f"twilio_{code or answer.status}", personal=code in _PERSONAL)
    return "twilio"

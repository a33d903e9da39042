"""One-use links that make a browser known to a person (law 3).

Strangers may use up what they share with the owner of an address: the messages, and the wrong answers that are
compared. What they cannot have is what the owner receives. So one message an hour then carries a link, and the browser
in which it is opened has budgets of its own.

The token is derived from the row's random id, as codes are (law 1). Whether it was used is in the row.
"""

import base64
import binascii
import hmac
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from ... import keys
from ...conf import conf
from ...models import ChallengeSession
from . import attempts

# What `decoy_reason` says of a challenge whose message had a link, and of one whose link was used.
SENT, USED = "link_sent", "link_used"
# Longer than the hour in which one of them is sent: while strangers go on for ever, one is always good for something.
LIFETIME = timedelta(minutes=90)
_MAC = 22  # characters of base64url: 132 bits


def url_of(challenge: ChallengeSession) -> str:
    """Empty where the site has no ``PUBLIC_URL`` or does not include our pages, and for a key that was retired."""
    token = _token(challenge)
    try:
        return conf.public_url and token and f"{conf.public_url}{reverse('cognito_passwordless:link', args=[token])}"
    except NoReverseMatch:
        return ""


def find(token: str, now: datetime) -> ChallengeSession | None:
    """The challenge whose link this is, as long as it can be used. One statement, none for nonsense."""
    try:
        pk = UUID(bytes=base64.b64decode(f"{token[:-_MAC]}==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        return None
    challenge = _usable(now).filter(pk=pk).first()
    return challenge if challenge and hmac.compare_digest(_token(challenge), token) else None


def use(challenge: ChallengeSession, browser: str, now: datetime) -> bool:
    """Takes the link: True for exactly one caller. It proves the mailbox or the phone as a code does, so the wrong
    answers of known browsers are forgotten; what another one has used up of its own stays. Four statements."""
    with attempts.durable():
        won = _usable(now).filter(pk=challenge.pk).update(decoy_reason=USED)
        if won:
            attempts.forget_failures(challenge, browser, known=0)
    return bool(won)


def _usable(now: datetime) -> QuerySet[ChallengeSession]:
    return attempts.challenges().filter(decoy_reason=SENT, last_sent_at__gt=now - LIFETIME)


def _token(challenge: ChallengeSession) -> str:
    mac = keys.tie(challenge.key_fingerprint, "link", challenge.pk.bytes)
    return base64.urlsafe_b64encode(challenge.pk.bytes).decode().rstrip("=") + mac[:_MAC] if mac else ""

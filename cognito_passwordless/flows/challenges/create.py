"""The one creator of a challenge, whichever entrance it is for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from ... import keys
from ...cognito import Connection
from ...conf import conf
from ...identifiers import MAX_LENGTH, Identifier
from ...identity import Channel
from ...models import ChallengeSession
from . import attempts


def lifetime(asked: Iterable[Connection]) -> timedelta:
    """How long a code can be used: ``OTP["TTL"]``, and no longer than any pool that may be asked for one waits for it
    (``session_minutes``). Pages, messages, the status and ``expires_at`` all follow from it."""
    waits = (60 * connection.session_minutes for connection in asked if "otp" in connection.routes)
    return timedelta(seconds=min((conf.otp.ttl, *waits)))


def new_challenge(identifier: Identifier | None, handle: str, now: datetime, **what_differs: Any) -> ChallengeSession:
    """Stores a challenge that the browser with ``handle`` may answer. ``what_differs`` are fields of the row beside,
    or instead of, those that all challenges have in common. One statement."""
    policy = conf.otp
    common = {
        "id": uuid4(),
        "handle_hash": attempts.handle_hash(handle),
        "identifier": identifier.value if identifier else "",
        "spelling": identifier.spelling[:MAX_LENGTH] if identifier else "",
        "channel": identifier.channel if identifier else Channel.EMAIL,
        "key_fingerprint": keys.keyring().current.fingerprint,
        "code_length": policy.length,
        "created_at": now,
        "last_sent_at": now,
        "expires_at": now + timedelta(seconds=policy.ttl),
    }
    return ChallengeSession.objects.create(**common | what_differs)

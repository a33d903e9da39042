"""Challenges as a start makes them, without a request."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cognito_passwordless import keys
from cognito_passwordless.conf import conf
from cognito_passwordless.flows.challenges import attempts
from cognito_passwordless.models import ChallengeSession

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANN = "ann@example.com"


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def held(identifier: str = ANN, **fields: Any) -> tuple[str, ChallengeSession]:
    """A challenge that was started at `NOW`, and the handle that its browser holds."""
    handle = attempts.new_handle()
    values: dict[str, Any] = {
        "id": uuid4(),
        "handle_hash": attempts.handle_hash(handle),
        "identifier": identifier,
        "channel": "email",
        "key_fingerprint": keys.keyring().current.fingerprint,
        "code_length": conf.otp.length,
        "created_at": NOW,
        "last_sent_at": NOW,
        "expires_at": after(conf.otp.ttl),
    }
    return handle, ChallengeSession.objects.create(**values | fields)

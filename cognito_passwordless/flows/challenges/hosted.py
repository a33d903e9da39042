"""What ties the answer of a hosted login to its question, and how the answer is taken: once.

State, nonce and PKCE verifier are derived from the row's random id, as codes are (law 1): none of them is in a table.
The state begins with the id, so that an answer finds its row though no cookie comes with it.
"""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from ... import keys
from ...cognito import Connection, Secrets
from ...conf import conf
from ...identifiers import Identifier
from ...models import ChallengeSession, Route
from . import attempts

Outcome = ChallengeSession.Outcome
# Longer than a code lives: the person may have to find a password, a phone, another provider's login.
LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back to the callback, as text. Everything in it was in the hands of the browser that brought it."""

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    error: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)

    def to_json(self) -> str:
        return json.dumps([self.state, self.code, self.error, self.issuer])

    @classmethod
    def from_json(cls, text: str) -> "Answer":
        return cls(*json.loads(text))


def open_challenge(
    connection: Connection,
    identifier: Identifier | None,
    *,
    handle: str,
    now: datetime,
    next_url: str,
    language: str,
    purpose: str = attempts.SIGN_IN,
) -> ChallengeSession:
    """Stores one attempt by hosted login. One statement."""
    return attempts.new_challenge(
        identifier,
        handle,
        now,
        purpose=purpose,
        language=language,
        next_url=next_url,
        hosted_login=connection.alias,
        route=Route.COGNITO_OIDC,
        connection=connection.alias,
        sends=0,
        sending=ChallengeSession.Sending.DONE,
        # No message was asked for: a code may be, at once.
        last_sent_at=now - timedelta(seconds=conf.otp.resend_cooldown),
        expires_at=now + LIFETIME,
    )


def secrets_of(challenge: ChallengeSession) -> Secrets | None:
    """None when the key that made them has been retired from ``SECRET_KEY_FALLBACKS``."""
    parts = [
        keys.tie(challenge.key_fingerprint, f"oidc.{purpose}", challenge.pk.bytes)
        for purpose in ("state", "nonce", "verifier")
    ]
    if not all(parts):
        return None
    state, nonce, verifier = (part or "" for part in parts)
    return Secrets(f"{challenge.pk.hex}.{state}", nonce, verifier)


def has_state(challenge: ChallengeSession, state: str) -> bool:
    """Whether the state is this row's, in constant time."""
    secrets = secrets_of(challenge)
    return secrets is not None and hmac.compare_digest(secrets.state.encode(), state.encode(errors="replace"))


def find_by_state(state: str) -> ChallengeSession | None:
    """The row that a state was made for; None for one that was never made here. One statement, none for nonsense."""
    try:
        row_id = UUID(hex=state.partition(".")[0])
    except ValueError:
        return None
    challenge = attempts.challenges().filter(pk=row_id, route=Route.COGNITO_OIDC).first()
    return challenge if challenge and has_state(challenge, state) else None


def save_answer(challenge: ChallengeSession, answer: Answer, now: datetime) -> bool:
    """Keeps the first answer, encrypted, until the browser that asked fetches it. One statement."""
    with attempts.durable():
        return bool(
            _waiting(challenge, now).filter(pool_session="").update(pool_session=keys.encrypt(answer.to_json()))
        )


def saved_answer(challenge: ChallengeSession) -> Answer | None:
    text = keys.decrypt(challenge.pool_session) if challenge.pool_session else None
    return Answer.from_json(text) if text else None


def claim(challenge: ChallengeSession, now: datetime) -> bool:
    """Takes the one answer of an attempt, before anything in it is looked at (law 2): True for exactly one caller.

    Raises `RuntimeError` inside a transaction: a claim that can be rolled back is none. One statement.
    """
    with attempts.durable():
        return bool(_waiting(challenge, now).update(outcome=Outcome.ANSWERED, pool_session=""))


def mark_verified(challenge: ChallengeSession) -> None:
    """The answer was right. Failures of the identifier stay counted: what was typed has not been proven. One
    statement."""
    attempts.challenges().filter(pk=challenge.pk, outcome=Outcome.ANSWERED).update(outcome=Outcome.VERIFIED)


def _waiting(challenge: ChallengeSession, now: datetime) -> QuerySet[ChallengeSession]:
    return attempts.challenges().filter(
        pk=challenge.pk,
        handle_hash=challenge.handle_hash,
        route=Route.COGNITO_OIDC,
        outcome=Outcome.OPEN,
        expires_at__gt=now,
    )


MAX_FIELD: Final = 4096  # characters of one parameter
# What an answer is made of (OpenID Connect Core 3.1.2.5 and 3.1.2.6, RFC 9207).
_FIELDS: Final[Mapping[str, str]] = {"state": "state", "code": "code", "error": "error", "iss": "issuer"}


def parse_answer(values_of: Callable[[str], Sequence[str]]) -> tuple[Answer | None, str]:
    """The answer, or None and the cause why there is none. ``values_of`` gives all values of a parameter."""
    values = {name: values_of(key) for key, name in _FIELDS.items()}
    if any(len(found) > 1 for found in values.values()):
        return None, "repeated_parameter"
    if any(len(text) > MAX_FIELD for found in values.values() for text in found):
        return None, "oversized_parameter"
    answer = Answer(**{name: "".join(found) for name, found in values.items()})
    return (answer, "") if answer.state else (None, "state_missing")

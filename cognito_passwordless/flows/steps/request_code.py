"""A code of the one pool that a site's own view names: asked for within its request, and answered as any other is.

The laws are those of a sign-in by the package's pages: the same budgets, the same row, the pool's session encrypted on
it, and `login.answer` with its claim before the comparison.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import router, transaction

from ... import keys
from ...causes import explain
from ...cognito import Connection
from ...conf import conf
from ...identifiers import MAX_LENGTH, Identifier
from ...models import ChallengeSession, Delivery, Route
from ..challenges import attempts
from ..challenges.status import seconds_to_resend, status
from ..limits import budgets
from ..sending import send_code
from ..sign_in.context import Visitor, too_many
from ..sign_in.login import NotServed, TooSoon


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of it; ``cause`` is empty where the pool says that a code is out. ``private``: the cause concerns
    this one person, and whoever waits must see what everybody sees."""

    challenge: ChallengeSession
    handle: str = field(repr=False)
    cause: str = ""
    private: bool = False

    @property
    def category(self) -> str:
        return explain(self.cause).category


def ask(
    connection: Connection,
    identifier: Identifier,
    visitor: Visitor,
    *,
    channel: str,
    scope: Collection[str],
    now: datetime,
) -> Asked:
    """Has the pool send its code, once, and waits for its answer. ``visitor.handle`` is that of the step before, which
    this one replaces after the same cool-down.

    Raises `TooMany`, `TooSoon`, `NotServed`, and `RuntimeError` inside a transaction: what has been spent must not be
    rolled back.
    """
    if channel == identifier.channel == "sms" and not budgets.serves(identifier.value):
        raise NotServed
    _cool_down(visitor.handle, now)
    handle = attempts.new_handle()
    try:
        with transaction.atomic(using=router.db_for_write(ChallengeSession), durable=True):
            budgets.spend("starts_per_ip", budgets.network_of(visitor.ip), now)
            challenge = _store(connection, identifier, visitor, handle, channel=channel, scope=scope, now=now)
    except budgets.OverLimit as over:
        raise too_many(over, now) from None
    if visitor.handle:
        attempts.supersede(visitor.handle)
    send_code.send(challenge.pk, challenge.generation, now=now, final=True)
    challenge.refresh_from_db()
    return _outcome(challenge, handle, now)


def _cool_down(handle: str, now: datetime) -> None:
    before = attempts.find(handle, attempts.STEP) if handle else None
    if before is not None and before.outcome == ChallengeSession.Outcome.OPEN and seconds_to_resend(before, now):
        raise TooSoon(seconds_to_resend(before, now))


def _store(
    connection: Connection,
    identifier: Identifier,
    visitor: Visitor,
    handle: str,
    *,
    channel: str,
    scope: Collection[str],
    now: datetime,
) -> ChallengeSession:
    policy = conf.otp
    return ChallengeSession.objects.create(
        id=uuid4(),
        purpose=attempts.STEP,
        handle_hash=attempts.handle_hash(handle),
        identifier=identifier.value,
        spelling=identifier.spelling[:MAX_LENGTH],
        channel=channel,
        language=visitor.language,
        scope=" ".join(scope),
        route=Route.COGNITO_OTP,
        connection=connection.alias,
        refusal_floor=conf.refusal_floor,
        key_fingerprint=keys.keyring().current.fingerprint,
        code_length=policy.length,
        created_at=now,
        last_sent_at=now,
        expires_at=now + timedelta(seconds=policy.ttl),
    )


def _outcome(challenge: ChallengeSession, handle: str, now: datetime) -> Asked:
    delivery = Delivery.objects.filter(challenge=challenge).latest("number")
    cause = challenge.decoy_reason or delivery.cause
    if not cause:
        return Asked(challenge, handle)
    # During an outage everybody is told of it, or those whom nothing is sent to could be told apart.
    everybodys = delivery.provider_down or status(challenge, now=now).state == "trouble"
    return Asked(challenge, handle, cause, private=not everybodys)

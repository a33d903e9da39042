"""A code of the one pool that a site's own view names: asked for within its request, and answered as any other is.

The laws are those of a sign-in by the package's pages: the same budgets, the same row, the pool's session encrypted on
it, and `login.answer` with its claim before the comparison.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import router, transaction

from ...causes import explain
from ...cognito import Connection
from ...conf import conf
from ...identifiers import Identifier
from ...identity import Channel
from ...models import ChallengeSession, Delivery, Route
from ..challenges import attempts
from ..challenges.status import seconds_to_resend, status
from ..limits import budgets
from ..sending import send_code
from ..sign_in.context import Visitor, too_many
from ..sign_in.errors import NotServed, TooSoon


@dataclass(frozen=True, slots=True)
class PoolAnswer:
    """``cause`` is empty where the pool says that a code is out. ``private``: the cause concerns this one person,
    whose page must show what everybody's does."""

    challenge: ChallengeSession
    handle: str = field(repr=False)
    cause: str = ""
    private: bool = False

    @property
    def category(self) -> str:
        return explain(self.cause).category


def ask_pool(
    connection: Connection,
    identifier: Identifier,
    visitor: Visitor,
    *,
    channel: str,
    scope: Collection[str],
    now: datetime,
) -> PoolAnswer:
    """Has the pool send its code, once, and waits for its answer. ``visitor.handle`` is that of the step before, which
    this one replaces after the same cool-down.

    Raises `TooMany`, `TooSoon`, `NotServed`, and `RuntimeError` inside a transaction: what has been spent must not be
    rolled back.
    """
    if channel == Channel.SMS and identifier.number and not budgets.serves(identifier.number):
        raise NotServed
    before = attempts.find(visitor.handle, attempts.STEP)
    if before is not None and before.outcome == ChallengeSession.Outcome.OPEN and seconds_to_resend(before, now):
        raise TooSoon(seconds_to_resend(before, now))
    handle = attempts.new_handle()
    try:
        with transaction.atomic(using=router.db_for_write(ChallengeSession), durable=True):
            budgets.spend("starts_per_ip", budgets.network_of(visitor.ip), now)
            challenge = attempts.new_challenge(
                identifier,
                handle,
                now,
                purpose=attempts.STEP,
                channel=channel,
                language=visitor.language,
                scope=" ".join(scope),
                route=Route.COGNITO_OTP,
                connection=connection.alias,
                refusal_floor=conf.refusal_floor,
                expires_at=now + attempts.lifetime([connection]),
            )
    except budgets.OverLimit as over:
        raise too_many(over, now) from None
    attempts.supersede(visitor.handle)
    send_code.send(challenge.pk, challenge.generation, now=now, final=True)
    challenge.refresh_from_db(using=challenge._state.db)
    delivery = Delivery.objects.filter(challenge=challenge).latest("number")
    cause = challenge.decoy_reason or delivery.cause
    # During an outage everybody is told of it, or those whom nothing is sent to could be told apart.
    is_private = bool(cause) and not (delivery.for_everybody or status(challenge, now=now).state == "trouble")
    return PoolAnswer(challenge, handle, cause, private=is_private)

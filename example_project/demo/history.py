"""Months of a migration in a moment, for pictures and tests of the progress page. Nobody in it exists."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser, SendCount

POOL = "eu-west-1_Example"
SEED = 7
# Days since the first sign-in, and the mean of days until somebody signs in.
AGES = {"early": (30, 300.0), "quarter": (92, 90.0), "late": (180, 80.0), "finished": (400, 8.0)}
OUTAGES = (("throttled", 4), ("timeout", 2))


def fill(now: datetime, age: str, *, people: int = 3_000, attempts: int = 900, connection: str = "main") -> None:
    """Writes people, attempts, events and budgets. ``age`` is a key of `AGES`."""
    chance = random.Random(SEED)  # noqa: S311  (no secret)
    days, mean = AGES[age]
    began = now - timedelta(days=days)
    # One account for all who came over: without any, they would be people whose account was deleted.
    user, _ = get_user_model().objects.get_or_create(username="came-over")
    MigratedUser.objects.bulk_create(
        _people(chance, now, began, count=people, mean=mean, connection=connection, user=user), batch_size=500
    )
    events: list[JourneyEvent] = []
    challenges = list(_attempts(chance, now, connection, events, attempts))
    ChallengeSession.objects.bulk_create(challenges, batch_size=500)
    JourneyEvent.objects.bulk_create(events, batch_size=500)
    for scope, key, count in (
        ("emails_per_day", "", 4_210),
        ("sms_per_day", "", 4_205),
        ("sms_per_country", "DE", 640),
    ):
        SendCount.objects.create(scope=scope, key=key, count=count, window_started_at=now - timedelta(hours=7))


def _people(
    chance: random.Random, now: datetime, began: datetime, *, count: int, mean: float, connection: str, user: Any
) -> Iterator[MigratedUser]:
    for number in range(count):
        rate = chance.gammavariate(0.9, 1 / 0.9) / mean
        at = began + timedelta(days=min(10_000, chance.expovariate(max(rate, 1e-6))))
        row = MigratedUser(
            connection=connection if number % 4 else "partners",
            pool=POOL,
            sub=str(UUID(int=chance.getrandbits(128), version=4)),
            imported_at=began - timedelta(days=35 * (number % 3)),
        )
        if at < now or mean < 10:
            row.user = user
            row.status, row.migrated_at = "migrated", min(at, now - timedelta(days=100) * (mean < 10))
            row.method = chance.choices(["cognito_otp", "local_otp", "cognito_oidc"], [70, 20, 10])[0]
            row.active_at = max(row.migrated_at, now - timedelta(days=chance.expovariate(1 / 30)))
        elif number % 29 == 0:
            row.status, row.last_error = "conflict", chance.choice(["several_users", "address_not_proven"])
            row.active_at = now - timedelta(days=chance.random() * 60)
        elif number % 97 == 0:
            row.status, row.last_error = "failed", "inactive_user"
        elif number % 211 == 0:
            row.status = "excluded"
        elif number % 11 == 0:
            row.active_at = now - timedelta(days=chance.random() * 60)
        yield row


def _attempts(
    chance: random.Random, now: datetime, connection: str, events: list[JourneyEvent], count: int
) -> Iterator[ChallengeSession]:
    for number in range(count):
        at = now - timedelta(days=chance.random() * 6.9)
        made = ChallengeSession(
            handle_hash=f"{number:064}",
            channel="email",
            connection=connection,
            route="cognito_otp",
            code_length=6,
            created_at=at,
            last_sent_at=at,
            expires_at=at + timedelta(minutes=10),
        )
        events += _events(chance, made, at)
        yield made


def _events(chance: random.Random, made: ChallengeSession, at: datetime) -> Iterator[JourneyEvent]:
    def event(step: str, outcome: str = "ok", cause: str = "", category: str = "", ms: float = 0) -> JourneyEvent:
        return JourneyEvent(
            attempt=made.pk,
            at=at,
            step=step,
            outcome=outcome,
            cause=cause,
            category=category,
            connection=made.connection,
            route=made.route,
            duration_ms=round(ms) if ms else None,
        )

    def speed() -> float:
        return chance.lognormvariate(5.6, 0.6)

    far = chance.random()
    if far < 0.012:
        cause = chance.choices([cause for cause, _ in OUTAGES], [weight for _, weight in OUTAGES])[0]
        yield event("sent", "failed", cause, "system", speed() * 6)
    elif far < 0.06:
        yield event("sent", "refused", chance.choice(["unknown_user", "limit_sends"]), "flow", speed())
    else:
        yield event("sent", ms=speed())
        if chance.random() < 0.12:
            yield event("answered", "refused", "wrong_code", "flow", speed())
        if far > 0.14:
            yield event("answered", ms=speed())
            yield event("signed_in")
            if far > 0.45:
                yield event("migrated")
    if far > 0.97:
        yield event("pool_sign_in")

"""Aggregate queries over the source tables, one per kind. Only the roll-up task runs them.

Days are those of ``TIME_ZONE``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, TruncDate, TruncMonth
from django.utils import timezone

from ...models import ChallengeSession, DailyFigure, JourneyEvent, MigratedUser

Kind = DailyFigure.Kind
OK = JourneyEvent.Outcome.OK
# The stages of a sign-in in order, and the events that show that it reached one.
STAGES = ("started", "sent", "verified", "signed_in", "migrated")
REACHED_BY = {
    "sent": ("sent", "left"),  # by a message, or by leaving for the hosted login
    "verified": ("answered",),
    "signed_in": ("signed_in", "first_factor"),
    "migrated": ("migrated",),
}
# Upper ends of the buckets of a duration, in milliseconds; LONGER for what is above all of them.
BUCKETS = (100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000)
LONGER = 600_000


class People(NamedTuple):
    """The key of a `PeopleFigure`."""

    connection: str
    status: str
    method: str
    last_error: str
    cohort: str
    active: bool
    deleted: bool = False


class Daily(NamedTuple):
    """The key of a `DailyFigure`."""

    day: date
    kind: str
    connection: str = ""
    step: str = ""
    outcome: str = ""
    cause: str = ""
    category: str = ""
    route: str = ""
    within_ms: int = 0


@dataclass(slots=True)
class Tally:
    """Counts by key; for days also the sum of the durations in milliseconds."""

    people: Counter[People] = field(default_factory=Counter)
    daily: dict[Daily, tuple[int, int]] = field(default_factory=dict)


def day_of(moment: datetime) -> date:
    return timezone.localdate(moment, timezone.get_default_timezone())


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def within(field_name: str, first: date, last: date) -> Q:
    """From the beginning of one day to the end of another."""
    return Q(
        **{f"{field_name}__gte": start_of(first), f"{field_name}__lt": start_of(last + timedelta(days=1))},
    )


def people(active_since: datetime) -> Tally:
    """All people, and the migrated ones by day: from one statement, so that the two fit together."""
    zone = timezone.get_default_timezone()
    rows = (
        MigratedUser.objects.order_by()
        .annotate(
            month=TruncMonth("imported_at", tzinfo=zone),
            is_active=Case(When(active_at__gte=active_since, then=True), default=False),
            is_deleted=Case(When(status=MigratedUser.Status.MIGRATED, user=None, then=True), default=False),
            day=Case(When(status=MigratedUser.Status.MIGRATED, then=TruncDate("migrated_at", tzinfo=zone))),
        )
        .values_list("connection", "status", "method", "last_error", "month", "is_active", "is_deleted", "day")
        .annotate(count=Count("pk"))
    )
    tally, days = Tally(), defaultdict[Daily, int](int)
    for connection, status, method, last_error, month, active, deleted, day, count in rows:
        cohort = f"{month:%Y-%m}" if month else ""
        tally.people[People(connection, status, method, last_error, cohort, active, deleted)] += count
        if day:
            days[Daily(day, Kind.PEOPLE, connection, route=method)] += count
    tally.daily = {key: (count, 0) for key, count in days.items()}
    return tally


def events(first: date | None, until: datetime) -> dict[Daily, tuple[int, int]]:
    """The events from a day (None: from the first one) up to a moment."""
    speed = Case(
        When(Q(duration_ms__isnull=True) | Q(connection=""), then=0),
        *(When(duration_ms__lte=bucket, then=bucket) for bucket in BUCKETS),
        default=LONGER,
    )
    names = ("connection", "step", "outcome", "cause", "category", "route")
    rows = (
        _from(JourneyEvent.objects.filter(at__lte=until), "at", first)
        .annotate(day=TruncDate("at", tzinfo=timezone.get_default_timezone()), within_ms=speed)
        .values_list("day", *names, "within_ms")
        .annotate(count=Count("pk"), total_ms=Coalesce(Sum("duration_ms"), 0))
    )
    return {Daily(day, Kind.EVENTS, *key): (count, total) for day, *key, count, total in rows}


def attempts(first: date | None, until: datetime) -> dict[Daily, tuple[int, int]]:
    """The challenge sessions begun since a day, by the stage that they had reached at a moment."""
    far = Case(
        *(When(came_to(stage, until), then=Value(stage)) for stage in reversed(STAGES[1:])),
        default=Value(STAGES[0]),
        output_field=CharField(),
    )
    rows = (
        _from(ChallengeSession.objects.filter(created_at__lte=until), "created_at", first)
        .annotate(day=TruncDate("created_at", tzinfo=timezone.get_default_timezone()), far=far)
        .values_list("day", "connection", "far")
        .annotate(count=Count("pk"))
    )
    return {Daily(day, Kind.ATTEMPTS, connection, step=far): (count, 0) for day, connection, far, count in rows}


def came_to(stage: str, until: datetime | None = None) -> Exists:
    """Condition on challenge sessions: has an event of exactly this stage."""
    return _has(REACHED_BY[stage], until)


def reached(stage: str) -> Q:
    """Condition on challenge sessions: reached this stage or a later one."""
    if stage == STAGES[0]:
        return Q()
    return Q(_has([step for later in STAGES[STAGES.index(stage) :] for step in REACHED_BY[later]]))


def _has(steps: Iterable[str], until: datetime | None = None) -> Exists:
    done = JourneyEvent.objects.filter(attempt=OuterRef("pk"), step__in=steps, outcome=OK)
    return Exists(done.filter(at__lte=until) if until else done)


def _from(rows: QuerySet[Any], moment: str, first: date | None) -> QuerySet[Any]:
    return (rows.filter(**{f"{moment}__gte": start_of(first)}) if first else rows).order_by()


def see_returning(since: datetime, until: datetime) -> int:
    """Updates ``active_at`` of migrated people who have signed in again, and returns how many. It runs in a task, so
    that no sign-in waits for it."""
    signed_in = JourneyEvent.objects.filter(step__in=REACHED_BY["signed_in"], outcome=OK, at__lte=until)
    latest = signed_in.filter(user=OuterRef("user")).order_by("-at").values("at")[:1]
    return (
        MigratedUser.objects.filter(user__in=signed_in.filter(at__gte=since).values("user"))
        .filter(Q(active_at__isnull=True) | Q(active_at__lt=latest))
        .update(active_at=latest)
    )

"""How far the migration is: read from the roll-up alone, in a fixed number of statements, however many people there
are. The page in the admin, its exports and ``manage.py cognito_progress`` all tell these figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, Sum

from ... import connections
from ...models import DailyFigure, MigratedUser, PeopleFigure, Progress
from .forecast import Forecast
from .lookup import FLAGS, Sums, days, values_of
from .queries import Kind, day_of
from .recent import TOP, DailySum, RecentActivity, budgets, sums
from .rollup import ACTIVE
from .types import Day, Figures, Group, Named, Number, Share

Status = MigratedUser.Status
# Whoever is out is not to be migrated: they are no part of "all".
COUNTED = ",".join(sorted(status for status in Status if status not in MigratedUser.OUT))
IN_ORDER = (Status.MIGRATED, Status.PENDING, Status.CONFLICT, Status.FAILED, *MigratedUser.OUT)
RECENT_DAYS = 7
SHOWN_DAYS = 60
STALE = timedelta(minutes=30)
TRIES = 3


def read_report(now: datetime, connection: str = "") -> Figures:
    """The figures of one connection, or of all. Seven statements; four more when the roll-up was written meanwhile,
    for figures of two moments would not fit together."""
    for _ in range(TRIES):
        kept = _read(now, connection)
        if kept.as_of == Progress.objects.filter(pk=1).values_list("as_of", flat=True).first():
            break
    return _tell(kept, now)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the tables of the roll-up said. ``today`` is the day of which they are."""

    as_of: datetime | None
    today: date
    connection: str
    forecast: Forecast
    people: list[PeopleFigure]
    migrated: dict[date, int]
    recent: list[DailySum]

    @property
    def base_filter(self) -> dict[str, str]:
        return {"connection": self.connection} if self.connection else {}


def _read(now: datetime, connection: str) -> _Kept:
    progress = Progress.objects.filter(pk=1).first() or Progress()
    today = day_of(progress.as_of or now)
    ours = Q(connection=connection) if connection else Q()
    per_day = DailyFigure.objects.filter(ours, kind=Kind.PEOPLE).values_list("day").annotate(Sum("count"))
    recent = DailyFigure.objects.filter(
        ours, kind__in=[Kind.EVENTS, Kind.ATTEMPTS], day__range=(today - timedelta(days=RECENT_DAYS - 1), today)
    )
    return _Kept(
        progress.as_of,
        today,
        connection,
        Forecast.from_json(progress.forecasts.get(connection, {})),
        list(PeopleFigure.objects.filter(ours)),
        dict(per_day.order_by("day")),
        sums(recent),
    )


def _tell(kept: _Kept, now: datetime) -> Figures:
    labels = {each.alias: each.name or each.alias for each in connections.every()}
    people = _People(kept)
    recent = RecentActivity(
        kept.recent, kept.base_filter | {"days": days(kept.today - timedelta(days=RECENT_DAYS - 1), kept.today)}
    )
    shown = _days(kept, people)
    return Figures(
        as_of=kept.as_of,
        connection=kept.connection,
        stale=kept.as_of is not None and now - kept.as_of > STALE,
        recent_days=RECENT_DAYS,
        migrated=people.share(),
        active=people.share(active="yes"),
        active_days=ACTIVE.days,
        statuses=[Named(status.value, people.number(status=status.value)) for status in IN_ORDER],
        deleted=people.number(status=Status.MIGRATED.value, deleted="True"),
        methods=people.methods(),
        reasons=people.reasons(),
        connections=people.groups("connection", labels),
        cohorts=people.groups("cohort", {}),
        rate=shown[-2].rate,  # of whole days: today is not over
        days=shown,
        funnel=recent.funnel(),
        failures=recent.failures(),
        pools=recent.pools(labels),
        budgets=list(budgets(now)),
        forecast=kept.forecast,
    )


class _People:
    """Counts people by what they have in common."""

    def __init__(self, kept: _Kept) -> None:
        self._sums = Sums(kept.people)
        self._base_filter = kept.base_filter

    def number(self, **where: str) -> Number:
        wanted: dict[str, Iterable[object]] = dict(values_of(where))
        if "reason" in wanted:
            wanted["last_error"] = wanted.pop("reason")
        wanted |= {name: [True] for name in FLAGS if name in wanted}
        return Number(self._sums.of(wanted), "people", self._base_filter | where)  # type: ignore[arg-type]

    def share(self, **where: str) -> Share:
        return Share(self.number(status=Status.MIGRATED.value, **where), self.number(status=COUNTED, **where))

    def methods(self) -> list[Named]:
        status = Status.MIGRATED.value
        return [Named(each.value, self.number(status=status, method=each.value)) for each in MigratedUser.Method]

    def reasons(self) -> list[Named]:
        """Why people wait for a human."""
        waiting = f"{Status.CONFLICT},{Status.FAILED}"
        named = [
            Named(reason, self.number(status=waiting, reason=reason)) for (reason,) in self._sums.values("last_error")
        ]
        found = [each for each in named if each.number.value]
        return sorted(found, key=lambda each: each.number.value, reverse=True)[:TOP]

    def groups(self, name: str, labels: dict[str, str]) -> list[Group]:
        there = sorted(value for (value,) in self._sums.values(name))
        return [self._group(name, value, labels.get(value, value)) for value in there]

    def _group(self, name: str, value: str, label: str) -> Group:
        of = {name: value}
        statuses = (Status.PENDING, Status.CONFLICT, Status.FAILED)
        return Group(value, label, self.share(**of), *(self.number(status=each.value, **of) for each in statuses))


def _days(kept: _Kept, people: _People) -> list[Day]:
    """The last `SHOWN_DAYS`, today included."""
    first = kept.today - timedelta(days=SHOWN_DAYS - 1)
    shown = sum(count for day, count in kept.migrated.items() if day >= first)
    so_far = people.number(status=Status.MIGRATED.value).value - shown
    told = []
    for day in (first + timedelta(days=number) for number in range(SHOWN_DAYS)):
        count = kept.migrated.get(day, 0)
        so_far += count
        week = sum(kept.migrated.get(day - timedelta(days=number), 0) for number in range(7))
        where = kept.base_filter | {"status": Status.MIGRATED.value, "days": days(day, day)}
        told.append(Day(day, Number(count, "people", where), round(week / 7, 1), so_far))
    return told

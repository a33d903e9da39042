"""The progress report, read from the roll-up alone, in a number of statements that does not grow with the people. The
page in the admin, its exports and ``manage.py cognito_progress`` show it."""

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
# People who are out will not be migrated, so "all" does not include them.
COUNTED = ",".join(sorted(status for status in Status if status not in MigratedUser.OUT))
IN_ORDER = (Status.MIGRATED, Status.PENDING, Status.CONFLICT, Status.FAILED, *MigratedUser.OUT)
RECENT_DAYS = 7
SHOWN_DAYS = 60
STALE = timedelta(minutes=30)
TRIES = 20  # a roll-up comes once a minute, or often while it is tested


def read_report(now: datetime, connection: str = "") -> Figures:
    """The report on one connection, or on all. Seven statements; four more if a roll-up was written meanwhile, because
    numbers of two moments would not fit together."""
    for _ in range(TRIES):
        roll_up = _read(now, connection)
        if roll_up.as_of == Progress.objects.filter(pk=1).values_list("as_of", flat=True).first():
            break
    return _report(roll_up, now)


@dataclass(frozen=True, slots=True)
class _RollUp:
    """The rows of one roll-up, made on the day ``today``."""

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


def _read(now: datetime, connection: str) -> _RollUp:
    progress = Progress.objects.filter(pk=1).first() or Progress()
    today = day_of(progress.as_of or now)
    ours = Q(connection=connection) if connection else Q()
    per_day = DailyFigure.objects.filter(ours, kind=Kind.PEOPLE).values_list("day").annotate(Sum("count"))
    recent = DailyFigure.objects.filter(
        ours, kind__in=[Kind.EVENTS, Kind.ATTEMPTS], day__range=(today - timedelta(days=RECENT_DAYS - 1), today)
    )
    return _RollUp(
        progress.as_of,
        today,
        connection,
        Forecast.from_json(progress.forecasts.get(connection, {})),
        list(PeopleFigure.objects.filter(ours)),
        dict(per_day.order_by("day")),
        sums(recent),
    )


def _report(roll_up: _RollUp, now: datetime) -> Figures:
    labels = {each.alias: each.name or each.alias for each in connections.every()}
    people = _People(roll_up)
    span = days(roll_up.today - timedelta(days=RECENT_DAYS - 1), roll_up.today)
    recent = RecentActivity(roll_up.recent, roll_up.base_filter | {"days": span})
    shown = _days(roll_up, people)
    return Figures(
        as_of=roll_up.as_of,
        connection=roll_up.connection,
        stale=roll_up.as_of is not None and now - roll_up.as_of > STALE,
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
        forecast=roll_up.forecast,
    )


class _People:
    """Counts people by what they have in common."""

    def __init__(self, roll_up: _RollUp) -> None:
        self._sums = Sums(roll_up.people)
        self._base_filter = roll_up.base_filter

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
        """Why people need review."""
        waiting = f"{Status.CONFLICT},{Status.FAILED}"
        named = [
            Named(reason, self.number(status=waiting, reason=reason)) for (reason,) in self._sums.values("last_error")
        ]
        named.sort(key=lambda each: each.number.value, reverse=True)
        return [each for each in named[:TOP] if each.number.value]

    def groups(self, name: str, labels: dict[str, str]) -> list[Group]:
        waiting = (Status.PENDING, Status.CONFLICT, Status.FAILED)
        groups = []
        for value in sorted(value for (value,) in self._sums.values(name)):
            of = {name: value}
            numbers = [self.number(status=status.value, **of) for status in waiting]
            groups.append(Group(value, labels.get(value, value), self.share(**of), *numbers))
        return groups


def _days(roll_up: _RollUp, people: _People) -> list[Day]:
    """The last `SHOWN_DAYS`, today included."""
    first = roll_up.today - timedelta(days=SHOWN_DAYS - 1)
    shown = sum(count for day, count in roll_up.migrated.items() if day >= first)
    so_far = people.number(status=Status.MIGRATED.value).value - shown
    shown_days = []
    for day in (first + timedelta(days=number) for number in range(SHOWN_DAYS)):
        count = roll_up.migrated.get(day, 0)
        so_far += count
        week = sum(roll_up.migrated.get(day - timedelta(days=number), 0) for number in range(7))
        where = roll_up.base_filter | {"status": Status.MIGRATED.value, "days": days(day, day)}
        shown_days.append(Day(day, Number(count, "people", where), round(week / 7, 1), so_far))
    return shown_days

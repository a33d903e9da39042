"""Recent activity: how far sign-ins came, why they failed, how pools answered; and how much of the budgets is used."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import models
from django.db.models import QuerySet

from ...conf import conf
from ...models import DailyFigure, JourneyEvent, SendCount
from ..events.journey import POOL_SIGN_IN
from .lookup import Sums, values_of
from .queries import STAGES, Kind
from .types import Budget, Failure, Number, Pool, Stage, percent

Outcome = JourneyEvent.Outcome
TOP = 8
# The steps that wait for a pool, and the categories of errors that the person does not cause.
POOL_STEPS = ("answered", "left", "password", "sent")
POOL_FAULTS = "configuration,system"
# The limits that all people share, without those of phone prefixes, which are many.
BUDGETS = ("emails_per_day", "sms_per_day", "sms_per_country", "unknown_messages_per_day")


@dataclass(frozen=True, slots=True)
class DailySum:
    """Daily figures, summed over days and routes: unsummed they are thousands of rows on a busy site."""

    kind: str
    connection: str
    step: str
    outcome: str
    cause: str
    category: str
    within_ms: int
    count: int


def sums(figures: "QuerySet[DailyFigure]") -> list[DailySum]:
    """One statement."""
    names = [each.name for each in fields(DailySum) if each.name != "count"]
    return [DailySum(*row) for row in figures.order_by().values_list(*names).annotate(models.Sum("count"))]


class RecentActivity:
    """``base_filter`` applies to every number: the day range, and the connection if one was chosen."""

    def __init__(self, figures: Sequence[DailySum], base_filter: dict[str, str]) -> None:
        self._events = [figure for figure in figures if figure.kind == Kind.EVENTS]
        self._sums = Sums(self._events)
        self._attempts = Sums(figure for figure in figures if figure.kind == Kind.ATTEMPTS)
        self._base_filter = base_filter

    def funnel(self) -> list[Stage]:
        """A stage includes the attempts that came further, so no stage is larger than the one before."""
        far = {stage: self._attempts.of({"step": [stage]}) for stage in STAGES}
        everybody = sum(far.values())
        counts = [sum(far[later] for later in STAGES[place:]) for place in range(len(STAGES))]
        return [
            Stage(stage, Number(count, "attempts", self._base_filter | {"reached": stage}), percent(count, everybody))
            for stage, count in zip(STAGES, counts, strict=True)
        ]

    def failures(self) -> list[Failure]:
        failed = [
            Failure(step, outcome, cause, self._number(step=step, outcome=outcome, cause=cause))
            for step, outcome, cause in self._sums.values("step", "outcome", "cause")
            if outcome != Outcome.OK
        ]
        return failed[:TOP]

    def pools(self, labels: dict[str, str]) -> list[Pool]:
        """The pools that are configured, and those that were called."""
        only = self._base_filter.get("connection")
        called = {connection for (connection,) in self._sums.values("connection") if connection}
        steps = ",".join(POOL_STEPS)
        pools = []
        for name in sorted({only} if only else called | set(labels)):
            calls = self._number(connection=name, step=steps)
            errors = self._number(connection=name, step=steps, outcome=str(Outcome.FAILED), category=POOL_FAULTS)
            within = Counter[int]()
            for figure in self._events:
                if figure.connection == name and figure.step in POOL_STEPS and figure.within_ms:
                    within[figure.within_ms] += figure.count
            pools.append(
                Pool(
                    name,
                    labels.get(name, name),
                    calls,
                    errors,
                    percent(errors.value, calls.value),
                    _within(within, 0.5),
                    _within(within, 0.95),
                    self._number(connection=name, step=POOL_SIGN_IN, outcome=str(Outcome.OK)),
                )
            )
        return pools

    def _number(self, **where: str) -> Number:
        return Number(self._sums.of(values_of(where)), "events", self._base_filter | where)


def _within(counts: Counter[int], share: float) -> int | None:
    """How many milliseconds this share of the calls took at most."""
    wanted, so_far = share * counts.total(), 0
    for bucket in sorted(counts):
        so_far += counts[bucket]
        if so_far >= wanted:
            return bucket
    return None


def budgets(now: datetime) -> Iterator[Budget]:
    """How much of `BUDGETS` is used now, counted live because these are few rows. One statement."""
    spent = {(row.scope, row.key): row for row in SendCount.objects.filter(scope__in=BUDGETS)}
    for name in BUDGETS:
        limit = conf.limit(name)
        keys = sorted({key for scope, key in spent if scope == name}) or ([] if name == "sms_per_country" else [""])
        for key in keys:
            row = spent.get((name, key))
            over = row is None or row.window_started_at <= now - timedelta(seconds=limit.window)
            used = 0 if row is None or over else min(row.count, limit.count)
            number = Number(used, "budgets", {"name": name})
            yield Budget(name, key, number, limit.count, limit.window, percent(used, limit.count))

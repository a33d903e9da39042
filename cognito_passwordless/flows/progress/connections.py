"""Calls and sign-ins of each connection, read from the daily roll-up alone, so that the cost does not grow with the
number of events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, Sum

from ... import connections
from ...models import DailyFigure, JourneyEvent, Progress
from .lookup import days
from .queries import STAGES, Kind, day_of
from .recent import POOL_STEPS
from .types import Number, percent, plain

DAYS = 30
Outcome = JourneyEvent.Outcome
PROVEN = "verified"  # the stage of an attempt that has proved an identity


@dataclass(frozen=True, slots=True)
class Calls:
    """One step of a connection, or all that wait for it. ``mean_ms`` is the mean of the timed calls, None without one.
    ``refused``: because of the person or the sign-in; ``failed``: because of the setup, the network, the provider."""

    step: str
    calls: Number
    mean_ms: int | None
    refused: Number
    refused_percent: float
    failed: Number
    failed_percent: float


@dataclass(frozen=True, slots=True)
class ConnectionFigures:
    """``invocations`` sums the steps that wait for the pool; ``steps`` has all. ``begun`` counts sign-ins, ``proved``
    those that proved an identity."""

    name: str
    label: str
    invocations: Calls
    begun: Number
    proved: Number
    completed_percent: float
    steps: Sequence[Calls]


@dataclass(frozen=True, slots=True)
class ConnectionsReport:
    """``as_of`` is None before the first roll-up."""

    as_of: datetime | None
    days: int
    connections: Sequence[ConnectionFigures]

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = plain(self)
        return data


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    connection: str
    step: str
    outcome: str
    count: int
    timed: int
    total_ms: int


def read_connections(now: datetime) -> ConnectionsReport:
    """The last `DAYS` days, up to the roll-up. Three statements."""
    as_of = Progress.objects.filter(pk=1).values_list("as_of", flat=True).first()
    labels = {each.alias: each.name or each.alias for each in connections.every()}
    last = day_of(as_of or now)
    first = last - timedelta(days=DAYS - 1)
    sums = (
        DailyFigure.objects.filter(kind__in=[Kind.EVENTS, Kind.ATTEMPTS], day__range=(first, last))
        .exclude(connection="")
        .order_by()
        .values_list("kind", "connection", "step", "outcome")
        .annotate(all=Sum("count"), timed=Sum("count", filter=Q(within_ms__gt=0), default=0), ms=Sum("total_ms"))
    )
    rows = [_Row(*row) for row in sums]
    span = days(first, last)
    proven = STAGES[STAGES.index(PROVEN) :]
    figures = []
    for name in sorted({*labels, *(row.connection for row in rows)}):
        base_filter = {"connection": name, "days": span}
        events = [row for row in rows if row.kind == Kind.EVENTS and row.connection == name]
        attempts = [row for row in rows if row.kind == Kind.ATTEMPTS and row.connection == name]
        begun, proved = _sum(attempts), _sum(row for row in attempts if row.step in proven)
        figures.append(
            ConnectionFigures(
                name,
                labels.get(name, name),
                _calls(",".join(POOL_STEPS), [row for row in events if row.step in POOL_STEPS], base_filter),
                Number(begun, "attempts", base_filter),
                Number(proved, "attempts", {**base_filter, "reached": PROVEN}),
                percent(proved, begun),
                [
                    _calls(step, [row for row in events if row.step == step], base_filter)
                    for step in sorted({row.step for row in events})
                ],
            )
        )
    return ConnectionsReport(as_of, DAYS, figures)


def _calls(step: str, rows: Sequence[_Row], base_filter: Mapping[str, str]) -> Calls:
    where = {**base_filter, "step": step}
    calls, timed = _sum(rows), sum(row.timed for row in rows)

    def ended(outcome: JourneyEvent.Outcome) -> Number:
        count = _sum(row for row in rows if row.outcome == outcome)
        return Number(count, "events", {**where, "outcome": str(outcome)})

    refused, failed = ended(Outcome.REFUSED), ended(Outcome.FAILED)
    return Calls(
        step,
        Number(calls, "events", where),
        round(sum(row.total_ms for row in rows) / timed) if timed else None,
        refused,
        percent(refused.value, calls),
        failed,
        percent(failed.value, calls),
    )


def _sum(rows: Iterable[_Row]) -> int:
    return sum(row.count for row in rows)

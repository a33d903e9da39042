"""Looks up counts in the roll-up, so that neither a list's page nor the report has to count rows."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import product
from typing import Any

from django.db.models import QuerySet, Sum

from ...models import DailyFigure, MigratedUser, PeopleFigure
from .queries import STAGES

Status = MigratedUser.Status
# Filters that may name several values, separated by commas.
SEVERAL = frozenset({"status", "step", "category"})
# Filters of people of which only this value is counted.
FLAGS: Mapping[str, str] = {"active": "yes", "deleted": "True"}


class Sums:
    """Sums of ``count`` over rows with common values. Each combination of fields is summed once."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = list(rows)
        self._sums: dict[tuple[str, ...], Counter[tuple[Any, ...]]] = {}

    def of(self, wanted: Mapping[str, Collection[Any]]) -> int:
        names = tuple(sorted(wanted))
        sums = self._by(names)
        return sum(sums[key] for key in product(*(wanted[name] for name in names)))

    def values(self, *names: str) -> list[tuple[Any, ...]]:
        """The combinations of values, the most frequent first."""
        return [key for key, _ in self._by(names).most_common()]

    def _by(self, names: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
        if names not in self._sums:
            found = self._sums[names] = Counter()
            for row in self._rows:
                found[tuple(getattr(row, name) for name in names)] += row.count
        return self._sums[names]


def values_of(where: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: value.split(",") if name in SEVERAL else [value] for name, value in where.items()}


def days(first: date, last: date) -> str:
    return f"{first.isoformat()}..{last.isoformat()}"


def days_of(text: str) -> tuple[date, date]:
    """The first and the last day of a range. Raises `ValueError`."""
    first, _, last = text.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last)


def total(rows: str, where: Mapping[str, str]) -> int | None:
    """How many rows there are by the roll-up; None if it does not count them. At most one statement.

    ``where`` names values: of people status, method, connection, cohort, reason (why not), active and deleted; of
    events step, outcome, cause, category, connection; of attempts reached and connection; of events, attempts, and of
    people who have been migrated, days as well, as ``2026-01-01..2026-01-07``. Raises `ValueError` for other days.
    """
    span = days_of(where["days"]) if "days" in where else None
    wanted = values_of({name: value for name, value in where.items() if name not in {"days", "reached", *FLAGS}})
    if rows == "people":
        return _people(where, wanted, span)
    if span is None:  # rows are purged, figures stay
        return None
    if rows == "attempts":
        wanted["step"] = list(STAGES[STAGES.index(where.get("reached", STAGES[0])) :])
    return _sum(DailyFigure.objects.filter(kind=rows, day__range=span), wanted)


def _people(where: Mapping[str, str], wanted: dict[str, list[str]], span: tuple[date, date] | None) -> int | None:
    if any(where.get(name, value) != value for name, value in FLAGS.items()):
        return None
    if span is None:
        if reasons := wanted.pop("reason", None):
            wanted["last_error"] = reasons
        figures = PeopleFigure.objects.all()
        return _sum(figures.filter(**{name: True for name in FLAGS if name in where}), wanted)
    if wanted.pop("status", None) != [Status.MIGRATED] or not where.keys() <= {
        "days",
        "status",
        "method",
        "connection",
    }:
        return None
    if methods := wanted.pop("method", None):
        wanted["route"] = methods
    return _sum(DailyFigure.objects.filter(kind=DailyFigure.Kind.PEOPLE, day__range=span), wanted)


def _sum(figures: QuerySet[Any], wanted: Mapping[str, list[str]]) -> int:
    found = figures.filter(**{f"{name}__in": values for name, values in wanted.items()})
    return int(found.aggregate(sum=Sum("count"))["sum"] or 0)

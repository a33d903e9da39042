"""The roll-up: counts the migration's progress ahead of time, so that no page has to count.

It counts in the source tables first, without a lock, and then writes in one short transaction; the newest count wins.
People are counted anew each time. Events and attempts of past days are not counted again, except for the last day
(`MARGIN`), which finds rows that were committed late. Days of which the purge has deleted rows keep their figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import models, router, transaction
from django.utils import timezone

from ...models import DailyFigure, PeopleFigure, Progress
from . import forecast, queries
from .queries import Daily, Kind, People, Tally, day_of, start_of

# "Active" people have signed in within this time.
ACTIVE = timedelta(days=30)
# An event is written with the time at which its request or task began. None of them lasts for a day.
MARGIN = timedelta(days=1)
BATCH = 500  # rows of one statement
PEOPLE = tuple(People.__annotations__)
DAILY = tuple(Daily.__annotations__)


def roll_up(now: datetime, *, anew: bool = False) -> Progress:
    """Counts, and stores the figures as of ``now``. With ``anew``, past days are counted again, as far as their rows
    are still there. May run at any time, twice, and several times at once."""
    known = Progress.objects.filter(pk=1).first() or Progress()
    since = None if anew or known.as_of is None or known.time_zone != _zone() else day_of(known.as_of - MARGIN)
    active_since = now - ACTIVE
    queries.see_returning(max(start_of(since), active_since) if since else active_since, now)
    tally = queries.people(active_since)
    events = queries.events(_open(since, known.events_kept_since), now)
    attempts = queries.attempts(_open(since, known.attempts_kept_since), now)
    forecasts = forecast.of_everybody(tally, now)
    with transaction.atomic(using=router.db_for_write(Progress)):
        progress = locked()
        if progress.as_of and progress.as_of > now:
            return progress  # a later count has been faster
        _replace(PeopleFigure, PeopleFigure.objects.all(), _people(tally))
        _replace(DailyFigure, DailyFigure.objects.filter(kind=Kind.PEOPLE), _daily(tally.daily))
        _keep_days(Kind.EVENTS, events, _open(since, progress.events_kept_since))
        _keep_days(Kind.ATTEMPTS, attempts, _open(since, progress.attempts_kept_since))
        progress.as_of, progress.active_since, progress.time_zone = now, active_since, _zone()
        progress.forecasts = forecasts
        progress.save()
    return progress


def locked() -> Progress:
    """The one row, locked until the transaction ends. The insert comes first, so that SQLite takes its write lock."""
    rows = Progress.objects.using(router.db_for_write(Progress))
    rows.bulk_create([Progress(pk=1)], ignore_conflicts=True)
    return rows.select_for_update().get(pk=1)


def before_purge(now: datetime, *, events: datetime, attempts: datetime) -> None:
    """Counts once more before rows older than these moments are deleted; figures of their days stay from then on."""
    roll_up(now)
    with transaction.atomic(using=router.db_for_write(Progress)):
        progress = locked()
        progress.events_kept_since = max(filter(None, [progress.events_kept_since, events]))
        progress.attempts_kept_since = max(filter(None, [progress.attempts_kept_since, attempts]))
        progress.save(update_fields=["events_kept_since", "attempts_kept_since"])


@dataclass(frozen=True, slots=True)
class Drift:
    """A figure that differs from its table. People change all the time, and rows of the last day may have been
    committed since the roll-up; only a difference in ``settled`` figures is a fault."""

    key: Mapping[str, Any]
    kept: int
    counted: int
    settled: bool


def check() -> list[Drift]:
    """Counts everything again, as far as the rows are still there, and compares. Reads only."""
    progress = Progress.objects.filter(pk=1).first()
    if progress is None or progress.as_of is None or progress.active_since is None:
        return []
    tally = queries.people(progress.active_since)
    found = _compare(PeopleFigure.objects.all(), _people(tally))
    found += _compare(DailyFigure.objects.filter(kind=Kind.PEOPLE), _daily(tally.daily))
    for kind, count, kept_since in (
        (Kind.EVENTS, queries.events, progress.events_kept_since),
        (Kind.ATTEMPTS, queries.attempts, progress.attempts_kept_since),
    ):
        first = _open(None, kept_since)
        settled = day_of(progress.as_of - MARGIN)
        found += _compare(_days(kind, first), _daily(count(first, progress.as_of)), settled_before=settled)
    return found


def _zone() -> str:
    return timezone.get_default_timezone_name()


def _open(since: date | None, kept_since: datetime | None) -> date | None:
    """The first day that can be counted: the day after the purge's, or ``since``."""
    whole = day_of(kept_since) + timedelta(days=1) if kept_since else None
    return max(filter(None, [since, whole]), default=None)


def _days(kind: str, first: date | None) -> models.QuerySet[DailyFigure]:
    rows = DailyFigure.objects.filter(kind=kind)
    return rows.filter(day__gte=first) if first else rows


def _keep_days(kind: str, counted: Mapping[Daily, tuple[int, int]], first: date | None) -> None:
    fitting = {key: value for key, value in counted.items() if first is None or key.day >= first}
    _replace(DailyFigure, _days(kind, first), _daily(fitting))


Figures = dict[tuple[Any, ...], tuple[int, ...]]


def _people(tally: Tally) -> Figures:
    return {tuple(key): (count,) for key, count in tally.people.items()}


def _daily(counted: Mapping[Daily, tuple[int, int]]) -> Figures:
    return {tuple(key): value for key, value in counted.items()}


def _names(model: type[models.Model]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (PEOPLE, ("count",)) if model is PeopleFigure else (DAILY, ("count", "total_ms"))


def _kept(rows: models.QuerySet[Any]) -> dict[tuple[Any, ...], tuple[int, tuple[int, ...]]]:
    names, values = _names(rows.model)
    found = rows.values_list("pk", *names, *values)
    return {row[1 : len(names) + 1]: (row[0], row[len(names) + 1 :]) for row in found}


def _replace(model: type[Any], rows: models.QuerySet[Any], figures: Figures) -> None:
    """Writes only what has changed: most days are as they were."""
    names, values = _names(model)
    kept = _kept(rows)
    over = [pk for key, (pk, value) in kept.items() if figures.get(key) != value]
    new = {key: value for key, value in figures.items() if key not in kept or kept[key][1] != value}
    for start in range(0, len(over), BATCH):
        model._default_manager.filter(pk__in=over[start : start + BATCH]).delete()
    model._default_manager.bulk_create(
        (model(**dict(zip((*names, *values), (*key, *value), strict=True))) for key, value in new.items()),
        batch_size=BATCH,
    )


def _compare(rows: models.QuerySet[Any], figures: Figures, *, settled_before: date = date.min) -> list[Drift]:
    names, _ = _names(rows.model)
    kept = {key: value for key, (_, value) in _kept(rows).items()}
    drifts = []
    for key in sorted({*kept, *figures}, key=lambda key: list(map(str, key))):
        if kept.get(key) != figures.get(key):
            named = dict(zip(names, key, strict=True))
            settled = named.get("day", date.max) < settled_before
            drifts.append(Drift(named, kept.get(key, (0,))[0], figures.get(key, (0,))[0], settled))
    return drifts

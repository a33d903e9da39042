"""The figures as rows of a table."""

from collections.abc import Iterator

from ..flows.lifecycle import export
from ..flows.progress.types import Figures

Cell = str | int | float


def inert(cell: Cell) -> Cell:
    """A cell that no spreadsheet runs; numbers stay numbers."""
    return export.inert(cell) if isinstance(cell, str) else cell


def rows_of(figures: Figures) -> Iterator[list[Cell]]:
    """A heading, and a row for each figure: what it is of, of which one, its value, and the whole of which it is."""
    for row in [("figure", "name", "value", "of"), *_figures(figures)]:
        yield [inert(cell) for cell in row]


def _figures(figures: Figures) -> Iterator[tuple[Cell, ...]]:
    yield "as of", "", figures.as_of.isoformat() if figures.as_of else "", ""
    yield "connection", "", figures.connection, ""
    yield "migrated", "", figures.migrated.part.value, figures.migrated.whole.value
    yield f"migrated of seen in {figures.active_days} days", "", figures.active.part.value, figures.active.whole.value
    yield "migrated, Django user deleted", "", figures.deleted.value, figures.migrated.part.value
    yield "migrated a day", "", figures.rate, ""
    for kind, named in (("status", figures.statuses), ("method", figures.methods), ("waiting", figures.reasons)):
        for each in named:
            yield kind, each.name, each.number.value, ""
    for kind, groups in (("connection", figures.connections), ("cohort", figures.cohorts)):
        for group in groups:
            yield kind, group.label, group.migrated.part.value, group.migrated.whole.value
    yield from _lately(figures)
    for day in figures.days:
        yield "migrated on", day.day.isoformat(), day.migrated.value, ""
    for target in figures.forecast.targets:
        name = f"{target.percent} %"
        for kind, on in (("likely", target.likely), ("earliest", target.earliest), ("latest", target.latest)):
            yield f"forecast, {kind}", name, on.isoformat() if on else "", ""


def _lately(figures: Figures) -> Iterator[tuple[Cell, ...]]:
    days = f"in {figures.recent_days} days"
    for stage in figures.funnel:
        yield f"sign-ins {days}", stage.name, stage.attempts.value, figures.funnel[0].attempts.value
    for each in figures.failures:
        yield f"failures {days}", f"{each.step} {each.outcome} {each.cause}", each.events.value, ""
    for pool in figures.pools:
        yield f"pool errors {days}", pool.label, pool.errors.value, pool.calls.value
        yield f"pool, half within ms, {days}", pool.label, pool.median_ms or "", ""
        yield f"pool, 95 % within ms, {days}", pool.label, pool.p95_ms or "", ""
        yield f"sign-ins still in the pool {days}", pool.label, pool.still_there.value, ""
    for budget in figures.budgets:
        yield "budget", f"{budget.name} {budget.key}".strip(), budget.used.value, budget.limit

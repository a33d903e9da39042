"""Compares the rows of a page with the database and with each other. Writes nothing."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import router

from ...models import Erasure, ImportProblem, ImportRun, MigratedUser
from ..accounts import tombstones
from . import postgres
from .rows import InvalidRow, Row
from .sources import Page

Reason = ImportProblem.Reason


@dataclass(slots=True)
class PageDiff:
    """The usable rows of a page by what the writer has to do with them, and the unusable ones in ``problems``."""

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)  # by primary key
    erased: int = 0  # rows of people who have been erased
    problems: list[tuple[int, InvalidRow]] = field(default_factory=list)
    # Rows whose person an earlier page of this run had, too: the later row counts, and is a problem already.
    seen_again: list[Row] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)

    def refuse(self, row: Row) -> None:
        """Makes a row that the database does not take a problem."""
        for rows in (self.new, self.changed, self.seen_again):
            if row in rows:
                rows.remove(row)
        self.problems.append((self.positions[row.sub], InvalidRow(Reason.REFUSED, row.sub)))

    def leave_out(self, subs: Collection[str]) -> None:
        """Drops people who have been erased: nothing is kept of them, not even a problem, which would name the sub."""
        lists: tuple[list[Any], ...] = (self.new, self.changed, self.problems)
        before = sum(map(len, lists))
        for rows in (self.new, self.changed, self.seen_again):
            rows[:] = [row for row in rows if row.sub not in subs]
        self.problems[:] = [(position, invalid) for position, invalid in self.problems if invalid.sub not in subs]
        self.erased += before - sum(map(len, lists))


def diff_page(page: Page, run: ImportRun, pool: str) -> PageDiff:
    """Compares a page with the database, in three statements at most. ``run`` knows the position of the page's first
    row, and which rows it has written."""
    diff = PageDiff()
    latest: dict[str, Row] = {}
    for position, row in enumerate(page.rows, start=run.position + 1):
        if isinstance(row, InvalidRow):
            diff.problems.append((position, row))
            continue
        if row.sub in latest:
            diff.problems.append((position, InvalidRow(Reason.DUPLICATE, row.sub)))
        latest[row.sub], diff.positions[row.sub] = row, position
    if not latest:
        return diff
    known = _known(pool, list(latest))
    for sub, row in latest.items():
        if sub not in known:
            diff.new.append(row)
            continue
        digest, written_by, pk = known[sub]
        if written_by == run.pk:
            diff.problems.append((diff.positions[sub], InvalidRow(Reason.DUPLICATE, sub)))
            if digest != row.digest:
                diff.seen_again.append(row)
        elif digest != row.digest:
            diff.changed.append(row)
        else:
            diff.unchanged.append(pk)
    subs = {row.sub for row in diff.new} | {invalid.sub for _, invalid in diff.problems}
    diff.leave_out(erased_among(subs - {""}, pool))
    return diff


def erased_among(subs: Collection[str], pool: str) -> Collection[str]:
    """Those of these people who have been erased. One statement if there is no erasure at all."""
    return tombstones.erased_among(pool, subs) if Erasure.objects.exists() else ()


def _known(pool: str, subs: list[str]) -> dict[str, tuple[str, int | None, int]]:
    columns, using = ("sub", "digest", "import_run", "id"), router.db_for_write(MigratedUser)
    rows: Iterable[Any]
    if postgres.available(using):
        rows = postgres.select(MigratedUser, columns, pool, subs, using=using)
    else:
        rows = MigratedUser.objects.using(using).filter(pool=pool, sub__in=subs).values_list(*columns)
    return {row[0]: row[1:] for row in rows}

"""What has to be done with the rows of a page: compared with what is there, and with each other. Writes nothing."""

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
    """The usable rows of a page by what has to be done with them; the others are in ``problems``."""

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)  # by primary key
    erased: int = 0  # rows of people who have been erased
    problems: list[tuple[int, InvalidRow]] = field(default_factory=list)
    # Rows that an earlier page of this walk had too: what they say now counts, and they are problems already.
    seen_again: list[Row] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)

    def refuse(self, row: Row) -> None:
        """The database takes this row in no form."""
        for rows in (self.new, self.changed, self.seen_again):
            if row in rows:
                rows.remove(row)
        self.problems.append((self.positions[row.sub], InvalidRow(Reason.REFUSED, row.sub)))

    def leave_out(self, subs: Collection[str]) -> None:
        """These people have been erased: nothing is kept of them, not even a problem, for it names its sub."""
        before = self._counted()
        for rows in (self.new, self.changed, self.seen_again):
            rows[:] = [row for row in rows if row.sub not in subs]
        self.problems = [(position, broken) for position, broken in self.problems if broken.sub not in subs]
        self.erased += before - self._counted()

    def _counted(self) -> int:
        return len(self.new) + len(self.changed) + len(self.problems)


def diff_page(page: Page, run: ImportRun, pool: str) -> PageDiff:
    """Three statements at most. ``run`` says at which row of the walk the page begins, and which rows it wrote."""
    found = PageDiff()
    latest: dict[str, Row] = {}
    for position, row in enumerate(page.rows, start=run.position + 1):
        if isinstance(row, InvalidRow):
            found.problems.append((position, row))
            continue
        if row.sub in latest:
            found.problems.append((position, InvalidRow(Reason.DUPLICATE, row.sub)))
        latest[row.sub], found.positions[row.sub] = row, position
    if not latest:
        return found
    known = _known(pool, list(latest))
    for sub, row in latest.items():
        if sub not in known:
            found.new.append(row)
            continue
        digest, written_by, pk = known[sub]
        if written_by == run.pk:
            found.problems.append((found.positions[sub], InvalidRow(Reason.DUPLICATE, sub)))
            if digest != row.digest:
                found.seen_again.append(row)
        elif digest != row.digest:
            found.changed.append(row)
        else:
            found.unchanged.append(pk)
    named = {broken.sub for _, broken in found.problems}
    found.leave_out(erased_among({row.sub for row in found.new} | named - {""}, pool))
    return found


def erased_among(subs: Collection[str], pool: str) -> Collection[str]:
    """Those who have been erased. One statement where nobody ever was."""
    return tombstones.erased_subs(pool, subs) if Erasure.objects.exists() else ()


def _known(pool: str, subs: list[str]) -> dict[str, tuple[str, int | None, int]]:
    wanted, using = ("sub", "digest", "import_run", "id"), router.db_for_write(MigratedUser)
    rows: Iterable[Any]
    if postgres.available(using):
        rows = postgres.select(MigratedUser, wanted, pool, subs, using=using)
    else:
        rows = MigratedUser.objects.using(using).filter(pool=pool, sub__in=subs).values_list(*wanted)
    return {row[0]: row[1:] for row in rows}

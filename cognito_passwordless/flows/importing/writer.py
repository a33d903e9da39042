"""Writes pages into `MigratedUser`: a page's rows, its problems and the run's position in one transaction.

Writing a page twice gives the same result as writing it once, and a process that dies leaves the whole page or nothing
of it (law 9). Only facts of the directory are overwritten, never how far a person's migration is.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db import DataError, IntegrityError, OperationalError, connections, router, transaction
from django.db.models import DateTimeField

from ...models import ImportProblem, ImportRun, MigratedUser, SeenPeople
from ..accounts import locking
from . import postgres, run_lease
from .diff import PageDiff, diff_page, erased_among
from .rows import FACTS, MFA, Row, completed, moment
from .sources import Page

logger = logging.getLogger(__name__)
Status = MigratedUser.Status
T = TypeVar("T")
WRITES: Final = 3  # tries of one transaction
BATCH: Final = 500  # rows of one statement

# The columns of `_Writer._values`; those of `_Writer._same` have one value for all rows of a page.
FILLED: Final = ("sub", *FACTS, "status", "last_error")
UPDATED: Final = (*FACTS, "connection", "imported_at", "import_run")
_ATTRIBUTES: Final = FILLED.index("attributes")
_MOMENTS: Final = [
    place for place, name in enumerate(FILLED) if isinstance(MigratedUser._meta.get_field(name), DateTimeField)
]


def import_page(run: ImportRun, page: Page, *, pool: str, now: datetime) -> None:
    """Writes one page. Raises `run_lease.Lost` if the run belongs to another process, or is at another row."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        run_lease.hold(run, now=now)
        diff = diff_page(page, run, pool)
        _Writer(run, pool, now, page).store(diff)
        # People who were erased after the diff and before the write have rows again. From here on an erasure waits,
        # because this transaction holds the row.
        written = {row.sub for row in (*diff.new, *diff.changed, *diff.seen_again)}
        if written and (subs := erased_among(written, pool)):
            MigratedUser.objects.filter(pool=pool, sub__in=subs).delete()
            diff.leave_out(subs)
        if diff.changed:
            people = MigratedUser.objects.filter(pool=pool, sub__in=[row.sub for row in diff.changed])
            people.filter(status=Status.GONE).update(status=Status.PENDING)
        if diff.unchanged:
            SeenPeople.objects.create(run_id=run.pk, people=" ".join(map(str, diff.unchanged)))
        ImportProblem.objects.bulk_create(
            [
                ImportProblem(
                    run_id=run.pk,
                    position=position,
                    sub=row.sub,
                    reason=row.reason,
                    detail=page.detail_of(position - run.position - 1, row),
                )
                for position, row in diff.problems
            ],
            ignore_conflicts=True,
        )
        run_lease.advance(
            run,
            page.following or "",
            seen=len(page.rows),
            created=len(diff.new),
            updated=len(diff.changed),
            unchanged=len(diff.unchanged),
            skipped=len(diff.problems) + diff.erased,
            problems=len(diff.problems),
        )


def write_again(write: Callable[[], T], run: ImportRun) -> T:
    """Calls ``write``, and again after an `OperationalError`, `WRITES` times in all: a deadlock with a sign-in, a
    SQLite that is busy, or a connection that was lost."""
    connection = connections[router.db_for_write(MigratedUser)]

    def prepare(tries: int) -> None:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        logger.warning("Run %s writes again what comes after row %d", run.pk, run.position)

    return locking.retrying(WRITES, on=OperationalError, before_retry=prepare)(write)()


class _Writer:
    """Writes the rows of one page."""

    def __init__(self, run: ImportRun, pool: str, now: datetime, page: Page) -> None:
        self._pool = pool
        self._updated = [name for name in UPDATED if name not in page.silent]
        self._same = {"connection": run.connection, "pool": pool, "imported_at": now, "import_run_id": run.pk}
        self._using = router.db_for_write(MigratedUser)
        self._columns = page.columns
        self._stored: dict[str, MigratedUser] = {}
        self._has_factor: frozenset[str] = frozenset()

    def store(self, diff: PageDiff) -> None:
        """Rows that the database does not take become problems."""
        changed = [*diff.changed, *diff.seen_again]
        # Second factors that an earlier source named and this one does not mention stay known: they decide whether
        # our code alone is enough.
        unmentioned = [row.sub for row in changed if MFA not in row.attributes]
        people = MigratedUser.objects.using(self._using).filter(pool=self._pool, sub__in=unmentioned)
        self._has_factor = frozenset(people.filter(**{f"attributes__{MFA}": "true"}).values_list("sub", flat=True))
        if self._columns is not None:
            people = MigratedUser.objects.using(self._using).filter(pool=self._pool)
            self._stored = {person.sub: person for person in people.filter(sub__in=[row.sub for row in changed])}
        # COPY fails if one of the new people has just signed in; the upsert, if a value fits no column.
        for by_copy in (True, False) if postgres.available(self._using) else (False,):
            try:
                with transaction.atomic(using=self._using):
                    if by_copy and diff.new:
                        rows = map(self._values, diff.new)
                        postgres.insert(MigratedUser, FILLED, rows, constants=self._same, using=self._using)
                    self._upsert(changed if by_copy else [*diff.new, *changed])
            except (DataError, IntegrityError):
                continue
            return
        for row in [*diff.new, *changed]:
            try:
                with transaction.atomic(using=self._using):
                    self._upsert([row])
            except (DataError, IntegrityError):
                diff.refuse(row)

    def _upsert(self, rows: Sequence[Row]) -> None:
        MigratedUser.objects.bulk_create(
            [MigratedUser(**self._same, **dict(zip(FILLED, self._values(row), strict=True))) for row in rows],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["pool", "sub"],
            update_fields=self._updated,
        )

    def _values(self, row: Row) -> tuple[Any, ...]:
        """In the order of `FILLED`."""
        row = completed(row, self._columns, self._stored.get(row.sub))
        values: list[Any] = [*row, Status.PENDING.value, ""]
        if row.sub in self._has_factor:
            values[_ATTRIBUTES] = {**row.attributes, MFA: "true"}
        for place in _MOMENTS:
            values[place] = moment(values[place])
        return tuple(values)

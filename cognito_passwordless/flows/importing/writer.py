"""Pages into `MigratedUser`: a page's rows, its problems and the run's position in one transaction.

A page may be written twice and the result is as if it were written once; whatever dies, dies before or after (law 9).
Only facts of the directory are written over; how far somebody has come is not the directory's business.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db import DataError, IntegrityError, OperationalError, connections, router, transaction

from ...models import ImportProblem, ImportRun, MigratedUser, SeenPeople
from . import postgres, run_lease
from .diff import PageDiff, diff_page, erased_among
from .rows import MFA, Row, moment
from .sources import Page

logger = logging.getLogger(__name__)
Status = MigratedUser.Status
T = TypeVar("T")
WRITES: Final = 3  # tries of one transaction
BATCH: Final = 500  # rows of one statement

# The columns that an import fills. The directory knows these better than we do.
FACTS: Final = (
    "username",
    "email",
    "phone_number",
    "email_key",
    "phone_key",
    "attributes",
    "pool_status",
    "pool_enabled",
    "pool_created_at",
    "pool_modified_at",
    "digest",
)
# In the order of `_values`; the others are the same for all rows of a page.
FILLED: Final = (*FACTS, "sub", "status", "last_error")
UPDATED: Final = (*FACTS, "connection", "imported_at", "import_run")


def import_page(run: ImportRun, page: Page, *, pool: str, now: datetime) -> None:
    """Writes one page. Raises `run_lease.Lost` when the run is not ours, or is not where the page begins."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        run_lease.hold(run, now=now)
        found = diff_page(page, run, pool)
        _Writer(run, pool, now, page.silent).store(found)
        _forget_the_erased(found, pool)
        if found.changed:
            written = MigratedUser.objects.filter(pool=pool, sub__in=[row.sub for row in found.changed])
            written.filter(status=Status.GONE).update(status=Status.PENDING)
        if found.unchanged:
            SeenPeople.objects.create(run_id=run.pk, people=" ".join(map(str, found.unchanged)))
        ImportProblem.objects.bulk_create(
            [
                ImportProblem(run_id=run.pk, position=position, sub=row.sub, reason=row.reason, detail=row.detail)
                for position, row in found.problems
            ],
            ignore_conflicts=True,
        )
        run_lease.advance(
            run,
            page.following or "",
            seen=len(page.rows),
            created=len(found.new),
            updated=len(found.changed),
            unchanged=len(found.unchanged),
            skipped=len(found.problems) + found.erased,
            problems=len(found.problems),
        )


def write_again(write: Callable[[], T], run: ImportRun) -> T:
    """Calls ``write``, and again after an `OperationalError`, `WRITES` times in all: a deadlock with a sign-in, a
    SQLite that is busy, or a connection that was lost."""
    connection = connections[router.db_for_write(MigratedUser)]
    for _ in range(WRITES - 1):
        try:
            return write()
        except OperationalError:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            logger.warning("Run %s writes again what comes after row %d", run.pk, run.position)
    return write()


def _forget_the_erased(found: PageDiff, pool: str) -> None:
    """Somebody who was erased after the look at their row, and before it was written, is back by now. From here on an
    erasure waits for us, because we hold the row."""
    written = {row.sub for row in (*found.new, *found.changed, *found.seen_again)}
    if written and (subs := erased_among(written, pool)):
        MigratedUser.objects.filter(pool=pool, sub__in=subs).delete()
        found.leave_out(subs)


class _Writer:
    """Writes the rows of one page."""

    def __init__(self, run: ImportRun, pool: str, now: datetime, silent: Collection[str]) -> None:
        self._pool = pool
        self._updated = [name for name in UPDATED if name not in silent]
        self._with_factor: frozenset[str] = frozenset()
        self._same = {"connection": run.connection, "pool": pool, "imported_at": now, "import_run_id": run.pk}
        self._using = router.db_for_write(MigratedUser)

    def store(self, found: PageDiff) -> None:
        """What the database would not take becomes a problem."""
        changed = [*found.changed, *found.seen_again]
        self._with_factor = self._known_factors(changed)
        for attempt in (self._by_copy, self._by_upsert):
            try:
                with transaction.atomic(using=self._using):
                    attempt(found.new, changed)
            except (DataError, IntegrityError):
                continue  # somebody signed in for the first time just now, or a value that no database takes
            else:
                return
        self._one_by_one(found)

    def _by_copy(self, new: list[Row], changed: list[Row]) -> None:
        if not postgres.available(self._using):
            self._by_upsert(new, changed)
            return
        if new:
            rows = map(self._values, new)
            postgres.insert(MigratedUser, FILLED, rows, constants=self._same, using=self._using)
        self._by_upsert([], changed)

    def _by_upsert(self, new: list[Row], changed: list[Row]) -> None:
        if not new and not changed:
            return
        MigratedUser.objects.bulk_create(
            [MigratedUser(**self._named(row)) for row in (*new, *changed)],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["pool", "sub"],
            update_fields=self._updated,
        )

    def _known_factors(self, changed: Sequence[Row]) -> frozenset[str]:
        """Whose second factor an earlier source told of, and this one says nothing about: it stays known, for it
        decides whether our code alone would be enough."""
        asked = [row.sub for row in changed if MFA not in row.attributes]
        if not asked:
            return frozenset()
        people = MigratedUser.objects.using(self._using).filter(pool=self._pool, sub__in=asked)
        return frozenset(people.filter(**{f"attributes__{MFA}": "true"}).values_list("sub", flat=True))

    def _one_by_one(self, found: PageDiff) -> None:
        for rows, are_new in ((found.new, True), ([*found.changed, *found.seen_again], False)):
            for row in list(rows):
                try:
                    with transaction.atomic(using=self._using):
                        self._by_upsert([row] if are_new else [], [] if are_new else [row])
                except (DataError, IntegrityError):
                    found.refuse(row)

    def _values(self, row: Row) -> tuple[Any, ...]:
        return (
            row.username,
            row.email,
            row.phone_number,
            row.email_key,
            row.phone_key,
            {**row.attributes, MFA: "true"} if row.sub in self._with_factor else row.attributes,
            row.pool_status,
            row.pool_enabled,
            moment(row.created_at),
            moment(row.modified_at),
            row.digest,
            row.sub,
            Status.PENDING.value,
            "",
        )

    def _named(self, row: Row) -> dict[str, Any]:
        return {**self._same, **dict(zip(FILLED, self._values(row), strict=True))}

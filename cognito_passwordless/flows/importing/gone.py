"""Who is in the pool no more: of the people who wait, those whom an import of the whole pool has not seen at its end.

Whoever has come over is Django's, and stays as they are. In doubt nobody is marked, and the run says why: after a
cut-over, somebody who is marked by mistake cannot come in.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import router, transaction
from django.db.models import F, QuerySet

from ...models import ImportRun, MigratedUser
from ..accounts.decisions import LET_IN
from . import run_lease

logger = logging.getLogger(__name__)
Status = MigratedUser.Status
WAITING: Final = (Status.PENDING, Status.CONFLICT, Status.FAILED)
# So few may always be gone; of more, so many per cent of those who wait, unless somebody says otherwise.
FEW: Final = 100
LIMIT: Final = 20
BATCH: Final = 500


def expected(pool: str) -> "QuerySet[MigratedUser]":
    """Whom an import of the whole pool should see: who waits and was seen there before. What a human said of somebody
    holds, whatever an import sees."""
    rows = MigratedUser.objects.filter(pool=pool, status__in=WAITING, imported_at__isnull=False)
    return rows.exclude(last_error=LET_IN)


def obstacle(missing: int, of: int, *, unreadable: bool, limit: int) -> str:
    """Why nobody is marked, although some were not seen; else empty."""
    if missing and unreadable:
        return "Nobody is marked as gone: there are rows whose sub cannot be read, and they may be anybody's"
    if missing > FEW and missing * 100 > of * limit:
        told = f"{missing:,} of {of:,} people who wait were not seen"
        return f"Nobody is marked as gone: {told}. If they are gone: --restart --gone-limit 100"
    return ""


def mark(run: ImportRun, pool: str, *, limit: int, clock: Callable[[], datetime]) -> str:
    """Marks whom the run did not see, a batch at a time, and counts them; or says why it marks nobody."""
    missing, complete = _unseen(run, pool)
    # Of those who are new since, nothing could have been missing.
    of = max(len(missing), expected(pool).count() - run.created)
    unreadable = run.problem_rows.filter(sub="").exists()
    why = obstacle(len(missing), of, unreadable=unreadable, limit=limit)
    if missing and not complete:
        why = "Nobody is marked as gone: who was seen is not known in full any more. Import again, with --restart"
    if why:
        logger.warning("Import %s: %s", run.pk, why)
        return why
    for start in range(0, len(missing), BATCH):
        with transaction.atomic(using=router.db_for_write(MigratedUser)):
            run_lease.hold(run, now=clock())
            rows = _left(run, pool).filter(pk__in=missing[start : start + BATCH])
            # Without its digest, the row is news to the next import that sees it.
            marked = rows.update(status=Status.GONE, last_error="", digest="")
            ImportRun.objects.filter(pk=run.pk).update(gone=F("gone") + marked)
        run.gone += marked
    return ""


def _left(run: ImportRun, pool: str) -> "QuerySet[MigratedUser]":
    """Of these, whom neither this run nor anybody else has written or seen since it began."""
    rows = expected(pool).filter(imported_at__lt=run.started_at).exclude(import_run=run.pk)
    return rows.exclude(active_at__gte=run.started_at)


def _unseen(run: ImportRun, pool: str) -> tuple[list[int], bool]:
    """By primary key; and whether the run still knows everybody whom it saw."""
    seen, count = set[int](), 0
    for people in run.seen_people.values_list("people", flat=True).iterator():
        keys = people.split()
        count += len(keys)
        seen.update(map(int, keys))
    named = set(run.problem_rows.values_list("sub", flat=True))
    rows = _left(run, pool).values_list("pk", "sub").iterator()
    return [pk for pk, sub in rows if pk not in seen and sub not in named], count == run.unchanged

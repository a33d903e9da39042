"""Marks pending people as gone whom an import of the whole pool did not see.

People who have been migrated stay as they are. In doubt nobody is marked, and the run says why: after a cut-over, a
person who is marked by mistake cannot sign in.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from operator import itemgetter
from typing import Final

from django.db import router, transaction
from django.db.models import F, QuerySet

from ...models import ImportRun, MigratedUser, in_pages
from ..accounts.decisions import LET_IN
from . import run_lease

logger = logging.getLogger(__name__)
Status = MigratedUser.Status
WAITING: Final = (Status.PENDING, Status.CONFLICT, Status.FAILED)
# Up to `FEW` people are always marked; more only up to `LIMIT` per cent of the pending, unless a limit is given.
FEW: Final = 100
LIMIT: Final = 20
BATCH: Final = 500


def expected(pool: str) -> "QuerySet[MigratedUser]":
    """Whom an import of the whole pool should see: pending people whom an earlier import saw. An operator's decision
    to let a person in holds, whatever an import sees."""
    rows = MigratedUser.objects.filter(pool=pool, status__in=WAITING, imported_at__isnull=False)
    return rows.exclude(last_error=LET_IN)


def obstacle(missing: int, of: int, *, unreadable: bool, limit: int) -> str:
    """Why nobody may be marked, although ``missing`` people were not seen; empty if they may."""
    if missing and unreadable:
        return "Nobody is marked as gone: there are rows whose sub cannot be read, and they may be anybody's"
    if missing > FEW and missing * 100 > of * limit:
        unseen = f"{missing:,} of {of:,} people who wait were not seen"
        return f"Nobody is marked as gone: {unseen}. If they are gone: --restart --gone-limit 100"
    return ""


def mark(run: ImportRun, pool: str, *, limit: int, clock: Callable[[], datetime]) -> str:
    """Marks the people whom the run did not see, in batches, and counts them. Returns why it marked nobody, or ""."""
    # Neither written nor seen by this run or anybody else since it began.
    rows = expected(pool).filter(imported_at__lt=run.started_at).exclude(import_run=run.pk)
    rows = rows.exclude(active_at__gte=run.started_at)
    seen, count = set[int](), 0
    for _pk, people in in_pages(run.seen_people.values_list("pk", "people"), itemgetter(0)):
        keys = people.split()
        count += len(keys)
        seen.update(map(int, keys))
    with_problem = set(run.problem_rows.values_list("sub", flat=True))
    unseen = in_pages(rows.values_list("pk", "sub"), itemgetter(0))
    missing = [pk for pk, sub in unseen if pk not in seen and sub not in with_problem]
    # People who are new in this run could not be missing.
    of = max(len(missing), expected(pool).count() - run.created)
    why_not = obstacle(len(missing), of, unreadable="" in with_problem, limit=limit)
    if missing and count != run.unchanged:
        why_not = "Nobody is marked as gone: who was seen is not known in full any more. Import again, with --restart"
    if why_not:
        logger.warning("Import %s: %s", run.pk, why_not)
        return why_not
    for start in range(0, len(missing), BATCH):
        with transaction.atomic(using=router.db_for_write(MigratedUser)):
            run_lease.hold(run, now=clock())
            # Without its digest, the row counts as changed when a later import sees it.
            gone = rows.filter(pk__in=missing[start : start + BATCH])
            marked = gone.update(status=Status.GONE, last_error="", digest="")
            ImportRun.objects.filter(pk=run.pk).update(gone=F("gone") + marked)
        run.gone += marked
    return ""

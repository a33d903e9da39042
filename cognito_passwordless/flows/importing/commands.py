"""What the command and the task call: claim a run, and walk."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from ...cognito import Connection, TokenRefused, estimate_users
from ...models import ImportRun
from . import gone, run_lease
from .csv_source import CsvSource
from .dry_run import Preview, preview
from .pipeline import Walk
from .sources import PAGES, QUOTA, PoolSource

Clock = Callable[[], datetime]
Tell = Callable[[ImportRun], None]


def import_directory(
    connection: Connection,
    *,
    stop: threading.Event,
    fresh: bool | None = None,
    rate: float = QUOTA,
    pages: int = PAGES,
    gone_limit: int = gone.LIMIT,
    clock: Clock = timezone.now,
    tell: Tell = lambda run: None,
) -> ImportRun:
    """Imports a pool, or goes on where an earlier import of it ended (``fresh`` False: only that; True: never).

    ``stop`` ends it after the page at hand. Whom it did not see is marked as gone, unless that were more than
    ``gone_limit`` per cent of those who wait. Returns the run; its state says how far it came. Raises `runs.Busy`,
    `runs.NothingToContinue` and `runs.Lost`.
    """
    run = _claim_pool(connection, fresh, clock)
    tell(run)
    source = PoolSource(connection, stop=stop, rate=rate, pages=pages)
    pool = connection.pool
    walk = Walk(run=run, source=source, pool=pool, clock=clock, stop=stop, tell=tell, gone_limit=gone_limit)
    try:
        walk.go()
    except TokenRefused:
        # Too old, perhaps. Rows may be read twice: from the start, with a record of its own.
        walk = replace(walk, run=_claim_pool(connection, True, clock))
        walk.go()
    return walk.run


def import_csv(
    connection: Connection,
    path: Path,
    *,
    stop: threading.Event,
    fresh: bool | None = None,
    gone_limit: int | None = None,
    clock: Clock = timezone.now,
    tell: Tell = lambda run: None,
) -> ImportRun:
    """The same from a file, which has everybody of the pool where there is a ``gone_limit``. Raises `OSError` and
    `csv_file.NotACsv`, too."""
    source = CsvSource(connection, path)
    run = run_lease.claim(
        connection.alias,
        ImportRun.Source.CSV,
        now=clock(),
        fingerprint=source.fingerprint,
        fresh=fresh,
        expected=source.estimate,
    )
    tell(run)
    pool = connection.pool
    Walk(run=run, source=source, pool=pool, clock=clock, stop=stop, tell=tell, gone_limit=gone_limit).go()
    return run


def preview_directory(
    connection: Connection,
    *,
    stop: threading.Event,
    rate: float = QUOTA,
    pages: int = PAGES,
    gone_limit: int = gone.LIMIT,
    tell: Callable[[int], None] = lambda seen: None,
) -> Preview:
    """What `import_directory` would do, and what would become of the people. Writes nothing, and claims no run.

    Raises `CognitoError`.
    """
    source = PoolSource(connection, stop=stop, rate=rate, pages=pages)
    return preview(connection, source, stop=stop, gone_limit=gone_limit, tell=tell)


def preview_csv(
    connection: Connection,
    path: Path,
    *,
    stop: threading.Event,
    gone_limit: int | None = None,
    tell: Callable[[int], None] = lambda seen: None,
) -> Preview:
    """The same of a file. Raises `OSError` and `csv_file.NotACsv`."""
    return preview(connection, CsvSource(connection, path), stop=stop, gone_limit=gone_limit, tell=tell)


def _claim_pool(connection: Connection, fresh: bool | None, clock: Clock) -> ImportRun:
    run = run_lease.claim(connection.alias, ImportRun.Source.POOL, now=clock(), fresh=fresh)
    if run.expected is None:
        run.expected = estimate_users(connection)
        ImportRun.objects.filter(pk=run.pk).update(expected=run.expected)
    return run

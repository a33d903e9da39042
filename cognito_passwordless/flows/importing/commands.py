"""Entry points of the command and the task: claim a run, then run the pipeline."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from ...cognito import Connection, TokenRefused, estimate_users
from ...models import ImportRun
from . import gone, run_lease
from .csv_source import CsvSource
from .dry_run import Preview, preview
from .pipeline import Pipeline
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
    """Imports a pool, or continues an unfinished import of it (``fresh`` False: only continue; True: never continue).

    ``stop`` ends the import after the current page. Pending people who were not seen are marked as gone, unless they
    are more than ``gone_limit`` per cent. Returns the run, whose state says how it ended. Raises `run_lease.Busy`,
    `run_lease.NothingToContinue` and `run_lease.Lost`.
    """
    run = _claim_pool(connection, fresh, clock)
    tell(run)
    source = PoolSource(connection, stop=stop, rate=rate, pages=pages)
    pool = connection.pool
    pipeline = Pipeline(
        import_run=run, source=source, pool=pool, clock=clock, stop=stop, tell=tell, gone_limit=gone_limit
    )
    try:
        pipeline.run()
    except TokenRefused:
        # Too old, perhaps. Rows may be read twice: from the start, with a record of its own.
        pipeline = replace(pipeline, import_run=_claim_pool(connection, True, clock))
        pipeline.run()
    return pipeline.import_run


def import_csv(
    connection: Connection,
    path: Path | str,
    *,
    stop: threading.Event,
    columns: Mapping[str, str] | None = None,
    fresh: bool | None = None,
    gone_limit: int | None = None,
    clock: Clock = timezone.now,
    tell: Tell = lambda run: None,
) -> ImportRun:
    """The same from a file; with a ``gone_limit``, the file lists all users of the pool. ``columns`` are
    names of attributes by the file's headers. Also raises `OSError` and `csv_columns.NotACsv`."""
    source = CsvSource(connection, path, columns)
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
    Pipeline(import_run=run, source=source, pool=pool, clock=clock, stop=stop, tell=tell, gone_limit=gone_limit).run()
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
    """What `import_directory` would do, and the outcome for each person. Writes nothing, and claims no run.

    Raises `CognitoError`.
    """
    source = PoolSource(connection, stop=stop, rate=rate, pages=pages)
    return preview(connection, source, stop=stop, gone_limit=gone_limit, tell=tell)


def preview_csv(
    connection: Connection,
    path: Path | str,
    *,
    stop: threading.Event,
    columns: Mapping[str, str] | None = None,
    gone_limit: int | None = None,
    tell: Callable[[int], None] = lambda seen: None,
) -> Preview:
    """The same of a file. Raises `OSError` and `csv_columns.NotACsv`."""
    return preview(connection, CsvSource(connection, path, columns), stop=stop, gone_limit=gone_limit, tell=tell)


def _claim_pool(connection: Connection, fresh: bool | None, clock: Clock) -> ImportRun:
    run = run_lease.claim(connection.alias, ImportRun.Source.POOL, now=clock(), fresh=fresh)
    if run.expected is None:
        run.expected = estimate_users(connection)
        ImportRun.objects.filter(pk=run.pk).update(expected=run.expected)
    return run

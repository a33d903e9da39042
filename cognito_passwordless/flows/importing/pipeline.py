"""The pipeline of an import: a thread reads the next page while this one is written."""

import gc
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import router, transaction

from ...cognito import CognitoError, TokenRefused
from ...models import ImportRun, MigratedUser, SeenPeople
from . import gone, postgres, run_lease
from .shared_addresses import mark_shared_addresses
from .sources import Source, Stopped
from .writer import import_page, write_again

logger = logging.getLogger(__name__)
State = ImportRun.State
COLLECTED = 50_000  # objects between two collections of the youngest


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A claimed run and the source of its rows; ``tell`` is called after every page. At the end, pending people who
    were not seen are marked as gone, if they are at most ``gone_limit`` per cent; None for a source of only a part."""

    import_run: ImportRun
    source: Source
    pool: str
    clock: Callable[[], datetime]
    stop: threading.Event
    tell: Callable[[ImportRun], None]
    gone_limit: int | None = gone.LIMIT

    def run(self) -> None:
        """Works until the end of the source, until ``stop`` is set, or until the pool fails; the run's state says
        which. Pages that are written stay written.

        Raises `run_lease.Lost` if another process has taken the run over, and `TokenRefused`, with the run closed.
        """
        # Rows contain no reference cycles; default GC thresholds cost a third of the import's run time.
        thresholds = gc.get_threshold()
        gc.set_threshold(max(thresholds[0], COLLECTED), *thresholds[1:])
        try:
            with ThreadPoolExecutor(max_workers=1, thread_name_prefix="cognito-import") as reader:
                self._run_pages(reader)
        finally:
            gc.set_threshold(*thresholds)

    def _run_pages(self, reader: ThreadPoolExecutor) -> None:
        try:
            self._write_pages(reader)
        except Stopped:
            self._close(State.INTERRUPTED)
        except CognitoError as error:
            self._close(State.FAILED, str(error))
            logger.error("Import %s stopped after row %d: %s", self.import_run.pk, self.import_run.position, error)
            if isinstance(error, TokenRefused):
                raise
        except BaseException as error:
            self.stop.set()  # the reader's thread need not wait for a busy pool any more
            if isinstance(error, KeyboardInterrupt | SystemExit):
                self._close(State.INTERRUPTED)
            raise

    def _write_pages(self, reader: ThreadPoolExecutor) -> None:
        run = self.import_run
        if run.position and not run.page_token:
            self._finish()  # an earlier process wrote all pages, and ended before the run was closed
            return
        upcoming = reader.submit(self.source.read_page, run.page_token)
        statistics = postgres.Statistics(MigratedUser, router.db_for_write(MigratedUser))
        while True:
            # A busy pool may take its time; the lease of the run must not expire meanwhile.
            while not wait([upcoming], timeout=run_lease.HEARTBEAT).done:
                run_lease.hold(run, now=self.clock())
            page = upcoming.result()
            if page.following is not None:
                upcoming = reader.submit(self.source.read_page, page.following)
            statistics.follow(run.position)
            write_again(partial(import_page, run, page, pool=self.pool, now=self.clock()), run)
            self.tell(run)
            if page.following is None:
                self._finish()
                return
            if self.stop.is_set():
                raise Stopped

    def _finish(self) -> None:
        why_not = ""
        if self.gone_limit is not None:
            mark = partial(gone.mark, self.import_run, self.pool, limit=self.gone_limit, clock=self.clock)
            why_not = write_again(mark, self.import_run)
        mark_shared_addresses()
        with transaction.atomic(using=router.db_for_write(ImportRun)):
            SeenPeople.objects.filter(run__connection=self.import_run.connection).delete()
            self._close(State.DONE, why_not)

    def _close(self, state: ImportRun.State, error: str = "") -> None:
        run_lease.close(self.import_run, state, now=self.clock(), error=error)

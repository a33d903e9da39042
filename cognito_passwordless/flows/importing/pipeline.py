"""The walk through a directory: while one page is written, the next one is read."""

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import router, transaction

from ...cognito import CognitoError, TokenRefused
from ...models import ImportRun, MigratedUser, SeenPeople
from . import gone, postgres, run_lease
from .shared_addresses import mark_shared_addresses
from .sources import Page, Source, Stopped
from .writer import import_page, write_again

logger = logging.getLogger(__name__)
State = ImportRun.State
COLLECTED = 50_000  # objects between two collections of the youngest


@contextmanager
def _few_collections() -> Iterator[None]:
    """Rows are read by the million and hold no circles: looking for some so often takes a third of all the time."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], COLLECTED), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One claimed run and where its rows come from; ``tell`` hears of every page that was written. Whoever was
    not seen at its end is gone, up to ``gone_limit`` per cent of those who wait; None where it is of a part."""

    import_run: ImportRun
    source: Source
    pool: str
    clock: Callable[[], datetime]
    stop: threading.Event
    tell: Callable[[ImportRun], None]
    gone_limit: int | None = gone.LIMIT

    def run(self) -> None:
        """Works until the end, until ``stop`` is set, or until the pool will not go on; the run's state says which.
        What has been written stays written.

        Raises `run_lease.Lost` when somebody else has taken the run over, and `TokenRefused`, with the run closed.
        """
        with (
            _few_collections(),
            ThreadPoolExecutor(max_workers=1, thread_name_prefix="cognito-import") as reading,
        ):
            try:
                self._pages(reading)
            except Stopped:
                self._close(State.INTERRUPTED)
            except CognitoError as error:
                self._close(State.FAILED, str(error))
                logger.error("Import %s stopped after row %d: %s", self.import_run.pk, self.import_run.position, error)
                if isinstance(error, TokenRefused):
                    raise
            except BaseException as error:
                self.stop.set()  # whoever still reads need not wait for a pool that is busy
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    self._close(State.INTERRUPTED)
                raise

    def _pages(self, reading: ThreadPoolExecutor) -> None:
        if self.import_run.position and not self.import_run.page_token:
            self._finish()  # whoever had it before read all of it, and ended before its end
            return
        upcoming = reading.submit(self.source.read_page, self.import_run.page_token)
        statistics = postgres.Statistics(MigratedUser, router.db_for_write(MigratedUser))
        while True:
            page = self._awaited(upcoming)
            if page.following is not None:
                upcoming = reading.submit(self.source.read_page, page.following)
            statistics.follow(self.import_run.position)
            write_again(partial(import_page, self.import_run, page, pool=self.pool, now=self.clock()), self.import_run)
            self.tell(self.import_run)
            if page.following is None:
                self._finish()
                return
            if self.stop.is_set():
                raise Stopped

    def _awaited(self, upcoming: "Future[Page]") -> Page:
        """The next page; a sign of life meanwhile, for a busy pool may take its time."""
        while not wait([upcoming], timeout=run_lease.HEARTBEAT).done:
            run_lease.hold(self.import_run, now=self.clock())
        return upcoming.result()

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

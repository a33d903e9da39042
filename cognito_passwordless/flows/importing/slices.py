"""An import in a queue's worker: a slice of work at a time, so that it holds up nobody else's message for long, and a
worker that dies takes one slice with it.

What is left to do is handed back as the next message. Whoever finds somebody else at work follows that run to its end
and begins none of their own: two messages at once make one import.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ... import connections
from ...cognito import CognitoError
from ...models import ImportRun
from . import runs
from .entry import import_directory
from .pool import QUOTA

logger = logging.getLogger(__name__)
State = ImportRun.State
SLICE: Final = 30.0  # seconds
# Between two looks at somebody else's run, and before a pool that failed is asked again.
PAUSE: Final = 60.0
# Failures in a row without a row in between.
FAILURES: Final = 5


@dataclass(frozen=True, slots=True)
class Next:
    """What is left to do, in so many seconds: go on with ``run``, and with no other one."""

    seconds: float
    run: int | None
    failures: int = 0


def import_slice(
    alias: str,
    *,
    clock: Callable[[], datetime],
    run: int | None = None,
    failures: int = 0,
    rate: float = QUOTA,
    seconds: float | None = SLICE,
) -> Next | None:
    """Works on the import of a connection for ``seconds`` (None: to its end); None when nothing is left to do.

    ``run`` and ``failures`` are those of the `Next` before. A run that is not there any more, or that has been
    finished meanwhile, is the end.
    """
    connection = connections.find(alias)
    if connection is None or not connection.active:
        logger.error("Nothing is imported from %s: there is no such connection, or it is not in use", alias)
        return None
    if run is not None and not _is_open(run):
        return None
    begun: list[tuple[int, int]] = []
    try:
        with _time(seconds) as stop:
            done = import_directory(
                connection,
                stop=stop,
                fresh=None if run is None else False,
                rate=rate,
                clock=clock,
                tell=lambda told: begun.append((told.pk, told.position)),
            )
    except runs.NothingToContinue:
        return None
    except runs.Busy as busy:
        return Next(PAUSE, busy.run.pk if busy.run else run, failures)
    except runs.Lost:
        return Next(PAUSE, begun[0][0] if begun else run, failures)
    except CognitoError as error:  # a page token refused twice; its run says so
        return _after_failure(alias, run, failures + 1, str(error))
    if done.state == State.DONE:
        return None
    if done.state == State.INTERRUPTED:
        return Next(0, done.pk)
    came_further = (done.pk, done.position) > begun[0]
    return _after_failure(alias, done.pk, 1 if came_further else failures + 1, done.last_error)


def _is_open(run: int) -> bool:
    return ImportRun.objects.filter(pk=run).exclude(state=State.DONE).exists()


def _after_failure(alias: str, run: int | None, failures: int, error: str) -> Next | None:
    if failures < FAILURES:
        return Next(PAUSE, run, failures)
    logger.error("The import of %s is given up after %d failures in a row: %s", alias, failures, error)
    return None


@contextmanager
def _time(seconds: float | None) -> Iterator[threading.Event]:
    """An event that is set when the time is up."""
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set) if seconds is not None else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield stop
    finally:
        if timer:
            timer.cancel()

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
from . import run_lease
from .commands import import_directory
from .sources import QUOTA

logger = logging.getLogger(__name__)
State = ImportRun.State
SLICE: Final = 30.0  # seconds
# Between two looks at somebody else's run, and before a pool that failed is asked again.
PAUSE: Final = 60.0
# Failures in a row without a row in between.
FAILURES: Final = 5


@dataclass(frozen=True, slots=True)
class Next:
    """What is left to do, in so many seconds: go on with the run that was found, and begin no other one."""

    seconds: float
    failures: int = 0


def import_slice(
    alias: str,
    *,
    clock: Callable[[], datetime],
    goes_on: bool = False,
    failures: int = 0,
    rate: float = QUOTA,
    seconds: float | None = SLICE,
) -> Next | None:
    """Works on the import of a connection for ``seconds`` (None: to its end); None when nothing is left to do.

    ``goes_on`` for a `Next`, with its ``failures``: a run that has been finished meanwhile is the end.
    """
    connection = connections.find(alias)
    if connection is None or not connection.active:
        logger.error("Nothing is imported from %s: there is no such connection, or it is not in use", alias)
        return None
    begun: list[tuple[int, int]] = []
    try:
        with _time(seconds) as stop:
            run = import_directory(
                connection,
                stop=stop,
                fresh=False if goes_on else None,
                rate=rate,
                clock=clock,
                tell=lambda told: begun.append((told.pk, told.position)),
            )
    except run_lease.NothingToContinue:
        return None
    except (run_lease.Busy, run_lease.Lost):
        return Next(PAUSE, failures)
    except CognitoError as error:  # a page token that was refused in a run of its own, too
        return _after_failure(alias, failures + 1, str(error))
    if run.state == State.DONE:
        return None
    came_further = (run.pk, run.position) > begun[0]
    if run.state == State.INTERRUPTED and came_further:
        return Next(0)
    return _after_failure(alias, 1 if came_further else failures + 1, run.last_error or "no page in time")


def _after_failure(alias: str, failures: int, error: str) -> Next | None:
    if failures < FAILURES:
        return Next(PAUSE, failures)
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

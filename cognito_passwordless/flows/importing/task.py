"""An import in a queue's worker, one slice at a time: other messages do not wait for long, and a worker that dies
loses one slice.

The rest of the work is the next message. A worker that finds another process at work follows that run to its end and
begins none of its own: two messages at once make one import.
"""

import logging
import threading
from collections.abc import Callable
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
PAUSE: Final = 60.0  # seconds before the next try while another process works, or after the pool failed
FAILURES: Final = 5  # in a row, without a row in between


@dataclass(frozen=True, slots=True)
class Next:
    """The next message: continue the run in so many ``seconds``, and begin no other one."""

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
    """Works on the import of a connection for ``seconds`` (None: to its end). Returns None when nothing is left to do.

    ``goes_on`` for the message of a `Next`, with its ``failures``: if the run is finished by then, nothing is left.
    """
    connection = connections.find(alias)
    if connection is None or not connection.active:
        logger.error("Nothing is imported from %s: there is no such connection, or it is not in use", alias)
        return None
    positions: list[tuple[int, int]] = []
    stop = threading.Event()
    timer = threading.Timer(threading.TIMEOUT_MAX if seconds is None else seconds, stop.set)
    timer.daemon = True
    timer.start()
    try:
        run = import_directory(
            connection,
            stop=stop,
            fresh=False if goes_on else None,
            rate=rate,
            clock=clock,
            tell=lambda run: positions.append((run.pk, run.position)),
        )
    except run_lease.NothingToContinue:
        return None
    except (run_lease.Busy, run_lease.Lost):
        return Next(PAUSE, failures)
    except CognitoError as error:  # a page token that was refused in a run of its own, too
        return _after_failure(alias, failures + 1, str(error))
    finally:
        timer.cancel()
    if run.state == State.DONE:
        return None
    came_further = (run.pk, run.position) > positions[0]
    if run.state == State.INTERRUPTED and came_further:
        return Next(0)
    return _after_failure(alias, 1 if came_further else failures + 1, run.last_error or "no page in time")


def _after_failure(alias: str, failures: int, error: str) -> Next | None:
    if failures < FAILURES:
        return Next(PAUSE, failures)
    logger.error("The import of %s is given up after %d failures in a row: %s", alias, failures, error)
    return None

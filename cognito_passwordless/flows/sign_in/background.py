"""What a request of a sign-in leaves to threads of its process: questions to a pool, and the like of them for people
whom no pool is asked about.

Nothing that a person typed leaves the process (law 1). What is under way when it dies is lost: the attempt is spent,
and the row, which names no verdict, says after a while that the answer could not be checked.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Final

from django.db import close_old_connections
from django.views.decorators.debug import sensitive_variables

logger = logging.getLogger(__name__)
THREADS: Final = 8  # they wait for the pool, mostly
# Jobs of one process that wait, are being done, or were handed over less than a floor ago. For known and unknown
# people alike a place is taken so long, so that how many fit tells nothing (law 4).
PLACES: Final = 1000
LONGEST_WAIT: Final = 10.0  # seconds in the queue
# The answer to the request goes out first: a job beside it would make it slower, the more so the more there is to do.
HEAD_START: Final = 0.02  # seconds

Job = Callable[[bool], None]


class Background:
    """A bounded executor of this process."""

    def __init__(self, make: Callable[[], Executor] = lambda: ThreadPoolExecutor(THREADS, "cognito_passwordless")):
        self._make = make
        self._reset()
        # Threads do not come along into a child.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._executor: Executor | None = None
        self._places: deque[tuple[float, Future[None]]] = deque()

    def hand_over(self, job: Job, *, floor: float) -> bool:
        """Has ``job`` done soon; False where there are too many. It is called with True, or with False if it has
        waited for so long that it should only say so. ``floor``: seconds that it holds its place at least."""
        began = time.monotonic()
        with self._lock:
            while self._places and self._places[0][0] <= began and self._places[0][1].done():
                self._places.popleft()
            if len(self._places) >= PLACES:
                return False
            self._executor = self._executor or self._make()
            self._places.append((began + floor, self._executor.submit(_run, job, began)))
        return True


@sensitive_variables()
def _run(job: Job, began: float) -> None:
    waited = time.monotonic() - began
    if waited < HEAD_START:
        time.sleep(HEAD_START - waited)
    close_old_connections()
    try:
        job(waited < LONGEST_WAIT)
    except Exception as error:  # noqa: BLE001  (its frames hold what was typed: nothing of it is shown or kept)
        logger.error("A job of a sign-in ended with %s", type(error).__name__)
    finally:
        close_old_connections()


background = Background()

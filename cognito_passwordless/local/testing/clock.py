"""The clock of sessions and codes, which a test can advance to let them expire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, plus what `advance` has added.

    Tokens do not follow it: verifiers use the machine's own time, and would refuse a token from the future.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch, as sessions and codes see it."""
        with self._lock:
            return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move time forward. Raises ValueError for a negative number: nothing un-expires."""
        if seconds < 0:
            raise ValueError("time only moves forward")
        with self._lock:
            self._ahead += seconds

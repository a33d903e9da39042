"""The time by which sessions and codes run out, so that a test can let them run out at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, plus whatever has been added by `advance`.

    Tokens do not follow it: they are read by verifiers that look at the machine's own time, and a
    token from the future would be refused.
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

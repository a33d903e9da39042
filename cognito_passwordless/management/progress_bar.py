"""How far long work is, on standard error: a bar where somebody watches, now and then a line where nobody does."""

import time
from collections.abc import Callable
from typing import Any

WIDTH = 30
LINES_EVERY = 10.0  # seconds
BAR_EVERY = 0.1


class ProgressBar:
    """For one piece of work. ``total`` may be unknown, and may turn out to be too small."""

    def __init__(self, stream: Any, label: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._label, self._clock = stream, label, clock
        self._watched = bool(getattr(stream, "isatty", lambda: False)())
        self._began = self._shown = clock()
        self._first: int | None = None
        self._width = 0

    def show(self, done: int, total: int | None, *, last: bool = False) -> None:
        """Tells how far it is, if it is time to. What was done before the first call counts for no rate."""
        now = self._clock()
        if self._first is None:
            self._first, self._began = done, now
        if not last and now - self._shown < (BAR_EVERY if self._watched else LINES_EVERY):
            return
        self._shown = now
        self._write(self._line(done, total, now), last=last)

    def _line(self, done: int, total: int | None, now: float) -> str:
        seconds = now - self._began
        rate = (done - (self._first or 0)) / seconds if seconds > 0 else 0.0
        parts = [f"{done:,}" + (f" of {'about ' if done < total else ''}{max(done, total):,}" if total else "")]
        parts.append(f"{rate:,.0f}/s")
        if total and rate:
            parts.append(f"{_time(max(0, total - done) / rate)} left")
        if not self._watched or not total:
            return f"{self._label}: {', '.join(parts)}"
        filled = min(WIDTH, WIDTH * done // total)
        return f"{self._label} [{'#' * filled}{'.' * (WIDTH - filled)}] {', '.join(parts)}"

    def _write(self, line: str, *, last: bool) -> None:
        if not self._watched:
            self._stream.write(f"{line}\n")
        else:
            self._stream.write(f"\r{line:<{self._width}}" + ("\n" if last else ""))
            self._width = len(line)
        self._stream.flush()


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

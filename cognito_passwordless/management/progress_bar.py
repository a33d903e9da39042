"""Progress of long work on standard error: a bar in a terminal, a line every ten seconds elsewhere."""

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
        line = self._line(done, total, now)
        if not self._watched:
            self._stream.write(f"{line}\n")
        else:
            self._stream.write(f"\r{line:<{self._width}}" + ("\n" if last else ""))
            self._width = len(line)
        self._stream.flush()

    def _line(self, done: int, total: int | None, now: float) -> str:
        seconds = now - self._began
        rate = (done - (self._first or 0)) / seconds if seconds > 0 else 0.0
        parts = [f"{done:,}" + (f" of {'about ' if done < total else ''}{max(done, total):,}" if total else "")]
        parts.append(f"{rate:,.0f}/s")
        if total and rate:
            minutes, seconds_left = divmod(round(max(0, total - done) / rate), 60)
            hours, minutes = divmod(minutes, 60)
            left = f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes}:{seconds_left:02}"
            parts.append(f"{left} left")
        if not self._watched or not total:
            return f"{self._label}: {', '.join(parts)}"
        filled = min(WIDTH, WIDTH * done // total)
        return f"{self._label} [{'#' * filled}{'.' * (WIDTH - filled)}] {', '.join(parts)}"

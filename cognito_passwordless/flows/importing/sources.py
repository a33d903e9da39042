"""Sources of rows, and the pool's directory as one: at the quota of ListUsers, with retries for a busy pool."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ...cognito import CognitoError, Connection, ListedPage, list_page
from .rows import InvalidRow, Reader, Row

# ListUsers, of each account and region, fixed: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
QUOTA: Final = 30.0  # calls a second
PAGES: Final = 50  # of 60 rows each, written together
TRIES: Final = 8
LONGEST_WAIT: Final = 20.0  # seconds


class Stopped(Exception):
    """The import was stopped before a row was read."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows that are written together, and the token of the next page; None at the end.

    ``silent`` are the facts that this source has no column for: the stored ones stay. So do the attributes that are
    not in ``columns``; None for a source that has all of them. ``lines`` says where in a file each row begins.
    """

    rows: Sequence[Row | InvalidRow] = field(repr=False)
    following: str | None = field(repr=False)
    silent: frozenset[str] = frozenset()
    columns: frozenset[str] | None = None
    lines: Sequence[int] = ()

    def detail_of(self, index: int, row: InvalidRow) -> str:
        """What is wrong with a row, after its line."""
        line = f"line {self.lines[index]}" if self.lines else ""
        return ": ".join(filter(None, (line, row.detail)))


class Source(Protocol):
    """Where rows come from. A token is ``following`` of an earlier page, or empty for the start."""

    def read_page(self, token: str) -> Page: ...


class Pace:
    """At most ``rate`` turns a second, evenly spaced, also after a pause."""

    def __init__(self, rate: float, wait: Callable[[float], object], clock: Callable[[], float] = time.monotonic):
        if not rate > 0:
            raise ValueError("a rate is more than 0")
        self._gap, self._wait, self._clock, self._next = 1 / rate, wait, clock, 0.0

    def turn(self) -> None:
        now = self._clock()
        if self._next > now:
            self._wait(self._next - now)
        self._next = max(now, self._next) + self._gap


class PoolSource:
    """ListUsers, at most ``rate`` calls a second. A call that is throttled, times out or gets a 5xx is tried `TRIES`
    times in a row."""

    def __init__(
        self,
        connection: Connection,
        *,
        stop: threading.Event,
        rate: float = QUOTA,
        pages: int = PAGES,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._connection, self._stop, self._pages = connection, stop, pages
        self._wait = wait or stop.wait
        self._pace = Pace(rate, self._wait)
        self._reader = Reader(connection)

    def read_page(self, token: str) -> Page:
        """Up to ``pages`` pages in one; fewer after an error or a stop, so that no row that was read is lost. Raises
        `CognitoError`, `TokenRefused` and `Stopped` if there is no row at all."""
        rows: list[Row | InvalidRow] = []
        following: str | None = token
        for number in range(self._pages):
            try:
                page = self._patiently(following or None)
            except (CognitoError, Stopped):
                if not number:
                    raise
                break
            rows += map(self._reader.listed, page.rows)
            following = page.following
            if following is None:
                break
        return Page(rows, following)

    def _patiently(self, token: str | None) -> ListedPage:
        tries = 0
        while not self._stop.is_set():
            self._pace.turn()
            try:
                return list_page(self._connection, page_token=token)
            except CognitoError as error:
                tries += 1
                if not error.cause.retryable or tries == TRIES:
                    raise
            self._wait(back_off(tries, first=0.5))
        raise Stopped


def back_off(tries: int, *, first: float = 1.0) -> float:
    """Seconds to wait after so many failed tries: ``first``, doubled each time, up to `LONGEST_WAIT`. Half of it is
    random, so that clients that failed together do not return together."""
    longest = min(LONGEST_WAIT, first * 2.0 ** max(0, tries - 1))
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311  (no secret)

"""Ctrl-C and SIGTERM as an event that work can look at. No Django: the local Cognito runs without it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any


class Interruption(threading.Event):
    """An event that a signal handler may set.

    `threading.Event` takes a lock to wait and the same one to be set. Python runs a handler in the middle of what the
    main thread does, so a signal that comes while the main thread enters `wait` would wait for itself, for ever.
    `SimpleQueue.put` may interrupt its own `get`: https://docs.python.org/3/library/queue.html#simplequeue-objects
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_over = False
        self._bell: SimpleQueue[None] = SimpleQueue()

    def is_set(self) -> bool:
        return self._is_over

    def set(self) -> None:
        self._is_over = True
        self._bell.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """True as soon as it is set, False after ``timeout`` seconds."""
        if not self._is_over:
            with suppress(Empty):
                self._bell.get(timeout=timeout)
                self._bell.put(None)  # for the next thread that waits
        return self._is_over


@contextmanager
def until_interrupted(say: Callable[[], object] = lambda: None, *, once: bool = False) -> Iterator[Interruption]:
    """An event that Ctrl-C, SIGTERM or a closed terminal sets while the block runs. ``say`` is called by the handler.
    With ``once``, the second signal ends the process."""
    stop = Interruption()
    before: dict[int, Any] = {}

    def handle(number: int, frame: Any) -> None:
        say()
        stop.set()
        if once:
            signal.signal(number, before[number])

    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` goes on
        numbers.append(signal.SIGHUP)
    for number in numbers:
        before[number] = signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

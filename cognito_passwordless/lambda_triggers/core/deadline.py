"""Answering in time: Cognito waits five seconds and then calls the trigger again."""

import time
from collections.abc import Callable

from ..errors import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

# Seconds from the start of the call to its answer, even if a server hangs.
BUDGET = 3.5
# Seconds for the answer itself, where the function's own time-out is shorter than Cognito's.
MARGIN = 0.3


class Deadline:
    """The moment when this call must have been answered; ``clock`` counts seconds and never goes back."""

    def __init__(self, seconds: float = BUDGET, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.started = clock()
        self._at = self.started + seconds

    @classmethod
    def of(cls, context: object) -> "Deadline":
        """The lesser of our own budget and the time that the function has left."""
        remaining: Any = getattr(context, "get_remaining_time_in_millis", None)
        if remaining is None:
            return cls()
        return cls(min(BUDGET, remaining() / 1000 - MARGIN))

    @property
    def left(self) -> float:
        """Seconds; zero or less when it is over."""
        return self._at - self._clock()

    @property
    def spent(self) -> float:
        """Seconds since the call began."""
        return self._clock() - self.started

    def share(self, parts: int) -> "Deadline":
        """An earlier deadline, so that ``parts`` things in a row all get a try."""
        return Deadline(self.left / parts, clock=self._clock)

    def call(self, function: "Callable[[], T]", what: str) -> "T":
        """The value of ``function``, or `Unavailable` when the deadline comes first.

        A thread of its own, because a socket's time-out covers neither the look-up of a name nor a server that
        sends a byte a second. A hanging call goes on in its thread and may still finish, so it must be repeatable.
        """
        import threading  # noqa: PLC0415  # most calls of a trigger need no thread

        if self.left <= 0:
            raise Unavailable(f"{what}_timeout")
        outcome: list[tuple[bool, Any]] = []

        def work() -> None:
            try:
                outcome.append((True, function()))
            except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
                outcome.append((False, error))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(max(self.left, 0))
        if not outcome:
            raise Unavailable(f"{what}_timeout")
        succeeded, value = outcome[0]
        if not succeeded:
            raise value
        result: T = value
        return result

"""What a request leaves to the background, done when a test says so."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class Held(Executor):
    """Does what it was given when a test says so, in the test's own thread."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.jobs.append((future, lambda: fn(*args, **kwargs)))
        return future

    def work(self) -> int:
        done = 0
        while self.jobs:
            future, job = self.jobs.pop(0)
            future.set_result(job())
            done += 1
        return done

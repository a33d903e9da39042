"""Asking the running workers whether they fit the site: the same keys, a listener for each queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from celery import current_app

from ... import keys
from .dispatch import QUEUES

COMMAND = "cognito_passwordless_keys"  # what `tasks` answers to


@dataclass(frozen=True, slots=True)
class Worker:
    """What one worker says. Fingerprints name keys and tell nothing about them."""

    name: str
    fingerprints: frozenset[str]
    queues: frozenset[str]

    @property
    def has_our_key(self) -> bool:
        return keys.keyring().current.fingerprint in self.fingerprints


def fingerprints() -> list[str]:
    """The names of the keys that this process has."""
    return [key.fingerprint for key in keys.keyring().keys]


def find_running(seconds: float = 2.0) -> list[Worker]:
    """All workers that answer in time. One with the pool ``solo`` answers only between two tasks. Raises kombu's
    `OperationalError` when the broker is down."""
    answers = current_app.control.broadcast(COMMAND, reply=True, timeout=seconds) or []
    listening: dict[str, Any] = current_app.control.inspect(timeout=seconds).active_queues() or {}
    return [
        Worker(name, frozenset(found), frozenset(queue["name"] for queue in listening.get(name, [])))
        for answer in answers
        for name, found in answer.items()
        if isinstance(found, list)
    ]


def problems(workers: Iterable[Worker]) -> list[str]:
    """What is wrong, in words for the operator."""
    known = list(workers)
    if not known:
        return ["no worker answers: start one, or look at its log"]
    found = [
        f"{worker.name} has another SECRET_KEY: it can derive no code that this site compares"
        for worker in known
        if not worker.has_our_key
    ]
    served = {queue for worker in known for queue in worker.queues}
    return found + [f"no worker listens on the queue {queue}" for queue in QUEUES.values() if queue not in served]

"""The messages that the pool "sends", in memory alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Medium = Literal["EMAIL", "SMS"]


@dataclass(frozen=True, slots=True)
class Message:
    """One code on its way to one person. `at` is the local Cognito's clock, in UTC."""

    medium: Medium
    destination: str
    # Out of `repr`, so that a failing test or a log line does not print a code that still works.
    code: str = field(repr=False)
    at: datetime
    username: str
    pool_id: str
    # The text of the message, where a trigger has written it.
    text: str = field(default="", repr=False)


def sent(
    medium: Medium, destination: str, code: str, *, at: float, username: str, pool_id: str, text: str = ""
) -> Message:
    """A message sent at `at`, in seconds since the epoch."""
    moment = datetime.fromtimestamp(at, UTC)
    return Message(medium, destination, code, moment, username, pool_id, text)


class Inbox:
    """All messages, newest last. Safe to use from many threads."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._listeners: list[Callable[[Message], object]] = []
        self._lock = threading.Lock()

    def deliver(self, message: Message) -> None:
        with self._lock:
            self._messages.append(message)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(message)

    def listen(self, listener: Callable[[Message], object]) -> None:
        """Call `listener` with every message from now on, in the thread that serves the request."""
        with self._lock:
            self._listeners.append(listener)

    def all(self) -> list[Message]:
        with self._lock:
            return list(self._messages)

    def last_code(self, destination: str) -> str | None:
        """The newest code sent to this e-mail address or phone number; None if there is none."""
        wanted = destination.casefold()
        for message in reversed(self.all()):
            if message.destination.casefold() == wanted:
                return message.code
        return None


def masked(medium: Medium, destination: str) -> str:
    """The destination as Amazon Cognito shows it: `a***@e***`, or the last four digits of a number."""
    if medium == "SMS":
        return "+" + "*" * max(len(destination) - 5, 1) + destination[-4:]
    local, _, domain = destination.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"

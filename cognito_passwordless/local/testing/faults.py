"""Failures on demand: a pool that is slow, busy or broken."""

from __future__ import annotations

import select
import socket
import threading
from dataclasses import dataclass

KINDS = ("throttle", "timeout", "500", "bad_json")
ANY = "*"
# How often a hanging request checks whether its client has disconnected, in seconds.
_WATCH = 0.05


@dataclass(slots=True)
class Fault:
    operation: str
    error: str
    times: int
    pool_id: str | None


class Faults:
    """Planned faults. Safe to use from many threads."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self._release = threading.Event()
        self._hanging = 0

    @property
    def hanging(self) -> int:
        """How many requests hang now."""
        with self._lock:
            return self._hanging

    def plan(self, operation: str, error: str, times: int, pool_id: str | None) -> None:
        """Raises ValueError for an error that is neither one of KINDS nor an exception's name."""
        if error not in KINDS and not error.endswith("Exception"):
            raise ValueError(f"error must be one of {', '.join(KINDS)} or the name of an exception")
        if times < 1:
            raise ValueError("times must be at least 1")
        with self._lock:
            self._waiting.append(Fault(operation, error, times, pool_id))

    def clear(self) -> None:
        """Forget the faults that have not happened yet."""
        with self._lock:
            self._waiting.clear()

    def take(self, operation: str, pool_id: str | None) -> str | None:
        """The error for this request, if one was planned; it is then used up."""
        with self._lock:
            for fault in self._waiting:
                wanted = fault.operation in (ANY, operation)
                if wanted and fault.pool_id in (None, pool_id):
                    fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
                    return fault.error
        return None

    def release(self) -> None:
        """Let all requests that hang now end, with a server error."""
        with self._lock:
            self._release.set()
            self._release = threading.Event()

    def hang(self, client: socket.socket) -> None:
        """Return when `release` is called or the client has disconnected."""
        with self._lock:
            release = self._release
            self._hanging += 1
        try:
            while not release.wait(_WATCH) and not _gone(client):
                pass
        finally:
            with self._lock:
                self._hanging -= 1


def _gone(client: socket.socket) -> bool:
    try:
        readable, _, _ = select.select([client], [], [], 0)
        return bool(readable) and client.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def answer(error: str) -> tuple[str, str, str]:
    """Status line, exception name and text of a fault; without a name the text is the body."""
    if error == "bad_json":
        return "200 OK", "", '{"ChallengeName": "EMAIL_OTP", "Ses'
    if error in ("500", "timeout"):
        return "500 Internal Server Error", "InternalErrorException", "Internal error"
    if error == "throttle":
        return "400 Bad Request", "TooManyRequestsException", "Rate exceeded"
    return "400 Bad Request", error, f"{error} asked for by a test"

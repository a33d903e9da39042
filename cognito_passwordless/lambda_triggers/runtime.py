"""Runs one call of a trigger: settings, clock, deadline, one line of log, and the answer to an error."""

import json
import sys
import time
from collections.abc import Callable

from .aws.secrets import log_marker
from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import mapping, source_of, username_of
from .errors import Misconfigured, Refused, Unavailable, unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Respond(Protocol):
        """A trigger: the event with its response, or `Refused`."""

        def __call__(
            self, event: object, *, settings: Settings, now: float, deadline: Deadline, note: "Note"
        ) -> "dict[str, Any]": ...


class Note:
    """The outcome and details in a trigger's line of log: short words and numbers, no personal data."""

    def __init__(self) -> None:
        self.outcome = ""
        self.details: dict[str, str | int] = {}

    def __call__(self, outcome: str, **details: str | int) -> None:
        self.outcome = outcome
        self.add(**details)

    def add(self, **details: str | int) -> None:
        self.details.update(details)

    def line(self) -> "dict[str, Any]":
        level = "ERROR" if self.outcome == "failed" else "INFO"
        return {"level": level, "outcome": self.outcome or "ok", **self.details}


def run(
    trigger: str,
    respond: "Respond",
    event: object,
    context: object,
    *,
    fallback: "Callable[[object], dict[str, Any]] | None" = None,
    settings: Settings | None = None,
    now: Callable[[], float] = time.time,
    write: Callable[[str], object] | None = None,
) -> "dict[str, Any]":
    """Answers one event.

    ``fallback`` makes the answer after an error of ours: a failed sign-in where Cognito asks a question, the
    unchanged event where the trigger must not stop a person. Without it the call is refused with a fixed sentence.
    Raises `Refused` and nothing else.
    """
    settings = Settings() if settings is None else settings
    deadline, note = Deadline.of(context), Note()
    try:
        answer = respond(event, settings=settings, now=now(), deadline=deadline, note=note)
    except Refused as refusal:
        note("refused", reason=refusal.reason)
        raise
    except Exception as error:  # noqa: BLE001  # the client gets one fixed sentence for every error
        note("failed", reason=_reason(error))
        if fallback is None:
            # `from None`: a chained error would reach the client's tools with everything it holds.
            raise unavailable(_reason(error)) from None
        return fallback(event)
    finally:
        note.add(durationMs=round(deadline.spent * 1000))
        marker, username = log_marker(settings), username_of(event)
        fields = {
            "trigger": trigger,
            "requestId": getattr(context, "aws_request_id", None),
            "source": source_of(event)[:64],
            "user": marker(username) if marker and username else None,
            **({} if mapping(event) else {"event": "malformed"}),
            **note.line(),
        }
        line = json.dumps(fields, separators=(",", ":"))
        if write is None:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        else:
            write(line)
    return answer


def _reason(error: Exception) -> str:
    """A word for the log: never the text of a foreign error, which may quote the event."""
    if isinstance(error, Unavailable):
        return error.cause
    return str(error) if isinstance(error, Misconfigured) else type(error).__name__

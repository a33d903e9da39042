"""The messages that were "sent", for people who try the site out: read from a directory, never from a provider.

The directory holds what Django's file backend writes (one ``*.log`` per e-mail) and ``*.jsonl`` files with a message a
line, written by `append`. Whoever can read it can sign in as anybody who has just asked for a code.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

# Django's file backend puts a line of dashes behind every message.
_RULE = b"-" * 79


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """One message. ``sender`` says whose it is, ``site`` or ``cognito``; ``channel`` is ``email`` or ``sms``. ``at``
    is an ISO 8601 time in UTC."""

    at: str
    sender: str
    channel: str
    recipient: str
    text: str = field(repr=False)
    subject: str = ""


def append(path: Path, message: InboxMessage) -> None:
    """Adds one line to a ``*.jsonl`` file that only its owner can read. Safe in many threads and processes."""
    line = json.dumps(asdict(message)).encode() + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # One write in append mode: lines do not mix.
        os.write(handle, line)
    finally:
        os.close(handle)


def read(directory: Path) -> list[InboxMessage]:
    """Every message, newest first. An empty list where there is no such directory."""
    found = [message for path in directory.glob("*.jsonl") for message in _lines(path)]
    found += [message for path in directory.glob("*.log") for message in _emails(path)]
    return sorted(found, key=lambda message: message.at, reverse=True)


def _lines(path: Path) -> list[InboxMessage]:
    return [InboxMessage(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def _emails(path: Path) -> list[InboxMessage]:
    # The Date header has whole seconds; the file's own time keeps messages of one second in order.
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    parts = (part.strip() for part in path.read_bytes().split(_RULE))
    return [_email(part, at) for part in parts if part]


def _email(raw: bytes, at: str) -> InboxMessage:
    parsed: EmailMessage = message_from_bytes(raw, policy=policy.default)
    body = parsed.get_body(("plain", "html"))
    return InboxMessage(
        at=at,
        sender="site",
        channel="email",
        recipient=str(parsed["To"]),
        subject=str(parsed["Subject"] or ""),
        text=str(body.get_content()).strip() if body else "",
    )

"""An SMS sender for people without a provider: the message goes to the inbox page."""

from datetime import UTC, datetime
from pathlib import Path

from cognito_passwordless.delivery import Message

from .inbox import InboxMessage, append


class InboxSmsSender:
    """Writes to ``sms.jsonl`` in ``directory``. For `SENDERS`, and never where real people sign in."""

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def send(self, message: Message) -> str:
        entry = InboxMessage(
            at=datetime.now(UTC).isoformat(),
            sender="site",
            channel="sms",
            recipient=message.recipient,
            text=message.text,
        )
        append(self.directory / "sms.jsonl", entry)
        return ""

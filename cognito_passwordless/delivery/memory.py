"""A sender that keeps its messages in this process, for tests and for looking at what would have been sent."""

from typing import ClassVar

from .base import Message


class MemorySender:
    """Appends to `outbox`, newest last."""

    outbox: ClassVar[list[Message]] = []

    def send(self, message: Message) -> str:
        self.outbox.append(message)
        return f"memory-{len(self.outbox)}"

    def check(self) -> list[str]:
        """Nothing can be wrong: it has no options."""
        return []

"""What a sender is: the smallest thing a site can write itself."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, ready to send. Its text holds the code, so it does not show itself.

    ``subject`` and ``html`` are empty for an SMS. ``reference`` names the message to a provider that can drop a
    repeat (the same for every copy of it). ``valid_for`` is how many seconds the code can still be used, for a
    provider that can be told not to deliver later than that; 0 where nothing ends.
    """

    channel: str
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    reference: str = ""
    valid_for: int = 0


class Failure(StrEnum):
    """What a failure means for the message. Everything that is tried next follows from this."""

    LATER = "later"
    """Not sent; the same may go better later: throttled, 5xx, not reached. The next sender is asked at once."""

    REFUSED = "refused"
    """Not sent, and this sender will not do better: credentials, rights, settings. The next sender is asked."""

    RECIPIENT = "recipient"
    """Not sent, because of the address: a bad number, an opted-out one, no such mailbox. Nobody else is asked."""

    UNKNOWN = "unknown"
    """It may be out: a time-out or a lost connection after the message was handed over. At most one more copy."""


class SendFailed(Exception):
    """A sender did not send, or does not know; ``cause`` is a short word for the log and the `Delivery` row, without
    any content.

    ``for_everybody``: no message of anybody's would go out, whatever its recipient, for there is no connection to the
    provider, or it does not accept our credentials. The pages say so from the first such failure on (law 4)."""

    def __init__(self, cause: str, failure: Failure = Failure.REFUSED, *, for_everybody: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause[:60]
        self.failure = failure
        self.for_everybody = for_everybody

    @property
    def retryable(self) -> bool:
        """Whether asking again later makes sense."""
        return self.failure in {Failure.LATER, Failure.UNKNOWN}

    @property
    def provider_down(self) -> bool:
        """Whether it may have failed for everybody: the pages say so when several people's messages fail. A refusal
        that is not known to concern everybody concerns the recipient."""
        return self.for_everybody or self.failure in {Failure.LATER, Failure.UNKNOWN}


class Sender(Protocol):
    """A way to send. Built once per send with the ``OPTIONS`` of its entry in ``SENDERS`` as keyword arguments.

    Two more members are used where they exist: ``rate``, a limit such as ``"20/1s"`` that all workers keep together,
    and ``check() -> list[str]``, which says what is wrong with the options without talking to anybody.
    """

    def send(self, message: Message) -> str:
        """Sends and returns the provider's message id ("" where it has none). Raises `SendFailed`, and nothing else
        on purpose."""

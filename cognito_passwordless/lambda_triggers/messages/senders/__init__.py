"""Handing a message to somebody who delivers it, in the order of ``OTP_SENDERS``. All carry the same code.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from importlib import import_module

from ....otp.records import field, record
from ...core.deadline import Deadline
from ...core.environment import Settings
from ...errors import Misconfigured, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Send(Protocol):
        """Sends, or raises `Unavailable`; returns the name that the log gives it."""

        def __call__(self, message: "Message", *, settings: Settings, deadline: Deadline) -> str: ...


OURS = ("sns", "ses", "twilio", "smtp")


@record(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, ready to send. Its text holds the code, so it does not show itself."""

    channel: str
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)


def deliver(message: Message, *, settings: Settings, deadline: Deadline) -> str:
    """Sends by the first sender that takes the message; its name.

    Each has an even share of the time that is left, so that one that hangs leaves time for the next. Raises the
    `Unavailable` of the last one; it is about the person only if it was so everywhere.
    """
    names = settings.senders
    failures = []
    for position, name in enumerate(names):
        try:
            _hand_to(name, message, settings, deadline.share(len(names) - position))
        except Unavailable as error:
            failures.append(error)
        else:
            return name
    causes = ",".join(error.cause for error in failures) or "no_sender"
    raise Unavailable(causes[:120], personal=bool(failures) and all(error.personal for error in failures))


def _hand_to(name: str, message: Message, settings: Settings, deadline: Deadline) -> None:
    """Any error of a sender, which may be a site's own, is a failure to send: the next one gets its turn."""
    try:
        send = sender_named(name)
        deadline.call(lambda: send(message, settings=settings, deadline=deadline), name)
    except Unavailable:
        raise
    except Misconfigured as error:
        raise Unavailable(str(error)) from None
    except Exception as error:  # noqa: BLE001  # its type only: its text may hold the message
        raise Unavailable(f"{name}_{type(error).__name__}") from None


def sender_named(name: str) -> "Send":
    """One of ours, or the function at a dotted path."""
    if name in OURS:
        found: Send = import_module(f".{name}", __name__).send
        return found
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise Misconfigured(f"OTP_SENDERS: there is no sender {name}") from None
    return found

"""Hands a message to the senders in the order of ``OTP_SENDERS``. Each of them gets the same code.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from functools import partial

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
    """Sends by the first sender that takes the message, and returns its name.

    Each sender has an even share of the time that is left, so that one that hangs leaves time for the next. Raises
    `Unavailable` with all causes; it is personal only if every cause is.
    """
    names = settings.senders
    failures = []
    for position, name in enumerate(names):
        share = deadline.share(len(names) - position)
        # Every error of a sender, which may be a site's own, is a failure to send: the next one gets its turn.
        try:
            share.call(partial(sender_named(name, settings), message, settings=settings, deadline=share), name)
        except Unavailable as error:
            failures.append(error)
        except Misconfigured as error:
            failures.append(Unavailable(str(error)))
        except Exception as error:  # noqa: BLE001  # its type only: its text may hold the message
            failures.append(Unavailable(f"{name}_{type(error).__name__}"))
        else:
            return name
    causes = ",".join(error.cause for error in failures) or "no_sender"
    raise Unavailable(causes[:120], personal=bool(failures) and all(error.personal for error in failures))


def sender_named(name: str, settings: Settings) -> "Send":
    """One of ours, or the function at a dotted path."""
    sender: Send = settings.function("OTP_SENDERS", f"{__name__}.{name}.send" if name in OURS else name)
    return sender

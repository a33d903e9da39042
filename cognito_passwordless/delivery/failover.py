"""Trying the senders of a channel in order. Every one of them carries the same message, so there is one code."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from ..conf import conf
from .base import Failure, Message, Sender, SendFailed

logger = logging.getLogger(__name__)

# What decides when several senders failed in different ways: the one that asks for most care.
_GRAVITY = {Failure.REFUSED: 0, Failure.LATER: 1, Failure.UNKNOWN: 2, Failure.RECIPIENT: 3}


@dataclass(frozen=True, slots=True)
class Sent:
    """Which sender took the message, and the provider's id for it."""

    sender: str
    message_id: str


class Closed(Exception):
    """The message may not go out any more, by no sender; ``cause`` says why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Gate(Protocol):
    """What a message passes before each sender: is it still wanted, is it our turn, may one more copy go out?"""

    def enter(self, key: str, rate: str | None) -> None:
        """Before a sender is asked; ``key`` names it among those whose ``rate`` is counted. Raises `Closed`, and
        `SendFailed` where this sender's quota is used up for now."""

    def lost(self) -> None:
        """What entered last may be out, or not."""


class Open:
    """A gate for messages that keep no record of their own."""

    def enter(self, key: str, rate: str | None) -> None:
        """Lets everything pass."""

    def lost(self) -> None:
        """Takes no note."""


# Everything below this frame may hold the message's text: error reports show none of it.
@sensitive_variables()
def deliver(message: Message, gate: Gate | None = None) -> Sent:
    """Sends by the first sender that takes the message, through ``gate`` where there is one.

    Raises `SendFailed` when none does: the gravest of what went wrong, as far as another try is concerned. Raises
    `Closed` as the gate does.
    """
    gate = gate or Open()
    failed: list[SendFailed] = []
    for place, entry in enumerate(conf.senders(message.channel)):
        path = entry["BACKEND"]
        try:
            sender = _build(entry)
            gate.enter(f"{message.channel} {place} {path}", getattr(sender, "rate", None))
            return Sent(path, _ask(sender, message)[:200])
        except SendFailed as error:
            logger.warning("%s could not send: %s (%s)", path, error.cause, error.failure)
            if error.failure is Failure.UNKNOWN:
                gate.lost()
            failed.append(error)
            if error.failure is Failure.RECIPIENT:
                break
    worst = max(reversed(failed), key=lambda error: _GRAVITY[error.failure], default=SendFailed("no_sender"))
    raise SendFailed(worst.cause, worst.failure, for_everybody=all(error.for_everybody for error in failed))


def _build(entry: Mapping[str, Any]) -> Sender:
    try:
        sender: Sender = import_string(entry["BACKEND"])(**entry.get("OPTIONS", {}))
    except Exception as error:  # a site's own class: the next sender may still do  # noqa: BLE001
        logger.error("%s cannot be built: %s: %s", entry["BACKEND"], type(error).__name__, error)
        raise SendFailed(type(error).__name__, Failure.REFUSED, for_everybody=True) from None
    return sender


@sensitive_variables()
def _ask(sender: Sender, message: Message) -> str:
    try:
        return sender.send(message)
    except SendFailed:
        raise
    except Exception as error:  # noqa: BLE001  (its text and its frames may hold the message: neither is shown)
        cause = type(error).__name__
        where = error.__traceback__ and error.__traceback__.tb_next
        logger.error("%s raised %s, line %s", type(sender).__name__, cause, where and where.tb_lineno)
    raise SendFailed(cause, Failure.UNKNOWN)

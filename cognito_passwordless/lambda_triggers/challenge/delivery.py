"""Sends a code, and takes the same time for a person who gets no message."""

import os
import time

from ...otp.codes import Keyring, derive
from ...otp.policy import Policy
from ...otp.records import replace
from ..aws.secrets import mark
from ..core.events import attributes_of, client_of, is_true, is_unknown, pool_of, username_of
from ..errors import Unavailable
from ..messages.otp import code_message
from . import state
from .interface import Round
from .limits import limits_of
from .state import PURPOSE, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..messages.senders import Message

# Seconds. Another start of the same sign-in within them counts as a repeat by Cognito, and gets the same code.
REPEAT_WINDOW = 30
# The last messages: seconds to hand over, and whether the provider failed; newest last. A decoy imitates one of them,
# or the guess before the first one.
_KEPT, _GUESS = 32, (0.25, False)
_experience: list[tuple[float, bool]] = []


class Delivery:
    """The messages of one round."""

    def __init__(self, due: Round, policy: Policy, keys: Keyring) -> None:
        self._due = due
        self._policy = policy
        self._keys = keys
        self._limits = due.limits or limits_of(due.settings, due.deadline)
        self._owner = state.limits_owner(keys, pool_of(due.event), username_of(due.event))
        self.medium = "SMS" if due.settings.channel == "sms" else "EMAIL"
        self._destination = _destination(due)
        self.deliverable = bool(self._destination) and not is_unknown(due.event)

    @property
    def masked(self) -> str:
        """The destination as the client may see it. A user without one has an invented one, always the same."""
        shown = self._destination if self.deliverable else self._imagined()
        if self.medium == "SMS":
            return "+*******" + shown[-4:]
        local, _, domain = shown.partition("@")
        return f"{local[:1]}***@{domain[:1]}***"

    def _imagined(self) -> str:
        username = username_of(self._due.event)
        if self.medium == "EMAIL" and "@" in username:
            return username
        if self.medium == "SMS" and username.startswith("+"):
            return username
        digest = bytes.fromhex(mark(self._keys.keys[-1].secret, "imagined", pool_of(self._due.event), username))
        letters = [chr(ord("a") + byte % 26) for byte in digest[:2]]
        number = int.from_bytes(digest[2:8], "big") % 10_000
        return f"+{number:08d}" if self.medium == "SMS" else "@".join(letters)

    def number(self) -> str:
        """The second half of a new challenge's id, as `Limits.number` says."""
        event, window = self._due.event, str(int(self._due.now // REPEAT_WINDOW))
        key = self._keys.current.secret
        repeat = mark(key, "repeat", pool_of(event), client_of(event), username_of(event), window)
        try:
            return self._limits.number(self._owner, repeat, os.urandom(16).hex(), REPEAT_WINDOW, self._due.now)
        except Unavailable as error:
            # No message will go out either, so any number will do.
            self._due.note.add(store=error.cause)
            return repeat

    def send(self, current: State, message: str) -> tuple[State, str]:
        """Sends the code of ``current``. Returns the state after it, and the word for the client.

        A failed message costs no attempt and no cool-down, but counts as a send: it may have cost money.
        """
        failed = replace(current, challenge=replace(current.challenge, last_sent_at=0.0))
        try:
            if not self._limits.claim_send(self._owner, self._due.now):
                return failed, "send_limit"
        except Unavailable as error:
            self._due.note.add(store=error.cause)
            return failed, "send_failed"
        it = current.challenge
        key = self._keys.find(it.fingerprint)
        if key is None:
            raise Unavailable("key_gone")
        # A decoy's message is composed too, so that it takes as long.
        code = derive(key, it.id, purpose=PURPOSE, generation=it.generation, length=self._policy.length)
        left = it.issued_at + self._policy.ttl - self._due.now
        recipient = self._destination if self.deliverable else self._imagined()
        composed = code_message(code, recipient, seconds_left=left, settings=self._due.settings)
        if self.deliverable:
            sent = self._hand_over(composed)
        else:
            duration, provider_failed = _experience[os.urandom(1)[0] % len(_experience)] if _experience else _GUESS
            self._wait(time.monotonic(), duration)
            self._due.note.add(sender="none")
            sent = not provider_failed
        return (current, message) if sent else (failed, "send_failed")

    def _hand_over(self, message: "Message") -> bool:
        """Whether a provider took the message, or refused it for a reason that must stay secret."""
        from ..messages.senders import deliver  # noqa: PLC0415  # only a real message needs it

        started, provider_failed = time.monotonic(), False
        send = self._due.send or deliver
        settings, deadline = self._due.settings, self._due.deadline
        try:
            self._due.note.add(sender=send(message, settings=settings, deadline=deadline))
        except Unavailable as error:
            self._due.note.add(sender=error.cause)
            provider_failed = not error.personal
        _experience.append((time.monotonic() - started, provider_failed))
        del _experience[:-_KEPT]
        self._wait(started, 0)
        return not provider_failed

    def _wait(self, started: float, seconds: float) -> None:
        """Waits until ``seconds`` and ``OTP_SEND_FLOOR_MS`` have passed since ``started``."""
        seconds = max(seconds, self._due.settings.number("OTP_SEND_FLOOR_MS", 0) / 1000)
        left = min(started + seconds - time.monotonic(), self._due.deadline.left)
        if left > 0:
            time.sleep(left)


def _destination(due: Round) -> str:
    """The address that the user's attributes give, unless they call it unproven."""
    name = "phone_number" if due.settings.channel == "sms" else "email"
    attributes = attributes_of(due.event)
    flag = attributes.get(f"{name}_verified")
    if flag is None:
        return "" if due.settings.require_verified else attributes.get(name, "")
    return attributes.get(name, "") if is_true(flag) else ""

"""Codes are derived, never stored (law 1).

A code is a keyed hash over the challenge's random id, its purpose and its generation. A host with the key can
derive it again, so a retry or a second provider sends the same code, and no table, queue or log ever needs it.
"""

import hashlib
import hmac
from collections.abc import Iterable

from .records import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_KEY_CONTEXT = b"cognito_passwordless.otp.key.v1"
_FINGERPRINT_CONTEXT = b"cognito_passwordless.otp.fingerprint.v1"
_CODE_CONTEXT = b"cognito_passwordless.otp.code.v1"


class Code:
    """Digits that do not show themselves: not in ``repr``, ``str``, a format string or a pickle.

    Error reports print local variables and logs print arguments; only an explicit `reveal` gives the digits.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def reveal(self) -> str:
        """The digits, for the message that is sent and nothing else."""
        return self._digits

    def __repr__(self) -> str:
        return "Code('••••••')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Code):
            return NotImplemented
        return matches(self, other)

    def __hash__(self) -> int:
        return hash(Code)

    def __reduce__(self) -> "NoReturn":
        raise TypeError("a code must not be pickled: queues, caches and sessions are places at rest")


@record(frozen=True, slots=True)
class Key:
    """A key that derives codes, and the fingerprint that names it without revealing it."""

    secret: bytes = field(repr=False)
    fingerprint: str

    @classmethod
    def from_secret(cls, secret: str | bytes) -> "Key":
        """Derives a key of our own from a host's secret, so that the same secret may serve other purposes.

        Raises `ValueError` for an empty secret.
        """
        raw = secret.encode() if isinstance(secret, str) else secret
        if not raw:
            raise ValueError("a key cannot be made from an empty secret")
        key = hmac.digest(raw, _KEY_CONTEXT, "sha256")
        return cls(key, hmac.digest(key, _FINGERPRINT_CONTEXT, "sha256").hex()[:16])


@record(frozen=True, slots=True)
class Keyring:
    """The current key first, then its predecessors: a challenge finds its own key by fingerprint."""

    keys: tuple[Key, ...]

    @classmethod
    def from_secrets(cls, secrets: Iterable[str | bytes]) -> "Keyring":
        """Raises `ValueError` when there is no secret at all, or an empty one."""
        keys = tuple(Key.from_secret(secret) for secret in secrets)
        if not keys:
            raise ValueError("a keyring needs at least one secret")
        return cls(keys)

    @property
    def current(self) -> Key:
        return self.keys[0]

    def find(self, fingerprint: str) -> Key | None:
        """The one key that may derive this challenge's code, or None when it has been retired."""
        return next((key for key in self.keys if key.fingerprint == fingerprint), None)


def derive(key: Key, challenge_id: str, *, purpose: str, generation: int, length: int) -> Code:
    """The code of one generation of one challenge: uniform over all ``10 ** length`` codes, zeros kept.

    The hash has 256 bits, so the remainder's bias is below ``10 ** length / 2 ** 256``. Fields are joined with
    their lengths, so no two different challenges share a message.
    """
    parts = (purpose.encode(), challenge_id.encode(), str(generation).encode())
    message = _CODE_CONTEXT + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    number = int.from_bytes(hmac.digest(key.secret, message, hashlib.sha256), "big")
    return Code(f"{number % 10**length:0{length}d}")


def matches(expected: Code, given: Code) -> bool:
    """Compares in constant time. An empty code matches nothing, itself included."""
    wanted, offered = expected.reveal().encode(), given.reveal().encode()
    return hmac.compare_digest(wanted, offered) and bool(wanted)

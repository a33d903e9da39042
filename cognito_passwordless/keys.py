"""Keys derived from ``SECRET_KEY`` and its fallbacks: for codes, for encryption, and for keyed hashes."""

import base64
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from .otp import Code, Keyring, derive

if TYPE_CHECKING:
    from .models import ChallengeSession

_ENCRYPTION_CONTEXT = b"cognito_passwordless.encryption.v1"
_TIE_CONTEXT = b"cognito_passwordless.tie.v1"
_MARK_CONTEXT = b"cognito_passwordless.mark.v1"
_TOMBSTONE_CONTEXT = b"cognito_passwordless.tombstone.v1"


def _secrets() -> tuple[bytes, ...]:
    return tuple(
        secret if isinstance(secret, bytes) else str(secret).encode()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


@lru_cache(maxsize=8)
def _keyring(secrets: tuple[bytes, ...]) -> Keyring:
    return Keyring.from_secrets(secrets)


@lru_cache(maxsize=8)
def _fernet(secrets: tuple[bytes, ...]) -> MultiFernet:
    keys = (hmac.digest(secret, _ENCRYPTION_CONTEXT, "sha256") for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def keyring() -> Keyring:
    """The keys that derive codes: the current one, then those of ``SECRET_KEY_FALLBACKS`` (law 1)."""
    return _keyring(_secrets())


def our_code(challenge: "ChallengeSession") -> Code | None:
    """The code of a challenge's current generation, by the one key that its row names (law 1); None when that key has
    been retired."""
    key = keyring().find(challenge.key_fingerprint)
    if key is None:
        return None
    return derive(
        key,
        str(challenge.pk),
        purpose=challenge.purpose,
        generation=challenge.generation,
        length=challenge.code_length,
    )


def encrypt(text: str) -> str:
    """Encrypts a secret that is stored for a while, such as a pool's sign-in session."""
    return _fernet(_secrets()).encrypt(text.encode()).decode()


def decrypt(token: str) -> str | None:
    """The text that was encrypted, or None if no current key decrypts it."""
    try:
        return _fernet(_secrets()).decrypt(token.encode()).decode()
    except InvalidToken:
        return None


def tie(fingerprint: str, purpose: str, subject: bytes) -> str | None:
    """A MAC of ``subject`` by the key of this fingerprint: 43 characters of base64url. None if that key has been
    retired."""
    key = keyring().find(fingerprint)
    if key is None:
        return None
    digest = hmac.digest(key.secret, _TIE_CONTEXT + purpose.encode() + b"\0" + subject, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def mark(text: str) -> str:
    """A keyed hash that stands for an address where the address itself must not appear (cookies)."""
    return hmac.digest(_secrets()[0], _MARK_CONTEXT + text.encode(), "sha256").hex()[:32]


def tombstones(text: str) -> dict[str, str]:
    """The marks of an erased person: for each key its fingerprint and a keyed hash of 128 bits, the current key first.
    A tombstone that was created with a fallback key is found by that key's mark."""
    return {
        key.fingerprint: hmac.digest(key.secret, _TOMBSTONE_CONTEXT + text.encode(), "sha256").hex()[:32]
        for key in keyring().keys
    }

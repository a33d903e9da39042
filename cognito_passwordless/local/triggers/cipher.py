"""The key that codes are encrypted with on their way to a custom sender.

Amazon Cognito uses the pool's KMS key and the AWS Encryption SDK. Here a key of one local Cognito stands in, unless a
pool is given a function that does it as Cognito does.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.fernet import Fernet

Encrypt = Callable[[str], bytes]


class LocalKey:
    """Gone with the local Cognito that it belongs to."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, ciphertext: bytes) -> str:
        """Raises InvalidToken for what this key has not encrypted."""
        return self._fernet.decrypt(ciphertext).decode()

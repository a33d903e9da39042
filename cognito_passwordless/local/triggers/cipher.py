"""The key that encrypts codes for a custom sender.

Amazon Cognito uses the pool's KMS key and the AWS Encryption SDK. Here a key of the local Cognito replaces both,
unless `attach_triggers` gets a function that encrypts as Cognito does.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.fernet import Fernet

Encrypt = Callable[[str], bytes]


class LocalKey:
    """A key that lives as long as its local Cognito."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, ciphertext: bytes) -> str:
        """Raises InvalidToken for what this key has not encrypted."""
        return self._fernet.decrypt(ciphertext).decode()

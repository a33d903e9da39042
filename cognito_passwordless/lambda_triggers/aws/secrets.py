"""Secrets of the environment or of Secrets Manager, and the keys made from them."""

import hmac
import time
from collections.abc import Callable

from ..core.deadline import Deadline
from ..core.environment import Settings
from ..errors import Misconfigured, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...otp.codes import Keyring

_MARK_CONTEXT = b"cognito_passwordless.lambda.mark.v1\0"
# Seconds that a warm function keeps what it read, so that a rotation reaches it.
KEEP = 300
_fetched: dict[str, tuple[float, str]] = {}
_keyrings: "dict[tuple[str, ...], Keyring]" = {}


def secret(name: str, *, settings: Settings, deadline: Deadline) -> str:
    """The secret ``name``, or what Secrets Manager holds at ``<name>_ARN``.

    Raises `Misconfigured` when neither is set, `Unavailable` when Secrets Manager does not answer and this function
    has never read it.
    """
    arn = settings.text(f"{name}_ARN")
    if not arn:
        value = settings.text(name)
        if not value:
            raise Misconfigured(f"{name} or {name}_ARN must be set")
        return value
    read_at, value = _fetched.get(arn, (float("-inf"), ""))
    now = time.monotonic()
    if now - read_at > KEEP:
        try:
            value = _fetch(arn, settings, deadline.share(2))
        except Unavailable:
            if not value:
                raise
        _fetched[arn] = (now, value)
    return value


def _fetch(arn: str, settings: Settings, deadline: Deadline) -> str:
    from .client import json_call  # noqa: PLC0415  # only functions with an ARN need the network

    target = "secretsmanager.GetSecretValue"
    answer = json_call("secretsmanager", target, {"SecretId": arn}, settings=settings, deadline=deadline)
    value = answer.get("SecretString")
    if not isinstance(value, str) or not value:
        raise Unavailable("secret_empty")
    return value


def keyring(settings: Settings, deadline: Deadline) -> "Keyring":
    """The keys that derive codes: one secret a line, the current one first, then those it replaced."""
    lines = secret("OTP_SECRET", settings=settings, deadline=deadline).splitlines()
    secrets = tuple(line.strip() for line in lines if line.strip())
    if not secrets:
        raise Misconfigured("OTP_SECRET is empty")
    keys = _keyrings.get(secrets)
    if keys is None:
        from ...otp.codes import Keyring  # noqa: PLC0415  # Define marks its log and derives nothing

        keys = _keyrings[secrets] = Keyring.from_secrets(secrets)
    return keys


def mark(key: bytes, *parts: str) -> str:
    """A keyed hash in place of a value that must not appear: 32 hexadecimal digits."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.digest(key, _MARK_CONTEXT + message, "sha256").hex()[:32]


def log_marker(settings: Settings) -> Callable[[str], str] | None:
    """The function that hashes a user name for the log, or None when there is no key at hand.

    A log line is not worth a call to Secrets Manager.
    """
    secret_text = settings.text("LOG_KEY") or settings.text("OTP_SECRET")
    if not secret_text:
        _, secret_text = _fetched.get(settings.text("OTP_SECRET_ARN"), (0.0, ""))
    return (lambda username: mark(secret_text.encode(), "log", username)[:16]) if secret_text else None

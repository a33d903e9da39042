"""Authorization codes: each is good for one exchange, for five minutes, for the client that requested it.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field

from ..testing.clock import Clock

LIFETIME = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for: the person, how they signed in, and the authorize request."""

    pool_id: str
    client_id: str
    redirect_uri: str
    challenge: str = field(repr=False)
    scope: tuple[str, ...]
    nonce: str = field(repr=False)
    person: str
    auth_time: int  # seconds since the epoch, by the machine's clock
    acr: str = ""  # empty where the request has no acr_values


class Grants:
    """All codes of one local Cognito. Safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, tuple[float, Grant]] = {}
        self._lock = threading.Lock()

    def issue(self, grant: Grant) -> str:
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._open[code] = (self._clock.now() + LIFETIME, grant)
        return code

    def redeem(self, code: str) -> Grant | None:
        """Return what the code stands for, once; None for one that is unknown, used or too old."""
        with self._lock:
            expires_at, grant = self._open.pop(code, (0.0, None))
        return grant if self._clock.now() < expires_at else None


def fits(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier belongs to an S256 challenge (RFC 7636 4.6)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    computed = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return 43 <= len(verifier) <= 128 and hmac.compare_digest(computed, challenge.encode())

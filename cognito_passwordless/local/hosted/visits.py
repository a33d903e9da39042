"""The open visits to the login page, and the browsers that are signed in."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from ..backend.directory import Client, Pool
from ..testing.clock import Clock

VISIT_LIFETIME = 900.0  # seconds
SESSION_LIFETIME = 3600.0  # as long as the cookie of Cognito's managed login


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """One valid authorize request."""

    pool: Pool
    client: Client
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    challenge: str = field(repr=False)
    scope: tuple[str, ...]
    form_post: bool
    acr_values: tuple[str, ...]
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str
    identity_provider: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A login in progress: the claimed user name, and the code that proves it."""

    login: LoginRequest
    claimed: str = ""
    person: str = ""  # empty where the challenge is simulated
    code: str = field(default="", repr=False)
    factor: int = 0  # 0: nothing sent yet, 1: first code sent, 2: second code sent
    expires_at: float = 0.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser that has signed in to a pool before."""

    pool_id: str
    person: str
    auth_time: int  # the machine's clock, for the token
    since: float  # the local Cognito's clock, for `max_age`
    factors: int


class Visits:
    """Visits and sessions by ids that cannot be guessed. Safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._visits: dict[str, Visit] = {}
        self._signed_in: dict[tuple[str, str], SignedIn] = {}
        self._lock = threading.Lock()

    def open(self, visit: Visit) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._visits[token] = visit
        return token

    def take(self, token: str) -> Visit | None:
        """Return the visit once: every page has an id of its own."""
        with self._lock:
            visit = self._visits.pop(token, None)
        return visit if visit and self._clock.now() < visit.expires_at else None

    def now(self) -> float:
        """The local Cognito's clock."""
        return self._clock.now()

    def expiry(self) -> float:
        return self._clock.now() + VISIT_LIFETIME

    def remember(self, cookie: str, session: SignedIn) -> str:
        """Sign the browser in, and return its (new) cookie."""
        with self._lock:
            # A cookie that was not issued here is replaced: an attacker may have planted it.
            if not any(issued == cookie for issued, _ in self._signed_in):
                cookie = secrets.token_urlsafe(32)
            self._signed_in[cookie, session.pool_id] = session
        return cookie

    def session(self, cookie: str, pool_id: str, max_age: int | None) -> SignedIn | None:
        with self._lock:
            session = self._signed_in.get((cookie, pool_id))
        limit = SESSION_LIFETIME if max_age is None else min(max_age, SESSION_LIFETIME)
        return session if session and self._clock.now() - session.since < limit else None

    def forget(self, cookie: str, pool_id: str) -> None:
        with self._lock:
            self._signed_in.pop((cookie, pool_id), None)

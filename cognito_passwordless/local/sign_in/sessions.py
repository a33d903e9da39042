"""Challenge sessions: opaque to the caller, bound to a client and a person, good for one success.

The laws, from the observed behaviour of Amazon Cognito:

- A wrong answer leaves the session usable, and no number of them locks it.
- Only one answer succeeds, however many arrive at once.
- An expired session and a used one say so, for right and wrong answers.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from ..backend.directory import Directory, Person
from ..testing.clock import Clock
from .eligibility import SignInRequest, admit
from .srp import Exchange

MIN_LENGTH, MAX_LENGTH = 20, 4096
# Amazon's are about a thousand characters. Ours are as long, so that a column or a cookie that is too short for the
# real ones fails here too.
_RANDOM_BYTES = 690


@dataclass(frozen=True, slots=True)
class Session:
    """One challenge that waits for its answer.

    `person` is the key of the pool's user, or None where the challenge is simulated. `username` is the name as it was
    typed. `code` is empty where the challenge has none. `rounds` is what Define will see, `private` what Verify will;
    `exchange` is the SRP in progress.
    """

    pool_id: str
    client_id: str
    username: str
    person: str | None
    challenge: str
    offered: tuple[str, ...]
    expires_at: float
    code: str = field(default="", repr=False)
    rounds: tuple[Mapping[str, Any], ...] = ()
    private: Mapping[str, str] = field(default_factory=dict, repr=False)
    exchange: Exchange | None = field(default=None, repr=False)


class Sessions:
    """All sessions of one local Cognito. Safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, Session] = {}
        self._used: set[str] = set()
        self._lock = threading.Lock()

    def open(self, session: Session) -> str:
        """Keep `session` and return the token that stands for it."""
        token = "AYABe" + secrets.token_urlsafe(_RANDOM_BYTES)
        with self._lock:
            self._open[token] = session
        return token

    def begin(
        self,
        sign_in: SignInRequest,
        person: Person | None,
        challenge: str,
        offered: tuple[str, ...] = (),
        **kept: Any,
    ) -> str:
        """Open the session of a sign-in's next challenge; `kept` are further fields of `Session`."""
        key, expires_at = person.key if person else None, self._clock.now() + sign_in.client.session_seconds
        pool_id, client_id = sign_in.pool.id, sign_in.client.id
        return self.open(Session(pool_id, client_id, sign_in.username, key, challenge, offered, expires_at, **kept))

    def resume(
        self, directory: Directory, sign_in: SignInRequest, token: str, challenge: str, *, admitted: bool = True
    ) -> tuple[Session, Person | None]:
        """The open session of a sign-in, and its person; None where the challenge is simulated. Raises PoolError."""
        session = self.read(token, sign_in.client.id)
        if session.challenge != challenge:
            raise errors.session_invalid()
        if session.person is None:
            # Simulated: no code finishes it, and it must answer like a real one.
            if sign_in.username != session.username:
                raise errors.session_invalid()
            return session, None
        person = directory.person(sign_in.pool.id, sign_in.username)
        if person is None or person.key != session.person:
            raise errors.session_invalid()
        # Before a right password the pool says nothing about a person.
        return session, admit(person, sign_in.client) if admitted and not session.exchange else person

    def of_exchange(self, secret_block: str) -> str:
        """The token of the session whose SRP has this secret block; empty where there is none."""
        with self._lock:
            rows = [(token, session.exchange) for token, session in self._open.items() if session.exchange]
        return next((token for token, srp in rows if srp.parameters()["SECRET_BLOCK"] == secret_block), "")

    def read(self, token: str, client_id: str) -> Session:
        """The session behind `token`. Raises PoolError if it is unknown, used or has run out."""
        if not MIN_LENGTH <= len(token) <= MAX_LENGTH:
            raise errors.parameter_invalid(
                "1 validation error detected: Value at 'session' failed to satisfy constraint: "
                f"Member must have length between {MIN_LENGTH} and {MAX_LENGTH}"
            )
        with self._lock:
            session = self._open.get(token)
            used = token in self._used
        if session is None or session.client_id != client_id:
            raise errors.session_invalid()
        if used:
            raise errors.session_used()
        if self._clock.now() >= session.expires_at:
            text = "Invalid session for the user, session is expired."  # seen
            raise errors.PoolError("NotAuthorizedException", text)
        return session

    def use_up(self, token: str) -> None:
        """Claim the one success of a session. Raises PoolError if another request has claimed it."""
        with self._lock:
            if token in self._used:
                raise errors.session_used()
            self._used.add(token)

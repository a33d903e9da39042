"""Sign-in by password: as it is typed, or by SRP, which never sends it.

This room checks the password; moto asks for what follows it, a new password or a second factor, and issues the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import errors
from ..backend.directory import Directory, Person
from ..triggers.sign_in import SignInTriggers
from ..triggers.tokens import AUTHENTICATION, issuing
from ..triggers.user_migration import UserMigration
from . import srp
from .eligibility import SignInRequest
from .sessions import Session, Sessions

Moto = Callable[[], Any]
PASSWORD_VERIFIER = "PASSWORD_VERIFIER"  # noqa: S105 - a challenge's name
SOURCES = {"NEW_PASSWORD_REQUIRED": "TokenGeneration_NewPasswordChallenge"}


class PasswordSignIn:
    def __init__(
        self, directory: Directory, sessions: Sessions, triggers: SignInTriggers, migration: UserMigration
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._triggers = triggers
        self._migration = migration

    def start(self, sign_in: SignInRequest, parameters: Mapping[str, str]) -> dict[str, Any]:
        """USER_PASSWORD_AUTH and its admin forms: the client sends the password, so a trigger can migrate."""
        password = str(parameters.get("PASSWORD") or "")
        person = self._directory.person(sign_in.pool.id, sign_in.username)
        if person is None:
            person = self._migration.sign_in(sign_in.who(None).caller, password, sign_in.metadata)
        self._before(sign_in, person)
        # ClientMetadata of InitiateAuth does not reach the triggers after it.
        return self._finish(sign_in, person, password, metadata=None)

    def start_srp(self, sign_in: SignInRequest, parameters: Mapping[str, str]) -> dict[str, Any]:
        """USER_SRP_AUTH: the challenge PASSWORD_VERIFIER, for unknown people too where the client hides them."""
        person = self._directory.person(sign_in.pool.id, sign_in.username)
        self._before(sign_in, person)
        return verifier(self._sessions, self._directory, sign_in, person=person, srp_a=offered_value(parameters))

    def chosen(
        self, sign_in: SignInRequest, person: Person | None, challenge: str, given: Mapping[str, str]
    ) -> dict[str, Any]:
        """USER_AUTH, where the person has chosen PASSWORD or PASSWORD_SRP."""
        if challenge == "PASSWORD_SRP":
            return verifier(self._sessions, self._directory, sign_in, person=person, srp_a=offered_value(given))
        if "PASSWORD" not in given:
            raise errors.parameter_missing("PASSWORD")
        return self._finish(sign_in, person, given["PASSWORD"], sign_in.metadata)

    def verify(self, sign_in: SignInRequest, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        """The answer to PASSWORD_VERIFIER. Raises PoolError for a wrong password."""
        _, person = proven(self._sessions, self._directory, sign_in, token, responses)
        password = self._directory.password(sign_in.pool.id, person.key)
        return self._finish(sign_in, person, password or "", sign_in.metadata)

    def respond(self, sign_in: SignInRequest, challenge: str, moto: Moto) -> Any:
        """The answer to what moto asks for after a password."""
        person = self._directory.person(sign_in.pool.id, sign_in.username)
        with issuing(SOURCES.get(challenge, AUTHENTICATION), sign_in.metadata):
            answer = moto().result
        return self._finished(answer, sign_in, person, sign_in.metadata)

    def _before(self, sign_in: SignInRequest, person: Person | None) -> None:
        if person is None and not sign_in.client.hides_unknown:
            raise errors.user_unknown()
        self._triggers.before(sign_in.who(person), sign_in.metadata)

    def _finish(
        self, sign_in: SignInRequest, person: Person | None, password: str, metadata: Mapping[str, str] | None
    ) -> dict[str, Any]:
        if person is None or not person.has_password:
            raise errors.wrong_credentials()
        with issuing(AUTHENTICATION, metadata):
            answer = self._directory.sign_in_by_password(sign_in.pool.id, sign_in.client.id, person.key, password)
        return self._finished(answer, sign_in, person, metadata)

    def _finished(
        self,
        answer: dict[str, Any],
        sign_in: SignInRequest,
        person: Person | None,
        metadata: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        if "AuthenticationResult" in answer and person is not None:
            if person.status == "RESET_REQUIRED":
                raise errors.PoolError("PasswordResetRequiredException", "Password reset required for the user")
            self._triggers.after(sign_in.who(person), metadata)
        return answer


def offered_value(parameters: Mapping[str, str]) -> int:
    """The client's first value. Raises PoolError for one that is missing or would reveal the key."""
    value = srp.public_value(parameters.get("SRP_A") or "")
    if value is None:
        raise errors.parameter_invalid("SRP_A is not a number, or a forbidden one")
    return value


def verifier(
    sessions: Sessions,
    directory: Directory,
    sign_in: SignInRequest,
    *,
    person: Person | None,
    srp_a: int,
    rounds: tuple[Mapping[str, Any], ...] = (),
) -> dict[str, Any]:
    """The challenge that only the password answers; without a person nothing does."""
    name = sign_in.who(person).caller.user_name
    password = directory.password(sign_in.pool.id, name) if person else None
    exchange = srp.Exchange.begin(sign_in.pool.id, name, password, srp_a)
    return {
        "ChallengeName": PASSWORD_VERIFIER,
        "Session": sessions.begin(sign_in, person, PASSWORD_VERIFIER, rounds=rounds, exchange=exchange),
        "ChallengeParameters": {**exchange.parameters(), "USERNAME": name, "USER_ID_FOR_SRP": name},
    }


def proven(
    sessions: Sessions, directory: Directory, sign_in: SignInRequest, token: str, responses: Mapping[str, str]
) -> tuple[Session, Person]:
    """The session and person of a right answer to PASSWORD_VERIFIER, once. Raises PoolError."""
    session, person = sessions.resume(directory, sign_in, token, PASSWORD_VERIFIER)
    sessions.use_up(token)
    if session.exchange is None or person is None or not session.exchange.proves(responses):
        raise errors.wrong_credentials()
    return session, person

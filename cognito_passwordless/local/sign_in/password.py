"""The sign-ins that moto does, by password and with a refresh token, with the triggers around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.cognitoidp.exceptions import UserNotFoundError

from .. import errors
from ..backend.directory import Client, Directory
from ..triggers.sign_in import SignInTriggers, SignInUser
from ..triggers.tokens import AUTHENTICATION, issuing
from ..triggers.user_migration import UserMigration

Moto = Callable[[], Any]
# The client sends the password itself, so a migration trigger can check it.
WITH_PASSWORD = frozenset({"USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"})
REFRESH = frozenset({"REFRESH_TOKEN", "REFRESH_TOKEN_AUTH"})
SOURCES = {"NEW_PASSWORD_REQUIRED": "TokenGeneration_NewPasswordChallenge"}


class PasswordSignIn:
    def __init__(self, directory: Directory, triggers: SignInTriggers, migration: UserMigration) -> None:
        self._directory = directory
        self._triggers = triggers
        self._migration = migration

    def start(self, request: Mapping[str, Any], moto: Moto) -> Any:
        """InitiateAuth. Raises PoolError, or what moto raises."""
        if request.get("AuthFlow") in REFRESH:
            with issuing("TokenGeneration_RefreshTokens"):
                return moto()
        parameters, metadata = request.get("AuthParameters") or {}, request.get("ClientMetadata")
        who, client = self._who(request, parameters)
        if who.person is None and request.get("AuthFlow") in WITH_PASSWORD:
            person = self._migration.sign_in(who.caller, str(parameters.get("PASSWORD") or ""), metadata)
            who = SignInUser(who.pool_id, who.client_id, who.name, person)
        if who.person is not None or client.hides_unknown:
            self._triggers.before(who, metadata)
        with issuing(AUTHENTICATION):
            answer = _hiding_unknown(client, moto)
        # ClientMetadata of InitiateAuth does not reach the triggers after it.
        return self._finished(answer, who, None)

    def respond(self, request: Mapping[str, Any], moto: Moto) -> Any:
        """RespondToAuthChallenge."""
        metadata = request.get("ClientMetadata")
        who, client = self._who(request, request.get("ChallengeResponses") or {})
        with issuing(SOURCES.get(str(request.get("ChallengeName")), AUTHENTICATION), metadata):
            answer = _hiding_unknown(client, moto)
        return self._finished(answer, who, metadata)

    def _who(self, request: Mapping[str, Any], given: Mapping[str, str]) -> tuple[SignInUser, Client]:
        pool, client = self._directory.client(str(request.get("ClientId") or ""), request.get("UserPoolId"))
        name = given.get("USERNAME") or ""
        return SignInUser(pool.id, client.id, name, self._directory.person(pool.id, name) if name else None), client

    def _finished(self, answer: Any, who: SignInUser, metadata: Mapping[str, str] | None) -> Any:
        if "AuthenticationResult" in answer.result and who.person is not None:
            self._triggers.after(who, metadata)
        return answer


def _hiding_unknown(client: Client, moto: Moto) -> Any:
    # moto ignores PreventUserExistenceErrors; its password flows should not.
    try:
        return moto()
    except UserNotFoundError:
        if client.hides_unknown:
            raise errors.wrong_credentials() from None
        raise

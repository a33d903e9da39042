"""The four sign-in operations: shared checks, then the flow or challenge by two tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .. import errors
from ..backend.directory import Directory
from .choice import ChoiceSignIn
from .custom import CustomSignIn
from .eligibility import MEDIA, SignInRequest
from .password import PASSWORD_VERIFIER, PasswordSignIn
from .refresh import Refresh
from .secret_hash import check_secret_hash
from .sessions import Sessions

Start = Callable[[SignInRequest, Mapping[str, str]], dict[str, Any]]
Answer = Callable[[SignInRequest, str, Mapping[str, str]], dict[str, Any]]
# What a client must have one of, in the words of today and of before: API_CreateUserPoolClient.html.
ENABLED = {
    "USER_AUTH": {"ALLOW_USER_AUTH"},
    "CUSTOM_AUTH": {"ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"},
    "USER_SRP_AUTH": {"ALLOW_USER_SRP_AUTH"},
    "USER_PASSWORD_AUTH": {"ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"},
    "ADMIN_USER_PASSWORD_AUTH": {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"},
    "ADMIN_NO_SRP_AUTH": {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"},
}


class Authentication:
    """InitiateAuth and RespondToAuthChallenge, and their admin forms."""

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        *,
        choice: ChoiceSignIn,
        custom: CustomSignIn,
        passwords: PasswordSignIn,
        refresh: Refresh,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._custom = custom
        self._passwords = passwords
        self._refresh = refresh
        self._flows: dict[str, Start] = {
            "USER_AUTH": choice.start,
            "CUSTOM_AUTH": custom.start,
            "USER_SRP_AUTH": passwords.start_srp,
            "USER_PASSWORD_AUTH": passwords.start,
            "ADMIN_USER_PASSWORD_AUTH": passwords.start,
            "ADMIN_NO_SRP_AUTH": passwords.start,
        }
        self._challenges: dict[str, Answer] = {"SELECT_CHALLENGE": choice.select}
        self._challenges |= {name: partial(choice.enter, challenge=name) for name in MEDIA}
        self._challenges |= {"CUSTOM_CHALLENGE": custom.enter, PASSWORD_VERIFIER: self._verify}

    def initiate(self, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
        """Answer InitiateAuth or AdminInitiateAuth."""
        parameters, flow = request.get("AuthParameters") or {}, str(request.get("AuthFlow"))
        if flow in {"REFRESH_TOKEN", "REFRESH_TOKEN_AUTH"}:
            return self._refresh.initiate(request, parameters)
        if flow not in self._flows:
            return moto().result  # type: ignore[no-any-return]  # moto is untyped; it refuses
        sign_in = self._identify(request, parameters)
        if not ENABLED[flow] & sign_in.client.flows:
            raise errors.flow_not_enabled(flow)
        return self._flows[flow](sign_in, parameters)

    def respond(self, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
        """Answer RespondToAuthChallenge or its admin form."""
        responses, name = request.get("ChallengeResponses") or {}, str(request.get("ChallengeName"))
        sign_in = self._identify(request, responses)
        challenge = self._challenges.get(name)
        if challenge is None:
            return self._passwords.respond(sign_in, name, moto)  # type: ignore[no-any-return]  # moto is untyped
        return challenge(sign_in, sign_in.session, responses)

    def _verify(self, sign_in: SignInRequest, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        """A password by SRP, alone or before the pool's own challenge."""
        # Clients of USER_SRP_AUTH such as pycognito send back the secret block alone.
        token = token or self._sessions.of_exchange(responses.get("PASSWORD_CLAIM_SECRET_BLOCK") or "")
        rounds = self._sessions.read(token, sign_in.client.id).rounds
        return (self._custom.enter_password if rounds else self._passwords.verify)(sign_in, token, responses)

    def _identify(self, request: Mapping[str, Any], given: Mapping[str, str]) -> SignInRequest:
        client_id = str(request.get("ClientId") or "")
        pool, client = self._directory.client(client_id, request.get("UserPoolId"))
        username = given.get("USERNAME")
        if not username:
            raise errors.parameter_missing("USERNAME")
        check_secret_hash(given.get("SECRET_HASH"), secret=client.secret, client_id=client.id, username=username)
        return SignInRequest(pool, client, username, request.get("ClientMetadata"), request.get("Session") or "")

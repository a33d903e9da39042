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
from .secret_hash import check_secret_hash

Start = Callable[[SignInRequest, Mapping[str, str]], dict[str, Any]]
Answer = Callable[[SignInRequest, str, Mapping[str, str]], dict[str, Any]]


class Authentication:
    """InitiateAuth and RespondToAuthChallenge, and their admin forms."""

    def __init__(self, directory: Directory, choice: ChoiceSignIn, custom: CustomSignIn) -> None:
        self._directory = directory
        self._custom = custom
        self._flows: dict[str, Start] = {"USER_AUTH": choice.start, "CUSTOM_AUTH": custom.start}
        self._challenges: dict[str, Answer] = {"SELECT_CHALLENGE": choice.select}
        self._challenges |= {name: partial(choice.enter, challenge=name) for name in MEDIA}
        self._challenges["CUSTOM_CHALLENGE"] = custom.enter
        self._challenges["PASSWORD_VERIFIER"] = custom.enter_password

    def initiate(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer InitiateAuth or AdminInitiateAuth. None: leave the flow to moto."""
        parameters = request.get("AuthParameters") or {}
        flow = self._flows.get(str(request.get("AuthFlow")))
        sign_in = self._identify(request, parameters, required=flow is not None)
        return flow(sign_in, parameters) if flow and sign_in else None

    def respond(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer RespondToAuthChallenge or its admin form. None: leave it to moto."""
        responses = request.get("ChallengeResponses") or {}
        challenge = self._challenges.get(str(request.get("ChallengeName")))
        if challenge == self._custom.enter_password and not self._custom.owns(request.get("Session") or ""):
            # A password sign-in that moto began.
            challenge = None
        sign_in = self._identify(request, responses, required=challenge is not None)
        if challenge is None or sign_in is None:
            return None
        return challenge(sign_in, request.get("Session") or "", responses)

    def _identify(
        self, request: Mapping[str, Any], given: Mapping[str, str], *, required: bool
    ) -> SignInRequest | None:
        client_id = str(request.get("ClientId") or "")
        pool, client = self._directory.client(client_id, request.get("UserPoolId"))
        username = given.get("USERNAME")
        if not username:
            if required:
                raise errors.parameter_missing("USERNAME")
            return None
        check_secret_hash(given.get("SECRET_HASH"), secret=client.secret, client_id=client.id, username=username)
        return SignInRequest(pool, client, username, request.get("ClientMetadata"))

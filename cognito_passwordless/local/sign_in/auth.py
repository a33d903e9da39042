"""The four sign-in operations: which flow or challenge goes where, after the checks all share.

A new flow is one more entry in each of the two tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import errors
from ..backend.directory import Directory
from .choice import ChoiceSignIn
from .custom import CustomSignIn
from .eligibility import MEDIA, Asked
from .secret_hash import check_secret_hash

Start = Callable[[Asked, Mapping[str, str]], dict[str, Any]]
Answer = Callable[[Asked, str, Mapping[str, str]], dict[str, Any]]


class Authentication:
    """InitiateAuth and RespondToAuthChallenge, and their admin forms."""

    def __init__(self, directory: Directory, choice: ChoiceSignIn, custom: CustomSignIn) -> None:
        self._directory = directory
        self._custom = custom
        self._flows: dict[str, Start] = {"USER_AUTH": choice.start, "CUSTOM_AUTH": custom.start}
        self._challenges: dict[str, Answer] = {"SELECT_CHALLENGE": choice.select}
        self._challenges |= {name: _code_entry(choice, name) for name in MEDIA}
        self._challenges["CUSTOM_CHALLENGE"] = custom.enter
        self._challenges["PASSWORD_VERIFIER"] = custom.enter_password

    def initiate(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer InitiateAuth or AdminInitiateAuth. None: leave the flow to moto."""
        parameters = request.get("AuthParameters") or {}
        flow = self._flows.get(str(request.get("AuthFlow")))
        asked = self._identify(request, parameters, required=flow is not None)
        return flow(asked, parameters) if flow and asked else None

    def respond(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer RespondToAuthChallenge or its admin form. None: leave it to moto."""
        responses = request.get("ChallengeResponses") or {}
        challenge = self._challenges.get(str(request.get("ChallengeName")))
        if challenge == self._custom.enter_password and not self._custom.owns(request.get("Session") or ""):
            # A password sign-in that moto began.
            challenge = None
        asked = self._identify(request, responses, required=challenge is not None)
        if challenge is None or asked is None:
            return None
        return challenge(asked, request.get("Session") or "", responses)

    def _identify(self, request: Mapping[str, Any], given: Mapping[str, str], *, required: bool) -> Asked | None:
        client_id = str(request.get("ClientId") or "")
        pool, client = self._directory.client(client_id, request.get("UserPoolId"))
        username = given.get("USERNAME")
        if not username:
            if required:
                raise errors.parameter_missing("USERNAME")
            return None
        check_secret_hash(
            given.get("SECRET_HASH"),
            secret=client.secret,
            client_id=client.id,
            username=username,
        )
        return Asked(pool, client, username, request.get("ClientMetadata"))


def _code_entry(choice: ChoiceSignIn, challenge: str) -> Answer:
    def enter(asked: Asked, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        return choice.enter(asked, token, responses, challenge)

    return enter

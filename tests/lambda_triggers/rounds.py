"""Cognito's side of a custom sign-in, in memory: the events it makes and what it does with the answers."""

import copy
import re
from collections.abc import Mapping
from typing import Any

from cognito_passwordless.lambda_triggers import (
    create_auth_challenge,
    define_auth_challenge,
    verify_auth_challenge_response,
)
from cognito_passwordless.lambda_triggers.core.deadline import Deadline
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Unavailable
from cognito_passwordless.lambda_triggers.messages.senders import Message
from cognito_passwordless.lambda_triggers.runtime import Note

POOL = "eu-west-1_Example"
NOW = 1_790_000_000.0
PHONE = "+4915100000123"
# Seconds. A test of anything but time must not fail because its machine is busy.
UNHURRIED = 600
# Seconds until Cognito calls a trigger again (see `deadline`): what a test of time holds a trigger to.
COGNITO_WAITS = 5
ENVIRONMENT = {"OTP_SECRET": "a secret of the tests, long enough", "OTP_APP_NAME": "Example"}


class Post:
    """A sender that keeps what it is given; ``cause`` makes it fail."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.failure: Unavailable | None = None

    def __call__(self, message: Message, *, settings: Settings, deadline: Deadline) -> str:
        if self.failure:
            raise self.failure
        self.messages.append(message)
        return "post"

    @property
    def code(self) -> str:
        return code_in(self.messages[-1])


def code_in(message: Message) -> str:
    found = re.search(r"(?<!\d)\d{6,10}(?!\d)", message.text)
    assert found
    return found.group()


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


def event(
    source: str,
    request: Mapping[str, Any],
    *,
    username: str = "user-1",
    response: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An event as Cognito makes it, which leaves ``response`` full of nulls."""
    return {
        "version": "1",
        "region": "eu-west-1",
        "userPoolId": POOL,
        "userName": username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "client1"},
        "triggerSource": source,
        "request": dict(request),
        "response": dict(response or {}),
    }


class SignIn:
    """One sign-in from InitiateAuth to tokens or failure. ``outcome`` is "tokens", "failed" or "" while it goes on."""

    def __init__(
        self,
        post: Post,
        *,
        now: float = NOW,
        username: str = "user-1",
        attributes: Mapping[str, str] | None = None,
        unknown: bool = False,
        session: list[dict[str, Any]] | None = None,
        limits: Any = None,
        ask: Any = None,
        seconds: float = UNHURRIED,
        **environment: str,
    ) -> None:
        self.settings = Settings({**ENVIRONMENT, **environment})
        self.post = post
        self.now = now
        self.username = username
        known = {"sub": username, "phone_number": PHONE, "phone_number_verified": "true"}
        self.attributes = {} if unknown else dict(known if attributes is None else attributes)
        self.unknown = unknown
        self.session = list(session or [])
        self.limits = limits
        self.ask = ask
        self.seconds = seconds
        self.public: dict[str, str] = {}
        self.private: dict[str, str] = {}
        self.outcome = ""
        self.seen: list[dict[str, Any]] = []

    def parts(self) -> dict[str, Any]:
        return {"settings": self.settings, "now": self.now, "deadline": Deadline(self.seconds), "note": Note()}

    def request(self, metadata: Mapping[str, str] | None, **more: Any) -> dict[str, Any]:
        return {
            "userAttributes": dict(self.attributes),
            "userNotFound": self.unknown,
            "clientMetadata": metadata,
            **more,
        }

    def start(self) -> "SignIn":
        self._define(None)
        return self

    def answer(self, text: Any, metadata: Mapping[str, str] | None = None) -> str:
        """RespondToAuthChallenge; the outcome so far."""
        assert not self.outcome
        asked = event(
            "VerifyAuthChallengeResponse_Authentication",
            self.request(metadata, privateChallengeParameters=dict(self.private), challengeAnswer=text),
            username=self.username,
            response={"answerCorrect": None},
        )
        self.seen.append(asked)
        result = verify_auth_challenge_response.respond(asked, **self.parts(), limits=self.limits, ask=self.ask)
        self.session[-1]["challengeResult"] = result["response"]["answerCorrect"]
        self._define(metadata)
        return self.outcome

    def resend(self) -> str:
        return self.answer("resend", {"action": "resend"})

    def create_event(self, metadata: Mapping[str, str] | None) -> dict[str, Any]:
        return event(
            "CreateAuthChallenge_Authentication",
            self.request(metadata, challengeName="CUSTOM_CHALLENGE", session=copy.deepcopy(self.session)),
            username=self.username,
            response={
                "publicChallengeParameters": None,
                "privateChallengeParameters": None,
                "challengeMetadata": None,
            },
        )

    def _define(self, metadata: Mapping[str, str] | None) -> None:
        asked = event(
            "DefineAuthChallenge_Authentication",
            self.request(metadata, session=copy.deepcopy(self.session)),
            username=self.username,
            response={"challengeName": None, "issueTokens": None, "failAuthentication": None},
        )
        self.seen.append(asked)
        response = define_auth_challenge.respond(asked, **self.parts())["response"]
        if response["issueTokens"] or response["failAuthentication"]:
            self.outcome = "tokens" if response["issueTokens"] else "failed"
            return
        self.challenge = response["challengeName"]
        if self.challenge == "CUSTOM_CHALLENGE":
            self._create(metadata)

    def _create(self, metadata: Mapping[str, str] | None) -> None:
        asked = self.create_event(metadata)
        self.seen.append(asked)
        result = create_auth_challenge.respond(asked, **self.parts(), send=self.post, limits=self.limits)
        response = result["response"]
        self.public = response["publicChallengeParameters"]
        self.private = response["privateChallengeParameters"]
        self.session.append(
            {
                "challengeName": "CUSTOM_CHALLENGE",
                "challengeResult": None,
                "challengeMetadata": response["challengeMetadata"],
            }
        )

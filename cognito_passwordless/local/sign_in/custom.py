"""CUSTOM_AUTH: a sign-in whose rounds the pool's own triggers define, create and verify.

The laws, from the observed behaviour of Amazon Cognito:

- Every answer uses up its session, right or wrong; after a wrong one there is a new session where Define goes on.
- Define sees every round so far; Verify sees none, only the private parameters of the newest.
- Unknown people go through the same triggers, with `userNotFound` true, where the client hides who exists.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-challenge.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import errors
from ..backend.directory import Directory, Person, attributes_of
from ..triggers.runner import Triggers, strings, unusable
from ..triggers.sign_in import SOURCE, SignInTriggers, SignInUser
from ..triggers.tokens import AUTHENTICATION, issuing
from .eligibility import SignInRequest, admit, admitted
from .password import PASSWORD_VERIFIER, offered_value, proven, verifier
from .sessions import MAX_LENGTH, Sessions

CUSTOM = "CUSTOM_CHALLENGE"
# What Cognito adds to this state when it encrypts it into a session.
OVERHEAD = 1024


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of a sign-in: the request, the person, and the rounds so far. `srp_a` is the client's first value."""

    sign_in: SignInRequest
    person: Person | None
    rounds: tuple[Mapping[str, Any], ...] = ()
    metadata: Mapping[str, str] | None = None
    srp_a: int | None = None

    @property
    def name(self) -> str:
        """The pool's name for the person, or what was typed."""
        return self.who.caller.user_name

    @property
    def who(self) -> SignInUser:
        return self.sign_in.who(self.person)


class CustomSignIn:
    """Starts and answers CUSTOM_AUTH for the people of one directory."""

    def __init__(self, directory: Directory, sessions: Sessions, triggers: Triggers, around: SignInTriggers) -> None:
        self._directory = directory
        self._sessions = sessions
        self._triggers = triggers
        self._around = around

    def start(self, sign_in: SignInRequest, parameters: Mapping[str, str]) -> dict[str, Any]:
        """InitiateAuth: the first challenge, or PoolError."""
        if not all(self._triggers.has(sign_in.pool.id, name) for name in _NEEDED):
            raise errors.parameter_invalid("Custom auth lambda trigger is not configured for the user pool.")
        person = admitted(self._directory, sign_in)
        self._around.before(Turn(sign_in, person).who, sign_in.metadata)
        if parameters.get("CHALLENGE_NAME") != "SRP_A":
            return self._advance(Turn(sign_in, person))
        client_value = offered_value(parameters)
        return self._advance(Turn(sign_in, person, (_round("SRP_A", right=True),), srp_a=client_value))

    def enter(self, sign_in: SignInRequest, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        """The answer to CUSTOM_CHALLENGE: another challenge, tokens, or PoolError."""
        session, person = self._sessions.resume(self._directory, sign_in, token, CUSTOM)
        answer = responses.get("ANSWER")
        if answer is None:
            raise errors.parameter_missing("ANSWER")
        self._sessions.use_up(token)
        request = {
            "userAttributes": attributes_of(person),
            "privateChallengeParameters": dict(session.private),
            "challengeAnswer": answer,
            "clientMetadata": sign_in.metadata,
            "userNotFound": person is None,
        }
        turn = Turn(sign_in, person, session.rounds, sign_in.metadata)
        response = self._ask("VerifyAuthChallengeResponse", turn, request, ("answerCorrect",))
        correct = response.get("answerCorrect")
        if not isinstance(correct, bool):
            raise unusable("answerCorrect")
        newest = {**session.rounds[-1], "challengeResult": correct}
        return self._advance(replace(turn, rounds=(*session.rounds[:-1], newest)))

    def enter_password(self, sign_in: SignInRequest, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        """The answer to PASSWORD_VERIFIER: the next challenge, or PoolError. A wrong password ends it."""
        session, person = proven(self._sessions, self._directory, sign_in, token, responses)
        admit(person, sign_in.client)
        rounds = (*session.rounds, _round(PASSWORD_VERIFIER, right=True))
        return self._advance(Turn(sign_in, person, rounds, sign_in.metadata))

    def _advance(self, turn: Turn) -> dict[str, Any]:
        """Ask Define for the next step, and take it."""
        request = self._about(turn)
        keys = ("challengeName", "issueTokens", "failAuthentication")
        response = self._ask("DefineAuthChallenge", turn, request, keys)
        if response.get("failAuthentication") is True:
            raise errors.wrong_credentials()
        if response.get("issueTokens") is True:
            if turn.person is None:
                # Amazon Cognito never issues tokens to an unknown person, whatever a trigger says.
                raise errors.wrong_credentials()
            with issuing(AUTHENTICATION, turn.metadata):
                tokens = self._directory.tokens.issue(turn.sign_in.pool.id, turn.sign_in.client.id, turn.person.key)
            self._around.after(turn.who, turn.metadata)
            return tokens
        name = response.get("challengeName")
        if name == PASSWORD_VERIFIER and turn.srp_a is not None:
            return verifier(
                self._sessions, self._directory, turn.sign_in, person=turn.person, srp_a=turn.srp_a, rounds=turn.rounds
            )
        if name != CUSTOM:
            raise unusable("challengeName")
        return self._create(turn)

    def _create(self, turn: Turn) -> dict[str, Any]:
        request = {**self._about(turn), "challengeName": CUSTOM}
        keys = ("publicChallengeParameters", "privateChallengeParameters", "challengeMetadata")
        response = self._ask("CreateAuthChallenge", turn, request, keys)
        public = strings(response.get("publicChallengeParameters"), "publicChallengeParameters")
        private = strings(response.get("privateChallengeParameters"), "privateChallengeParameters")
        remembered = response.get("challengeMetadata")
        if remembered is not None and not isinstance(remembered, str):
            raise unusable("challengeMetadata")
        newest = {"challengeName": CUSTOM, "challengeResult": None, "challengeMetadata": remembered}
        following = replace(turn, rounds=(*turn.rounds, newest))
        if len(json.dumps([following.rounds, private])) * 4 / 3 + OVERHEAD > MAX_LENGTH:
            raise unusable("session: it does not fit into 4096 characters")
        token = self._sessions.begin(turn.sign_in, turn.person, CUSTOM, rounds=following.rounds, private=private)
        return {"ChallengeName": CUSTOM, "Session": token, "ChallengeParameters": {**public, "USERNAME": turn.name}}

    @staticmethod
    def _about(turn: Turn) -> dict[str, Any]:
        """The request of both Define and Create. A first call has been seen without the last two keys."""
        request: dict[str, Any] = {
            "userAttributes": attributes_of(turn.person),
            "session": [dict(row) for row in turn.rounds],
        }
        if turn.rounds:
            request["clientMetadata"] = turn.metadata
        if turn.rounds or turn.person is None:
            request["userNotFound"] = turn.person is None
        return request

    def _ask(self, name: str, turn: Turn, request: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
        return self._triggers.call(name, SOURCE, turn.who.caller, request, keys)


_NEEDED = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")


def _round(name: str, *, right: bool) -> dict[str, Any]:
    # `challengeMetadata` exists only on rounds of CUSTOM_CHALLENGE.
    return {"challengeName": name, "challengeResult": right, "challengeMetadata": None}

"""USER_AUTH, the choice-based sign-in: a code by e-mail or SMS as the first factor.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-selection-sdk.html
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..backend.directory import Directory, Person
from ..messages.inbox import masked
from ..messages.post import Letter, Post
from ..testing.clock import Clock
from ..triggers.sign_in import SignInTriggers, SignInUser
from ..triggers.tokens import AUTHENTICATION, issuing
from .eligibility import MEDIA, SignInRequest, admit, available_challenges, simulated_destination
from .sessions import Session, Sessions

CODE_DIGITS = 8


class ChoiceSignIn:
    """Starts and answers USER_AUTH for the people of one directory."""

    def __init__(
        self, directory: Directory, sessions: Sessions, post: Post, clock: Clock, around: SignInTriggers
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._post = post
        self._clock = clock
        self._around = around

    def start(self, sign_in: SignInRequest, parameters: Mapping[str, str]) -> dict[str, Any]:
        """InitiateAuth: a challenge, or PoolError."""
        if "ALLOW_USER_AUTH" not in sign_in.client.flows:
            raise errors.flow_not_enabled("USER_AUTH")
        if sign_in.pool.plan == "LITE":
            text = f"USER_AUTH is not available in the {sign_in.pool.plan} feature plan."
            raise errors.PoolError("FeatureUnavailableInTierException", text)
        person = self._directory.person(sign_in.pool.id, sign_in.username)
        if person is not None:
            person = admit(person, sign_in.client)
        elif not sign_in.client.hides_unknown:
            raise errors.user_unknown()
        self._around.before(_who(sign_in, person), sign_in.metadata)
        offered = available_challenges(sign_in.pool, person, sign_in.username)
        preferred = parameters.get("PREFERRED_CHALLENGE")
        only = offered[0] if len(offered) == 1 else None
        for challenge in (preferred, only):
            if challenge in MEDIA and challenge in offered:
                return self._challenge(sign_in, person, challenge, offered)
        return {
            "ChallengeName": "SELECT_CHALLENGE",
            "Session": self._open(sign_in, person, "SELECT_CHALLENGE", offered),
            "ChallengeParameters": {},
            "AvailableChallenges": list(offered),
        }

    def select(self, sign_in: SignInRequest, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        """The answer to SELECT_CHALLENGE: the challenge that was chosen, or PoolError."""
        session, person = self._resume(sign_in, token, "SELECT_CHALLENGE")
        chosen = responses.get("ANSWER")
        if chosen is None:
            raise errors.parameter_missing("ANSWER")
        if chosen not in session.offered:
            raise errors.parameter_invalid(f"{chosen} is not an available challenge")
        if chosen not in MEDIA:
            raise errors.parameter_invalid(f"The local Cognito does not do {chosen}")
        self._sessions.use_up(token)
        return self._challenge(sign_in, person, chosen, session.offered)

    def enter(
        self, sign_in: SignInRequest, token: str, responses: Mapping[str, str], challenge: str
    ) -> dict[str, Any]:
        """The answer to EMAIL_OTP or SMS_OTP: tokens, or PoolError."""
        session, person = self._resume(sign_in, token, challenge)
        code = responses.get(f"{challenge}_CODE")
        if code is None:
            raise errors.parameter_missing(f"{challenge}_CODE")
        right = hmac.compare_digest(code.encode(), session.code.encode())
        if not right or person is None:
            raise errors.PoolError("CodeMismatchException", "Invalid code or auth state for the user.")  # seen
        self._sessions.use_up(token)
        with issuing(AUTHENTICATION, sign_in.metadata):
            tokens = self._directory.issue_tokens(sign_in.pool.id, sign_in.client.id, person.key)
        self._around.after(_who(sign_in, person), sign_in.metadata)
        return tokens

    def _resume(self, sign_in: SignInRequest, token: str, challenge: str) -> tuple[Session, Person | None]:
        session = self._sessions.read(token, sign_in.client.id)
        if session.challenge != challenge:
            raise errors.session_invalid()
        person = self._directory.person(sign_in.pool.id, sign_in.username)
        if session.person is None:
            # Simulated: no code finishes it, and it must answer like a real one.
            if sign_in.username != session.username:
                raise errors.session_invalid()
            return session, None
        if person is None or person.key != session.person:
            raise errors.session_invalid()
        return session, admit(person, sign_in.client)

    def _challenge(
        self, sign_in: SignInRequest, person: Person | None, challenge: str, offered: tuple[str, ...]
    ) -> dict[str, Any]:
        medium, attribute = MEDIA[challenge]
        code = new_code()
        destination = simulated_destination(medium, sign_in) if person is None else person.attributes[attribute]
        token = self._open(sign_in, person, challenge, offered, code)
        if person is not None:
            letter = Letter("Authentication", medium, destination, code, sign_in.metadata)
            self._post.send(letter, sign_in.pool.id, sign_in.client.id, person)
        return {
            "ChallengeName": challenge,
            "Session": token,
            "ChallengeParameters": {
                "CODE_DELIVERY_DELIVERY_MEDIUM": medium,
                "CODE_DELIVERY_DESTINATION": masked(medium, destination),
            },
            "AvailableChallenges": list(offered),
        }

    def _open(
        self, sign_in: SignInRequest, person: Person | None, challenge: str, offered: tuple[str, ...], code: str = ""
    ) -> str:
        session = Session(
            pool_id=sign_in.pool.id,
            client_id=sign_in.client.id,
            username=sign_in.username,
            person=None if person is None else person.key,
            challenge=challenge,
            offered=offered,
            expires_at=self._clock.now() + sign_in.client.session_seconds,
            code=code,
        )
        return self._sessions.open(session)


def _who(sign_in: SignInRequest, person: Person | None) -> SignInUser:
    return SignInUser(sign_in.pool.id, sign_in.client.id, sign_in.username, person)


def new_code() -> str:
    """A code as Amazon Cognito sends it: eight digits, each as likely as any other."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"

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
from ..triggers.sign_in import SignInTriggers, Who
from ..triggers.tokens import AUTHENTICATION, issuing
from .eligibility import MEDIA, Asked, admit, imagined, offers
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

    def start(self, asked: Asked, parameters: Mapping[str, str]) -> dict[str, Any]:
        """InitiateAuth: a challenge, or PoolError."""
        if "ALLOW_USER_AUTH" not in asked.client.flows:
            raise errors.flow_not_enabled("USER_AUTH")
        if asked.pool.plan == "LITE":
            raise errors.feature_unavailable(asked.pool.plan)
        person = self._directory.person(asked.pool.id, asked.username)
        if person is not None:
            person = admit(person, asked.client)
        elif not asked.client.hides_unknown:
            raise errors.user_unknown()
        self._around.before(_who(asked, person), asked.metadata)
        offered = offers(asked.pool, person, asked.username)
        preferred = parameters.get("PREFERRED_CHALLENGE")
        if preferred in MEDIA and preferred in offered:
            return self._challenge(asked, person, preferred, offered)
        if len(offered) == 1 and offered[0] in MEDIA:
            return self._challenge(asked, person, offered[0], offered)
        return self._let_choose(asked, person, offered)

    def select(self, asked: Asked, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        """The answer to SELECT_CHALLENGE: the challenge that was chosen, or PoolError."""
        session, person = self._resume(asked, token, "SELECT_CHALLENGE")
        chosen = responses.get("ANSWER")
        if chosen is None:
            raise errors.parameter_missing("ANSWER")
        if chosen not in session.offered:
            raise errors.parameter_invalid(f"{chosen} is not an available challenge")
        if chosen not in MEDIA:
            raise errors.parameter_invalid(f"The local Cognito does not do {chosen}")
        self._sessions.use_up(token)
        return self._challenge(asked, person, chosen, session.offered)

    def enter(self, asked: Asked, token: str, responses: Mapping[str, str], challenge: str) -> dict[str, Any]:
        """The answer to EMAIL_OTP or SMS_OTP: tokens, or PoolError."""
        session, person = self._resume(asked, token, challenge)
        code = responses.get(f"{challenge}_CODE")
        if code is None:
            raise errors.parameter_missing(f"{challenge}_CODE")
        right = hmac.compare_digest(code.encode(), session.code.encode())
        if not right or person is None:
            raise errors.code_mismatch()
        self._sessions.use_up(token)
        with issuing(AUTHENTICATION, asked.metadata):
            tokens = self._directory.issue_tokens(asked.pool.id, asked.client.id, person.key)
        self._around.after(_who(asked, person), asked.metadata)
        return tokens

    def _resume(self, asked: Asked, token: str, challenge: str) -> tuple[Session, Person | None]:
        session = self._sessions.read(token, asked.client.id)
        if session.challenge != challenge:
            raise errors.session_invalid()
        person = self._directory.person(asked.pool.id, asked.username)
        if session.person is None:
            # Simulated: nobody can finish it, and it must answer like a real one.
            if asked.username != session.username:
                raise errors.session_invalid()
            return session, None
        if person is None or person.key != session.person:
            raise errors.session_invalid()
        return session, admit(person, asked.client)

    def _challenge(
        self, asked: Asked, person: Person | None, challenge: str, offered: tuple[str, ...]
    ) -> dict[str, Any]:
        medium, attribute = MEDIA[challenge]
        code = new_code()
        destination = imagined(medium, asked) if person is None else person.attributes[attribute]
        token = self._open(asked, person, challenge, offered, code)
        if person is not None:
            letter = Letter("Authentication", medium, destination, code, asked.metadata)
            self._post.send(letter, asked.pool.id, asked.client.id, person)
        return {
            "ChallengeName": challenge,
            "Session": token,
            "ChallengeParameters": {
                "CODE_DELIVERY_DELIVERY_MEDIUM": medium,
                "CODE_DELIVERY_DESTINATION": masked(medium, destination),
            },
            "AvailableChallenges": list(offered),
        }

    def _let_choose(self, asked: Asked, person: Person | None, offered: tuple[str, ...]) -> dict[str, Any]:
        return {
            "ChallengeName": "SELECT_CHALLENGE",
            "Session": self._open(asked, person, "SELECT_CHALLENGE", offered),
            "ChallengeParameters": {},
            "AvailableChallenges": list(offered),
        }

    def _open(
        self,
        asked: Asked,
        person: Person | None,
        challenge: str,
        offered: tuple[str, ...],
        code: str = "",
    ) -> str:
        session = Session(
            pool_id=asked.pool.id,
            client_id=asked.client.id,
            username=asked.username,
            person=None if person is None else person.key,
            challenge=challenge,
            offered=offered,
            expires_at=self._clock.now() + asked.client.session_seconds,
            code=code,
        )
        return self._sessions.open(session)


def _who(asked: Asked, person: Person | None) -> Who:
    return Who(asked.pool.id, asked.client.id, asked.username, person)


def new_code() -> str:
    """A code as Amazon Cognito sends it: eight digits, each as likely as any other."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"

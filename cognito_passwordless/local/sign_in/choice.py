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
from ..triggers.sign_in import SignInTriggers
from ..triggers.tokens import AUTHENTICATION, issuing
from .eligibility import MEDIA, PASSWORDS, SignInRequest, admitted, available_challenges, simulated_destination
from .password import PasswordSignIn
from .sessions import Sessions

CODE_DIGITS = 8
SIGNED_UP = "SIGNED_UP"  # the session between a confirmed sign-up and its sign-in


class ChoiceSignIn:
    """Starts and answers USER_AUTH for the people of one directory."""

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        post: Post,
        around: SignInTriggers,
        passwords: PasswordSignIn,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._post = post
        self._around = around
        self._passwords = passwords

    def start(self, sign_in: SignInRequest, parameters: Mapping[str, str]) -> dict[str, Any]:
        """InitiateAuth: a challenge, or PoolError."""
        if sign_in.pool.plan == "LITE":
            text = f"USER_AUTH is not available in the {sign_in.pool.plan} feature plan."
            raise errors.PoolError("FeatureUnavailableInTierException", text)
        if sign_in.session:
            return self._after_sign_up(sign_in)
        person = admitted(self._directory, sign_in)
        self._around.before(sign_in.who(person), sign_in.metadata)
        offered = available_challenges(sign_in.pool, person, sign_in.username)
        preferred = parameters.get("PREFERRED_CHALLENGE")
        only = offered[0] if len(offered) == 1 else None
        for challenge in (preferred, only):
            if challenge in MEDIA and challenge in offered:
                return self._challenge(sign_in, person, challenge, offered)
        if preferred in PASSWORDS and preferred in offered:
            return self._passwords.chosen(sign_in, person, preferred, parameters)
        return {
            "ChallengeName": "SELECT_CHALLENGE",
            "Session": self._sessions.begin(sign_in, person, "SELECT_CHALLENGE", offered),
            "ChallengeParameters": {},
            "AvailableChallenges": list(offered),
        }

    def select(self, sign_in: SignInRequest, token: str, responses: Mapping[str, str]) -> dict[str, Any]:
        """The answer to SELECT_CHALLENGE: the challenge that was chosen, or PoolError."""
        session, person = self._sessions.resume(self._directory, sign_in, token, "SELECT_CHALLENGE")
        chosen = responses.get("ANSWER")
        if chosen is None:
            raise errors.parameter_missing("ANSWER")
        if chosen not in session.offered:
            raise errors.parameter_invalid(f"{chosen} is not an available challenge")
        self._sessions.use_up(token)
        if chosen in PASSWORDS:
            return self._passwords.chosen(sign_in, person, chosen, responses)
        return self._challenge(sign_in, person, chosen, session.offered)

    def enter(
        self, sign_in: SignInRequest, token: str, responses: Mapping[str, str], challenge: str
    ) -> dict[str, Any]:
        """The answer to EMAIL_OTP or SMS_OTP: tokens, or PoolError."""
        session, person = self._sessions.resume(self._directory, sign_in, token, challenge)
        code = responses.get(f"{challenge}_CODE")
        if code is None:
            raise errors.parameter_missing(f"{challenge}_CODE")
        right = hmac.compare_digest(code.encode(), session.code.encode())
        if not right or person is None:
            raise errors.PoolError("CodeMismatchException", "Invalid code or auth state for the user.")  # seen
        self._sessions.use_up(token)
        return self._signed_in(sign_in, person)

    def _after_sign_up(self, sign_in: SignInRequest) -> dict[str, Any]:
        """The session of a confirmed sign-up signs in, once: API_ConfirmSignUp.html."""
        _, person = self._sessions.resume(self._directory, sign_in, sign_in.session, SIGNED_UP)
        self._sessions.use_up(sign_in.session)
        if person is None:
            raise errors.session_invalid()
        self._around.before(sign_in.who(person), sign_in.metadata)
        return self._signed_in(sign_in, person)

    def _signed_in(self, sign_in: SignInRequest, person: Person) -> dict[str, Any]:
        with issuing(AUTHENTICATION, sign_in.metadata):
            tokens = self._directory.tokens.issue(sign_in.pool.id, sign_in.client.id, person.key)
        self._around.after(sign_in.who(person), sign_in.metadata)
        return tokens

    def _challenge(
        self, sign_in: SignInRequest, person: Person | None, challenge: str, offered: tuple[str, ...]
    ) -> dict[str, Any]:
        medium, attribute = MEDIA[challenge]
        code = new_code()
        destination = simulated_destination(medium, sign_in) if person is None else person.attributes[attribute]
        token = self._sessions.begin(sign_in, person, challenge, offered, code=code)
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


def new_code() -> str:
    """A code as Amazon Cognito sends it: eight digits, each as likely as any other."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"

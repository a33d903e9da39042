"""Sign in at the pool by its own challenge (CUSTOM_AUTH): start, answer, have it sent again.

Source: "Custom authentication challenge Lambda triggers" of the Cognito developer guide. Every answer burns its
session; after a wrong one, Define may go on with a new round, and then the answer has a session of its own.
"""

from dataclasses import dataclass, field
from typing import Final

from ..client import Secrets
from ..connection import Connection
from ..errors import Cause, CognitoError
from .calls import Answer, Tokens, ask, signed

NAME: Final = "CUSTOM_CHALLENGE"
_START: Final = "InitiateAuth"
_ANSWER: Final = "RespondToAuthChallenge"
# This package's own triggers understand it (`lambda_triggers.challenge.resend`); other triggers may ignore it.
_RESEND: Final = {"action": "resend"}


@dataclass(frozen=True)
class CustomChallenge:
    """One round. ``session`` is a secret, good for one answer.

    ``medium`` (EMAIL or SMS) and ``masked_destination`` are empty unless the connection says that the pool runs this
    package's triggers, which report them: other triggers may have asked anything.
    """

    session: str = field(repr=False)
    username: str = field(repr=False)
    medium: str = ""
    masked_destination: str = field(default="", repr=False)

    @property
    def challenge(self) -> str:
        """The challenge's name, with the medium where it is known."""
        return f"{NAME}/{self.medium}" if self.medium else NAME


def start_custom(connection: Connection, username: str) -> CustomChallenge:
    """Start the sign-in. Raises ``CognitoError``; ``otp_unavailable`` where the pool wants something else first."""
    given = signed(connection, {"USERNAME": username})
    request = {"ClientId": connection.client_id, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": given}
    return next_round(connection, ask(connection, "start", _START, Secrets(request)), username, _START)


def answer_custom(connection: Connection, challenge: CustomChallenge, code: str) -> Tokens | CustomChallenge:
    """Send the person's code, once. Tokens, not verified yet, or the next round after a wrong code.

    Raises ``CognitoError``: ``not_authorized`` where Define ended the sign-in, ``session_used``, ``session_expired``.
    """
    secrets = _answer(connection, challenge, code)
    del code  # an error report shows the frames that an exception passes
    answer = ask(connection, "answer", _ANSWER, secrets)
    return answer.tokens or next_round(connection, answer, challenge.username, _ANSWER)


def resend_custom(connection: Connection, challenge: CustomChallenge) -> CustomChallenge:
    """Have our own triggers send the code of this sign-in again. Raises ``CognitoError``."""
    answer = ask(connection, "answer", _ANSWER, _answer(connection, challenge, "resend", metadata=_RESEND))
    if answer.tokens is not None:
        # A request to resend is no answer: a pool that returns tokens for it compares nothing.
        raise CognitoError(Cause.misconfigured, _ANSWER, "TokensWithoutAnswer")
    return next_round(connection, answer, challenge.username, _ANSWER)


def _answer(
    connection: Connection, challenge: CustomChallenge, answer: str, *, metadata: dict[str, str] | None = None
) -> Secrets:
    request: dict[str, object] = {
        "ClientId": connection.client_id,
        "ChallengeName": NAME,
        "Session": challenge.session,
        "ChallengeResponses": signed(connection, {"USERNAME": challenge.username, "ANSWER": answer}),
    }
    return Secrets(request | ({"ClientMetadata": metadata} if metadata else {}))


def next_round(connection: Connection, answer: Answer, username: str, operation: str) -> CustomChallenge:
    """Read the next round from an answer of the pool. Raises ``CognitoError`` where it is no custom challenge."""
    if answer.tokens is not None:
        raise CognitoError(Cause.misconfigured, operation, "TokensWithoutChallenge")
    if answer.name != NAME:
        # A password first, or MFA after it: no code answers these.
        cause = Cause.mfa_required if answer.name.endswith("_MFA") else Cause.otp_unavailable
        raise CognitoError(cause, operation, answer.name, "the pool asks for something else", (answer.name,))
    reported = answer.parameters if connection.own_triggers else {}
    medium = reported.get("medium", "").upper()
    return CustomChallenge(
        session=answer.session,
        username=answer.parameters.get("USERNAME") or username,
        medium=medium if medium in {"EMAIL", "SMS"} else "",
        masked_destination=reported.get("destination", "")[:254],
    )

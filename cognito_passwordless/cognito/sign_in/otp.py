"""Sign in at the pool with its own one-time code: start, answer.

Source: "USER_AUTH" and "Responding to challenges" of the Cognito developer guide. The
pool has no limit of attempts to rely on; counting them is the caller's (law 2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ...identity import Channel, could_be_user_name
from ..client import Secrets
from ..connection import Connection
from ..errors import Cause, CognitoError
from .calls import Tokens, ask, signed

OtpName = Literal["EMAIL_OTP", "SMS_OTP"]

_OTP: Final[Mapping[Channel, OtpName]] = {Channel.EMAIL: "EMAIL_OTP", Channel.SMS: "SMS_OTP"}
_MEDIUM: Final[Mapping[OtpName, str]] = {"EMAIL_OTP": "EMAIL", "SMS_OTP": "SMS"}

# What the pool may ask instead of the wanted code. Any other challenge means that it
# offers other ways to sign in, but not this one.
_INSTEAD: Final[Mapping[str, Cause]] = {
    "SMS_MFA": Cause.mfa_required,
    "SOFTWARE_TOKEN_MFA": Cause.mfa_required,
    "SELECT_MFA_TYPE": Cause.mfa_required,
    "MFA_SETUP": Cause.mfa_required,
    "DEVICE_SRP_AUTH": Cause.mfa_required,  # a remembered device stands in for a factor
    "DEVICE_PASSWORD_VERIFIER": Cause.mfa_required,
    "NEW_PASSWORD_REQUIRED": Cause.force_change_password,
}

_START: Final = "InitiateAuth"
_ANSWER: Final = "RespondToAuthChallenge"

# No pool sends longer ones: Cognito's have 8 digits by e-mail, 6 by SMS.
_CODE: Final = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True)
class OtpChallenge:
    """A code that the pool has sent, or says it has sent, and waits for.

    ``session`` is a secret and lives 3 to 15 minutes. ``username`` is what the answer must send as USERNAME.
    ``masked_destination`` is the pool's text, empty where it says none: a page that showed it would reveal who exists.
    """

    session: str = field(repr=False)
    challenge: OtpName
    username: str = field(repr=False)
    medium: str
    masked_destination: str = field(repr=False)


def start_otp(connection: Connection, username: str, channel: Channel) -> OtpChallenge:
    """Have the pool send its one-time code.

    An unknown user of a pool that hides who exists gets a challenge too, for a code that is never sent. Raises
    ``CognitoError``; with ``Cause.otp_unavailable`` its ``available`` names what the pool offers instead. A pool that
    offers only passwords may mean MFA or FORCE_CHANGE_PASSWORD: the answer does not say which, ``directory.get_user``
    does.
    """
    # For any other the pool would answer InvalidParameterException, which looks like a mistake of the setup and could
    # send the person on to another route.
    if not could_be_user_name(username):
        raise CognitoError(Cause.unknown_user, _START, detail="not a possible user name")
    wanted = _OTP[channel]
    given = signed(connection, {"USERNAME": username, "PREFERRED_CHALLENGE": wanted})
    request = {"ClientId": connection.client_id, "AuthFlow": "USER_AUTH", "AuthParameters": given}
    answer = ask(connection, "start", _START, Secrets(request))
    if answer.name == "SELECT_CHALLENGE" and wanted in answer.available:
        given = {"USERNAME": username, "ANSWER": wanted}
        answer = ask(connection, "answer", _ANSWER, _response(connection, answer.name, answer.session, given))
    if answer.name == wanted:
        return OtpChallenge(
            session=answer.session,
            challenge=wanted,
            # Real pools return no USERNAME with EMAIL_OTP; where one is returned, it is the one to use.
            username=answer.parameters.get("USERNAME") or username,
            medium=answer.parameters.get("CODE_DELIVERY_DELIVERY_MEDIUM") or _MEDIUM[wanted],
            masked_destination=answer.parameters.get("CODE_DELIVERY_DESTINATION", "")[:254],
        )
    if answer.tokens is not None:
        # Tokens without an entered code prove nothing about the person.
        raise CognitoError(Cause.misconfigured, _START, "TokensWithoutChallenge")
    cause = _INSTEAD.get(answer.name, Cause.otp_unavailable)
    available = answer.available if answer.name == "SELECT_CHALLENGE" else (answer.name,)
    raise CognitoError(cause, _START, answer.name, "the pool asks for something else", available)


def answer_otp(connection: Connection, challenge: OtpChallenge, code: str) -> Tokens:
    """Send the person's code to the pool; never repeated, not even after a time-out.

    The session stays good after a wrong code. The tokens are not verified yet: that is ``tokens.verify_id_token``.
    Raises ``CognitoError``: ``wrong_code``, ``session_expired``, ``session_used``, ``mfa_required`` when the pool
    wants another factor after the code, and the rest of ``Cause``.
    """
    if not _CODE.fullmatch(code):
        # It needs no call, and AWS's answer to odd characters would be about parameters.
        raise CognitoError(Cause.wrong_code, _ANSWER, detail="not a string of digits")
    given = {"USERNAME": challenge.username, f"{challenge.challenge}_CODE": code}
    secrets = _response(connection, challenge.challenge, challenge.session, given)
    del code, given  # an error report shows the frames that an exception passes
    answer = ask(connection, "answer", _ANSWER, secrets)
    if answer.tokens is None:
        cause = _INSTEAD.get(answer.name, Cause.mfa_required)
        raise CognitoError(cause, _ANSWER, answer.name, "the pool asks for more")
    return answer.tokens


def _response(connection: Connection, challenge: str, session: str, given: dict[str, str]) -> Secrets:
    return Secrets(
        {
            "ClientId": connection.client_id,
            "ChallengeName": challenge,
            "Session": session,
            "ChallengeResponses": signed(connection, given),
        }
    )

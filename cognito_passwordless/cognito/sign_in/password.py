"""Begin a CUSTOM_AUTH sign-in at a pool that wants the password before its own challenge.

SRP_A, then PASSWORD_VERIFIER, then CUSTOM_CHALLENGE: "Custom authentication flow and challenges" of the Cognito
developer guide. The password never leaves this process: the pool gets a proof of it. The arithmetic is pycognito's
(the extra ``srp``); this module makes every call itself.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from ..client import Secrets
from ..connection import Connection
from ..errors import Cause, CognitoError
from .calls import ask, signed
from .custom import CustomChallenge, next_round

try:
    from pycognito.aws_srp import AWSSRP
except ImportError:
    AWSSRP = None

MISSING: Final = "a password first needs the extra srp: pip install 'django-cognito-passwordless[srp]'"
VERIFIER: Final = "PASSWORD_VERIFIER"
_START: Final = "InitiateAuth"
_ANSWER: Final = "RespondToAuthChallenge"


class Password:
    """A password as a person typed it. It appears in no ``repr``, log or pickle."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Password('••••••')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a password must not be pickled: queues, caches and sessions are places at rest")


def can_prove_passwords() -> bool:
    """Whether the extra ``srp`` is installed."""
    return AWSSRP is not None


def start_with_password(
    connection: Connection, username: str, password: Password, *, now: datetime
) -> CustomChallenge:
    """Prove the password, and have the pool send its code.

    Raises ``CognitoError``: ``wrong_password`` where the pool does not take the proof, ``misconfigured`` where it
    wants none, and the rest of ``Cause``.
    """
    if AWSSRP is None:
        raise CognitoError(Cause.misconfigured, _START, "MissingExtra", MISSING)
    # Only its arithmetic is used. Without a client, pycognito would build one of its own.
    srp = AWSSRP(username, "", connection.user_pool_id, connection.client_id, client=object())
    given = {"USERNAME": username, "CHALLENGE_NAME": "SRP_A", "SRP_A": srp.get_auth_params()["SRP_A"]}
    request = {
        "ClientId": connection.client_id,
        "AuthFlow": "CUSTOM_AUTH",
        "AuthParameters": signed(connection, given),
    }
    first = ask(connection, "start", _START, Secrets(request))
    if first.name != VERIFIER:
        # A code without the password would be less than the connection says that this pool wants.
        raise CognitoError(Cause.misconfigured, _START, "PasswordNotAsked", "the pool does not ask for the password")
    username = first.parameters.get("USERNAME") or username
    proof = _proof(srp, connection, password, first.parameters, now)
    if proof is None:
        raise CognitoError(Cause.unavailable, _START, "MalformedResponse")
    secrets = Secrets(
        {
            "ClientId": connection.client_id,
            "ChallengeName": VERIFIER,
            "Session": first.session,
            "ChallengeResponses": signed(connection, {"USERNAME": username, **proof}),
        }
    )
    del proof, given, request  # an error report shows the frames that an exception passes
    try:
        return next_round(connection, ask(connection, "answer", _ANSWER, secrets), username, _ANSWER)
    except CognitoError as error:
        failure = error
    if failure.cause is Cause.not_authorized:
        raise CognitoError(Cause.wrong_password, _ANSWER, failure.aws_code)
    raise failure


def _proof(
    srp: Any, connection: Connection, password: Password, parameters: Mapping[str, str], now: datetime
) -> dict[str, str] | None:
    """The signature over the pool's block by the key that both sides derive; None for an answer of another shape."""
    try:
        user, block = parameters["USER_ID_FOR_SRP"], parameters["SECRET_BLOCK"]
        server_value = int(parameters["SRP_B"], 16)
        key = srp.get_password_authentication_key(user, password.reveal(), server_value, parameters["SALT"])
        raw = base64.b64decode(block, validate=True)
    except (LookupError, ValueError, TypeError, binascii.Error):
        return None
    timestamp = srp.get_cognito_formatted_timestamp(now.astimezone(UTC))
    pool = connection.user_pool_id.partition("_")[2]
    signature = hmac.digest(key, f"{pool}{user}".encode() + raw + timestamp.encode(), hashlib.sha256)
    return {
        "PASSWORD_CLAIM_SECRET_BLOCK": block,
        "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode(),
        "TIMESTAMP": timestamp,
    }

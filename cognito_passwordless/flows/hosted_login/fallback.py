"""Fallback for a misconfigured hosted login: offer the connection's next route, where ``on_failure`` says so.

Only findings of our own server count, and only those that hold for every person. An error parameter that a browser
brought was written by its user, and an attacker can bring an outage about.
"""

from typing import Final

from django.core import signing

from ...cognito import Cause, CognitoError, Connection

# How long what was found of a provider opens its next route, in seconds.
MAX_AGE: Final = 900
_CODES: Final = frozenset({"otp", "local"})
_SALT: Final = "cognito_passwordless.onwards"


def from_departure(connection: Connection, error: CognitoError) -> bool:
    """Whether a code may take the place of a hosted login that no browser can be sent to."""
    return error.cause is Cause.misconfigured and _branches(connection)


def from_exchange(connection: Connection, error: CognitoError) -> bool:
    """The same for one that did not know this client. Providers look at the client before the code that a browser
    handed in; what they say of a code never counts."""
    return (error.cause, error.aws_code) == (Cause.misconfigured, "invalid_client") and _branches(connection)


def _branches(connection: Connection) -> bool:
    return connection.on_failure == "branch" and connection.route_after("oidc") in _CODES


def attest(alias: str) -> str:
    """For a form: that this hosted login was found to be set up wrongly just now. It says nothing about a person."""
    return signing.dumps(alias, salt=_SALT)


def attested(token: str) -> str:
    """The alias; empty where nothing, or nothing that holds any more, was attested."""
    try:
        return str(signing.loads(token, salt=_SALT, max_age=MAX_AGE))
    except signing.BadSignature:
        return ""

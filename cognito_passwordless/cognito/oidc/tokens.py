"""Verify ID tokens.

Sources: OpenID Connect Core 3.1.3.7 (what to check), RFC 8725 (how JWTs are attacked),
"Verifying JSON web tokens" of the Cognito developer guide (``token_use``).
"""

import hmac
import json
import math
from typing import Any, Final, NoReturn

import jwt

from ..connection import Connection
from ..errors import Cause, CognitoError
from .jwks import JwksCache, shared_keys

# The only one Cognito signs with. Pinned: a token does not choose how it is checked.
ALGORITHM: Final = "RS256"
LEEWAY: Final = 60.0  # seconds that clocks may differ, for "issued in the future"
MAX_TOKEN: Final = 16 * 1024  # characters; a Cognito token has about 1,000


def verify_id_token(
    connection: Connection,
    id_token: str,
    *,
    now: float,
    nonce: str | None = None,
    jwks: JwksCache = shared_keys,
    jwks_uri: str = "",
) -> dict[str, Any]:
    """Verify an ID token and return its claims.

    ``now`` is in seconds since 1970. ``nonce`` is what the authorize request sent; a sign-in by code has none. The
    keys are those of the issuer that the token names, if it is one of the connection's; ``jwks_uri`` says where those
    of the connection's ``issuer`` are. Raises ``CognitoError``: ``token_invalid`` with the reason in ``detail``, which
    repeats nothing of the token; or the cause for which the keys could not be fetched.
    """
    if connection.retired:
        raise CognitoError(Cause.misconfigured, "verify_id_token", "ConnectionRetired")
    kid, claims = _read_unverified(id_token, connection)
    # Before anything is fetched: keys of an issuer that is not the connection's are never requested.
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer not in connection.accepted_issuers:
        refuse("wrong issuer")
    if issuer != connection.issuer and connection.is_cognito:
        jwks_uri = connection.jwks_uri_of(issuer)
    key = jwks.key(jwks_uri or connection.jwks_uri, kid, now=now)
    if key is None:
        refuse("unknown signing key")
    try:
        jwt.PyJWS().decode_complete(id_token, key, algorithms=[ALGORITHM])
        signed = True
    except jwt.InvalidTokenError:
        signed = False
    if not signed:
        refuse("bad signature")
    _check_parties(claims, connection)
    _check_times(claims, now)
    if nonce is not None:
        given = claims.get("nonce")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            refuse("wrong nonce")
    return claims


def refuse(detail: str) -> NoReturn:
    raise CognitoError(Cause.token_invalid, "verify_id_token", detail=detail)


def _read_unverified(token: object, connection: Connection) -> tuple[str, dict[str, Any]]:
    """The key id and the claims of a token, not verified yet: they say which key to verify it by."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not token.isascii():
        refuse("malformed token")
    # Refused outside the except blocks: no __context__, so no frame that holds the token.
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        header = {}
    if header.get("alg") != ALGORITHM:
        refuse("malformed token, or not RS256")
    # "crit" and "b64" change what is signed (RFC 7515 4.1.11, RFC 7797); no provider sends them.
    if "crit" in header or "b64" in header:
        refuse("header extensions")
    if not connection.is_cognito and str(header.get("typ", "JWT")).upper() != "JWT":
        refuse("not an ID token by its type")  # RFC 9068: "at+jwt" is an access token
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        refuse("no key id")
    try:
        claims = json.loads(jwt.PyJWS().decode_complete(token, options={"verify_signature": False})["payload"])
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        refuse("malformed claims")
    return kid, claims


def _check_parties(claims: dict[str, Any], connection: Connection) -> None:
    audience = claims.get("aud")
    # This client alone. OpenID Connect lets a client trust further audiences; this package trusts none.
    if audience not in (connection.client_id, [connection.client_id]):
        refuse("wrong audience")
    if claims.get("azp", connection.client_id) != connection.client_id:
        refuse("wrong authorized party")
    # Another OpenID provider does not know token_use; if it is there, it must be right.
    if claims.get("token_use", None if connection.is_cognito else "id") != "id":
        refuse("not an ID token")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        refuse("no subject")


def _check_times(claims: dict[str, Any], now: float) -> None:
    if now >= _time(claims, "exp"):
        refuse("expired")
    if _time(claims, "iat") > now + LEEWAY:
        refuse("issued in the future")
    if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY:
        refuse("not valid yet")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    # JSON in Python knows NaN and Infinity, and a bool is an int.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        refuse(f"no {name}")
    return float(value)

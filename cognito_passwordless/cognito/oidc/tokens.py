"""Believe an ID token, or refuse it.

Sources: OpenID Connect Core 3.1.3.7 (what to check), RFC 8725 (how JWTs are attacked),
"Verifying JSON web tokens" of the Cognito developer guide (``token_use``).
"""

import hmac
import json
import math
from typing import Any, Final, NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

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
    """Verify an ID token and give its claims.

    ``now`` is in seconds since 1970. ``nonce`` is what the authorize request sent; a
    sign-in by code has none. Without ``jwks``, the process's own cache is used. The keys are
    those of the issuer that the token names, if it is one of the connection's; ``jwks_uri``
    says where those of the connection's ``issuer`` are. Raises
    ``CognitoError``: ``token_invalid`` with the reason in ``detail``, which repeats
    nothing of the token; or the cause for which the keys could not be fetched.
    """
    if connection.retired:
        raise CognitoError(Cause.misconfigured, "verify_id_token", "ConnectionRetired")
    kid = _read_header(id_token, connection)
    claims = _read_claims(id_token)
    # Before anything is fetched: keys of an issuer that is not ours are never asked for.
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer not in connection.accepted_issuers:
        refuse("wrong issuer")
    if issuer != connection.issuer and connection.is_cognito:
        jwks_uri = connection.jwks_uri_of(issuer)
    key = jwks.key(jwks_uri or connection.jwks_uri, kid, now=now)
    if key is None:
        refuse("unknown signing key")
    if not _is_signed(id_token, key):
        refuse("bad signature")
    _check_parties(claims, connection)
    _check_times(claims, now)
    if nonce is not None and not _same(claims.get("nonce"), nonce):
        refuse("wrong nonce")
    return claims


def refuse(detail: str) -> NoReturn:
    raise CognitoError(Cause.token_invalid, "verify_id_token", detail=detail)


def _read_header(token: object, connection: Connection) -> str:
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not token.isascii():
        refuse("malformed token")
    header = _unverified_header(token)
    if header.get("alg") != ALGORITHM:
        refuse("malformed token, or not RS256")
    # "crit" and "b64" change what is signed (RFC 7515 4.1.11, RFC 7797); nobody sends them.
    if "crit" in header or "b64" in header:
        refuse("header extensions")
    if not connection.is_cognito and str(header.get("typ", "JWT")).upper() != "JWT":
        refuse("not an ID token by its type")  # RFC 9068: "at+jwt" is an access token
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        refuse("no key id")
    return kid


def _unverified_header(token: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return {}


def _read_claims(token: str) -> dict[str, Any]:
    """What the token says, believed by nobody yet: its issuer tells which keys to ask for."""
    # Refused outside the except blocks: no __context__, so no frame that holds the token.
    claims = _unverified_claims(token)
    if not isinstance(claims, dict):
        refuse("malformed claims")
    return claims


def _unverified_claims(token: str) -> Any:
    try:
        return json.loads(jwt.PyJWS().decode_complete(token, options={"verify_signature": False})["payload"])
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None


def _is_signed(token: str, key: RSAPublicKey) -> bool:
    try:
        jwt.PyJWS().decode_complete(token, key, algorithms=[ALGORITHM])
    except jwt.InvalidTokenError:
        return False
    return True


def _check_parties(claims: dict[str, Any], connection: Connection) -> None:
    audience = claims.get("aud")
    # Exactly us. OpenID Connect lets a client trust further audiences; we know of none.
    if audience not in (connection.client_id, [connection.client_id]):
        refuse("wrong audience")
    if claims.get("azp", connection.client_id) != connection.client_id:
        refuse("wrong authorized party")
    # Another OpenID provider does not know token_use; one that is there must be right.
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


def _same(given: object, wanted: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), wanted.encode())

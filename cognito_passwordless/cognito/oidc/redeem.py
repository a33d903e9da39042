"""Exchange a code of the hosted login for verified claims: one HTTP call when everything else is cached.

Sources: OpenID Connect Core 3.1.3, RFC 6749 4.1.3, RFC 7636 4.5, and "Token endpoint" of the Cognito developer guide.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus

from ..connection import Connection
from ..errors import Cause, CognitoError
from ..sign_in.calls import Tokens
from .assurance import check_assurance
from .discovery import Provider
from .http import Got, Sent, exchange
from .tokens import refuse, verify_id_token

_TOKEN: Final = "token"  # noqa: S105 - the operation's name
_USER_INFO: Final = "userinfo"

# RFC 6749 5.2. What a visitor can cause by the code that they submit never counts as a mistake of the setup.
_REFUSALS: Final[Mapping[str, Cause]] = {
    "invalid_grant": Cause.session_expired,  # used before, too old, of another client, another verifier
    "invalid_client": Cause.misconfigured,
    "unauthorized_client": Cause.misconfigured,
    "unsupported_grant_type": Cause.misconfigured,
    "temporarily_unavailable": Cause.unavailable,
    "server_error": Cause.unavailable,
}

# What userInfo may add, and by which scope (OpenID Connect Core 5.4).
_BY_SCOPE: Final[Mapping[str, str]] = {"email": "email", "phone": "phone_number"}
# Only a signed token may say these; userInfo is not signed.
_PROTOCOL: Final = frozenset(
    {
        "iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "acr", "amr", "auth_time", "token_use",
        "jti",
    }
)  # fmt: skip


@dataclass(frozen=True)
class AuthorizationCode:
    """An authorization code, and what proves that it was asked for here."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str


def redeem(connection: Connection, provider: Provider, code: AuthorizationCode, *, now: float) -> dict[str, Any]:
    """Exchange the code, verify the ID token, and return its claims, with userInfo's where some are missing.

    ``now``: seconds since 1970. The tokens are forgotten (law 11). Never repeated: a code is good once. Raises
    ``CognitoError``: ``token_invalid``, ``session_expired`` for a code that is no longer good, ``misconfigured``, and
    the outages.
    """
    tokens = _read_tokens(_ask(connection, provider, code))
    if isinstance(tokens, CognitoError):
        raise tokens  # here, where no frame holds the answer
    claims = verify_id_token(connection, tokens.id_token, now=now, nonce=code.nonce, jwks_uri=provider.jwks_uri)
    check_assurance(connection, claims, access_token=tokens.access_token, now=now)
    # A Cognito pool writes all that userInfo has into the ID token, unless the site requests more by ``claims``.
    complete = connection.is_cognito or all(
        claim in claims for scope, claim in _BY_SCOPE.items() if scope in connection.scope
    )
    if connection.claims and connection.claims.get("userinfo"):
        complete = False
    if complete or not provider.userinfo_endpoint:
        return claims
    got = exchange(provider.userinfo_endpoint, Sent(headers={"Authorization": f"Bearer {tokens.access_token}"}))
    if got.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise CognitoError(Cause.throttled, _USER_INFO, f"HTTP{got.status}")
    if got.status != HTTPStatus.OK or not isinstance(got.document, dict):
        raise CognitoError(Cause.unavailable, _USER_INFO, f"HTTP{got.status}")
    if got.document.get("sub") != claims["sub"]:
        refuse("userinfo of another sub")
    return {name: value for name, value in got.document.items() if name not in _PROTOCOL} | claims


def _ask(connection: Connection, provider: Provider, code: AuthorizationCode) -> Got:
    form = {
        "grant_type": "authorization_code",
        "code": code.code,
        "redirect_uri": code.redirect_uri,
        "code_verifier": code.verifier,
    }
    headers: dict[str, str] = {}
    if connection.client_secret is None:
        form["client_id"] = connection.client_id
    elif provider.secret_in_body:
        form |= {"client_id": connection.client_id, "client_secret": connection.client_secret}
    else:
        # RFC 6749 2.3.1: each part is form-encoded first, or a colon in one of them would end it.
        pair = f"{quote_plus(connection.client_id)}:{quote_plus(connection.client_secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        del pair
    sent = Sent(form, headers)
    del form, headers  # an error report shows the frames that an exception passes
    return exchange(provider.token_endpoint, sent)


def _read_tokens(got: Got) -> Tokens | CognitoError:
    document = got.document if isinstance(got.document, dict) else {}
    if got.status == HTTPStatus.TOO_MANY_REQUESTS:
        return CognitoError(Cause.throttled, _TOKEN, f"HTTP{got.status}")
    if HTTPStatus.BAD_REQUEST <= got.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        error = document.get("error")
        known = error if isinstance(error, str) and error in _REFUSALS else ""
        return CognitoError(_REFUSALS.get(known, Cause.not_authorized), _TOKEN, known or f"HTTP{got.status}")
    if got.status != HTTPStatus.OK:
        return CognitoError(Cause.unavailable, _TOKEN, f"HTTP{got.status}")
    if got.problem:
        return CognitoError(Cause.unavailable, _TOKEN, "MalformedResponse")
    id_token, access_token = document.get("id_token"), document.get("access_token")
    if not isinstance(id_token, str) or not id_token:
        return CognitoError(Cause.token_invalid, _TOKEN, detail="no ID token")
    if not isinstance(access_token, str) or not access_token or not access_token.isascii():
        return CognitoError(Cause.token_invalid, _TOKEN, detail="no access token")
    return Tokens(id_token, access_token)

"""The pool's tokens and the key that signs them.

moto signs every token of every installation with one published key, so anyone could forge a token that a careless
verifier accepts. Each local Cognito has a key of its own.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from .directory import Person

KEY_BITS = 2048
BOOLEANS = frozenset({"email_verified", "phone_number_verified"})


class Signer:
    """One RSA key, generated at start and gone after stop."""

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(KEY_BITS, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, dict(claims), self._key)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of ours that has not expired, or None."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=["RS256"])
            jwt.JWTClaimsRegistry().validate(decoded.claims)
        except (JoseError, ValueError):
            return None
        return decoded.claims

    def jwks(self) -> bytes:
        """The public half, as `jwks_uri` serves it."""
        return json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()


def claims(
    person: Person,
    *,
    issuer: str,
    client_id: str,
    use: str,
    now: int,
    since: int,
    lifetime: int,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """The claims of an ID token (`use` "id") or an access token ("access").

    `now` and `since`, the time of the sign-in, are seconds since the epoch, `lifetime` is seconds, `extra` is what
    moto adds: groups and ids.
    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
    """
    common = {
        "sub": person.sub,
        "iss": issuer,
        "token_use": use,
        "auth_time": since,
        "iat": now,
        "exp": now + lifetime,
        "jti": str(uuid.uuid4()),
    }
    if use == "access":
        return {**extra, **common, "client_id": client_id, "username": person.key}
    return {
        **extra,
        # In tokens these are true booleans; in userInfo they are strings.
        **{name: value == "true" if name in BOOLEANS else value for name, value in person.attributes.items()},
        **common,
        "aud": client_id,
        "cognito:username": person.key,
    }


def discovery(issuer: str, address: str, domain: str) -> bytes:
    """The OpenID configuration of a pool whose keys are below `address`, and whose hosted login is at `domain`."""
    document = {
        "issuer": issuer,
        "jwks_uri": jwks_uri(address),
        "authorization_endpoint": f"{domain}/oauth2/authorize",
        "token_endpoint": f"{domain}/oauth2/token",
        "userinfo_endpoint": f"{domain}/oauth2/userInfo",
        "end_session_endpoint": f"{domain}/logout",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    return json.dumps(document).encode()


def jwks_uri(issuer: str) -> str:
    return f"{issuer}/.well-known/jwks.json"

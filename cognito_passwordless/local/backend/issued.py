"""The tokens that moto has issued: what they continue, and their end."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from .. import errors


class Issued:
    """Tokens of all pools. `pool_of` finds moto's pool by its id."""

    def __init__(self, pool_of: Callable[[str], Any]) -> None:
        self._pool_of = pool_of
        # The sign-in behind a token, by its `origin_jti`: when it was, and the scopes of the hosted login.
        self._since: dict[str, int] = {}
        self._scopes: dict[str, tuple[str, ...]] = {}

    def issue(self, pool_id: str, client_id: str, key: str, origin: str = "") -> dict[str, Any]:
        """A finished sign-in, as Amazon Cognito answers it, or the continuation of the sign-in `origin`."""
        pool = self._pool_of(pool_id)
        refresh_token, new = pool.create_refresh_token(client_id, key)
        origin = origin or new
        pool.refresh_tokens[refresh_token] = (client_id, key, origin)
        access_token, expires_in = pool.create_access_token(client_id, key, origin)
        id_token, _ = pool.create_id_token(client_id, key, origin)
        result = {
            "AccessToken": access_token,
            "ExpiresIn": expires_in,
            "TokenType": "Bearer",
            "RefreshToken": refresh_token,
            "IdToken": id_token,
        }
        return {"ChallengeParameters": {}, "AuthenticationResult": result}

    def held(self, pool_id: str, client_id: str, refresh_token: str) -> tuple[str, str]:
        """The person of a refresh token, and the sign-in that it continues. Raises PoolError."""
        tokens = self._pool_of(pool_id).refresh_tokens
        owner, key, origin = tokens.get(refresh_token) or (None, "", "")
        if owner != client_id:
            revoked = refresh_token in tokens and owner is None
            text = "Refresh Token has been revoked" if revoked else "Invalid Refresh Token"
            raise errors.PoolError("NotAuthorizedException", text)
        return key, origin

    def revoke(self, pool_id: str, client_id: str, refresh_token: str) -> None:
        """End a refresh token with all that came from the same sign-in."""
        pool = self._pool_of(pool_id)
        owner, _, origin = pool.refresh_tokens.get(refresh_token) or (None, "", "")
        if owner is None:
            return
        if owner != client_id:
            raise errors.PoolError("UnauthorizedException", "The token was issued to another app client.")
        for token, held in list(pool.refresh_tokens.items()):
            if held and held[2] == origin:
                pool.refresh_tokens[token] = None
        for token in [token for token in pool.access_tokens if payload(token).get("origin_jti") == origin]:
            del pool.access_tokens[token]

    def replace_access(self, pool_id: str, old: str, new: str, scopes: tuple[str, ...]) -> None:
        """The hosted login signs another access token, which opens what the first one did."""
        pool = self._pool_of(pool_id)
        pool.access_tokens[new] = pool.access_tokens.pop(old)
        self._scopes[payload(new)["origin_jti"]] = scopes

    def scopes(self, origin: str) -> tuple[str, ...] | None:
        """The scopes of the hosted login that a token began at; None for a sign-in by the API."""
        return self._scopes.get(origin)

    def since(self, origin: str, now: int) -> int:
        """When the sign-in behind a token was, in seconds since the epoch; `now` for a new one."""
        return self._since.setdefault(origin, now)


def payload(token: str) -> dict[str, Any]:
    """The claims of a token that this process has made."""
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims

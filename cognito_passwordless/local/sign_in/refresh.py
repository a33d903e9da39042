"""Refresh tokens: new tokens for one, its rotation, its end.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from .. import errors
from ..backend.directory import Client, Directory
from ..testing.clock import Clock
from ..triggers.tokens import issuing
from .secret_hash import check_secret_hash

SOURCE = "TokenGeneration_RefreshTokens"


class Refresh:
    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._retired: dict[str, float] = {}  # rotated tokens, and the end of their grace period

    def initiate(self, request: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
        """InitiateAuth with REFRESH_TOKEN_AUTH, which a client with rotation cannot have."""
        pool, client = self._directory.client(str(request.get("ClientId") or ""), request.get("UserPoolId"))
        if client.rotation is not None or "ALLOW_REFRESH_TOKEN_AUTH" not in client.flows:
            raise errors.flow_not_enabled("REFRESH_TOKEN_AUTH")
        token = parameters.get("REFRESH_TOKEN") or ""
        # The hash is over the pool's own name of the person, which is the sub where one signs in by address.
        key, _ = self._directory.tokens.held(pool.id, client.id, token)
        given = parameters.get("SECRET_HASH")
        check_secret_hash(given, secret=client.secret, client_id=client.id, username=key)
        return self.issue(pool.id, client, token, request.get("ClientMetadata"))

    def get_tokens(self, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
        """GetTokensFromRefreshToken, which rotates where the client says so."""
        pool_id, client = self._client(request)
        return self.issue(pool_id, client, str(request.get("RefreshToken") or ""), request.get("ClientMetadata"))

    def revoke(self, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
        """RevokeToken: the refresh token, and all access tokens that came from it. An unknown one is no error."""
        pool_id, client = self._client(request)
        self._directory.tokens.revoke(pool_id, client.id, str(request.get("Token") or ""))
        return {}

    def sign_out(self, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
        """GlobalSignOut: the end of all tokens of the person."""
        pool_id, key = self._directory.bearer(str(request.get("AccessToken") or ""))
        self._directory.pool(pool_id).sign_out(key)
        return {}

    def issue(
        self, pool_id: str, client: Client, token: str, metadata: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """New tokens for a refresh token. Raises PoolError for one that is unknown, revoked or another client's."""
        if self._retired.get(token, self._clock.now() + 1) <= self._clock.now():
            self._directory.tokens.revoke(pool_id, client.id, token)
            raise errors.PoolError("RefreshTokenReuseException", "Refresh token has already been used")
        key, origin = self._directory.tokens.held(pool_id, client.id, token)
        person = self._directory.person(pool_id, key)
        if person is None or not person.enabled:
            raise errors.PoolError("NotAuthorizedException", "User is disabled.")
        with issuing(SOURCE, metadata, self._directory.tokens.scopes(origin)):
            answer = self._directory.tokens.issue(pool_id, client.id, key, origin)
        if client.rotation is None:
            del answer["AuthenticationResult"]["RefreshToken"]
        else:
            self._retired.setdefault(token, self._clock.now() + client.rotation)
        return answer

    def _client(self, request: Mapping[str, Any]) -> tuple[str, Client]:
        pool, client = self._directory.client(str(request.get("ClientId") or ""))
        given = str(request.get("ClientSecret") or "")
        if not hmac.compare_digest((client.secret or "").encode(), given.encode()):
            text = f"Unable to verify client secret for client {client.id}"
            raise errors.PoolError("NotAuthorizedException", text)
        return pool.id, client

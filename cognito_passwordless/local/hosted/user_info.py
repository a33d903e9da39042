"""userInfo: the person behind an access token, with booleans as strings, as Amazon Cognito writes them.

https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..backend.directory import Directory
from ..backend.tokens import Signer
from ..errors import PoolError
from .web import Request, Response, as_json

_BY_SCOPE = {
    "email": frozenset({"email", "email_verified"}),
    "phone": frozenset({"phone_number", "phone_number_verified"}),
}
_ADDRESSES = frozenset().union(*_BY_SCOPE.values())
# The pool writes these for every scope.
_ALWAYS = frozenset(
    {
        "sub", "iss", "aud", "exp", "iat", "auth_time", "token_use", "jti", "origin_jti", "event_id", "nonce",
        "at_hash", "acr", "scope", "client_id", "username", "version", "cognito:username", "cognito:groups",
        "identities",
    }
)  # fmt: skip


def permitted(claims: Mapping[str, Any], scope: Collection[str]) -> dict[str, Any]:
    """The claims that the scope allows. "openid" alone allows all of them, as the developer guide says."""
    if set(scope) <= {"openid"}:
        return dict(claims)
    allowed = _ALWAYS.union(*(_BY_SCOPE.get(name, ()) for name in scope))
    profile = "profile" in scope
    return {name: value for name, value in claims.items() if name in allowed or (profile and name not in _ADDRESSES)}


class UserInfo:
    """Answers GET and POST /oauth2/userInfo."""

    def __init__(self, directory: Directory, signer: Signer, issuer_of: Callable[[str], str]) -> None:
        self._directory = directory
        self._signer = signer
        self._issuer_of = issuer_of

    def __call__(self, request: Request) -> Response:
        scheme, _, token = request.authorization.partition(" ")
        claims = self._signer.read(token) if scheme.lower() == "bearer" else None
        pool_id = str((claims or {}).get("iss", "")).rpartition("/")[2]
        scope = str((claims or {}).get("scope", "")).split()
        if claims is None or claims.get("iss") != self._issuer_of(pool_id) or not self._opens(token):
            headers = [("WWW-Authenticate", 'Bearer error="invalid_token"')]
            return as_json({"error": "invalid_token"}, "401 Unauthorized", headers)
        person = self._directory.person(pool_id, str(claims["username"]))
        if person is None:
            return as_json({"error": "invalid_token"}, "401 Unauthorized")
        return as_json(permitted({**person.attributes, "sub": person.sub, "username": person.key}, scope))

    def _opens(self, token: str) -> bool:
        """Whether the token is not revoked, and has the scope openid."""
        try:
            self._directory.bearer(token, "openid")
        except PoolError:
            return False
        return True

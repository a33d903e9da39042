"""The token endpoint: a code, once, or a refresh token, for tokens; and the end of a refresh token.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from ..backend.directory import Client, Directory
from ..backend.issued import payload
from ..backend.tokens import Signer
from ..errors import PoolError
from ..sign_in.refresh import Refresh
from ..triggers.tokens import issuing
from .grants import Grant, Grants, fits
from .user_info import permitted
from .web import Request, Response, as_json, single

# Claims of the sign-in operations that the hosted login leaves out or writes itself.
_OWN = frozenset({"nonce", "at_hash", "auth_time", "acr", "scope"})


class TokenEndpoint:
    """Answers POST /oauth2/token, for the grant types authorization_code and refresh_token."""

    def __init__(self, directory: Directory, grants: Grants, signer: Signer, refresh: Refresh) -> None:
        self._directory = directory
        self._grants = grants
        self._signer = signer
        self._refresh = refresh

    def __call__(self, request: Request) -> Response:
        form = single(request.form)
        if form is None:
            return _refuse("invalid_request")
        found = self._authenticated(request, form)
        if found is None:
            return _refuse("invalid_client")
        pool_id, client = found
        if form.get("grant_type") == "refresh_token":
            return self._continue(pool_id, client, form.get("refresh_token", ""))
        if form.get("grant_type") != "authorization_code":
            return _refuse("unsupported_grant_type")
        if not form.get("code") or not form.get("redirect_uri"):
            return _refuse("invalid_request")
        grant = self._grants.redeem(form["code"])
        if (
            grant is None
            or grant.client_id != client.id
            or grant.redirect_uri != form["redirect_uri"]
            # Amazon Cognito holds a client to PKCE that has offered it.
            or (grant.challenge and not fits(form.get("code_verifier", ""), grant.challenge))
        ):
            return _refuse("invalid_grant")
        return as_json(self._tokens(grant))

    def _authenticated(self, request: Request, form: Mapping[str, str]) -> tuple[str, Client] | None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, value = request.authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return None
            # RFC 6749 2.3.1: both are form-encoded first.
            client_id, secret = (unquote_plus(part) for part in pair.partition(":")[::2])
        if form.get("client_id", client_id) != client_id:
            return None
        try:
            pool, client = self._directory.client(client_id)
        except PoolError:
            return None
        right = hmac.compare_digest((client.secret or "").encode(), secret.encode())
        return (pool.id, client) if right else None

    def revoke(self, request: Request) -> Response:
        """Answer POST /oauth2/revoke."""
        form = single(request.form) or {}
        found = self._authenticated(request, form)
        if found is None or not form.get("token"):
            return _refuse("invalid_request" if found else "invalid_client")
        try:
            self._directory.tokens.revoke(found[0], found[1].id, form["token"])
        except PoolError:
            return _refuse("unauthorized_client")
        return Response("200 OK")

    def _continue(self, pool_id: str, client: Client, token: str) -> Response:
        try:
            issued = self._refresh.issue(pool_id, client, token)["AuthenticationResult"]
        except PoolError:
            return _refuse("invalid_grant")
        claims = payload(issued["IdToken"])
        scope = tuple(payload(issued["AccessToken"])["scope"].split())
        return as_json(_answer(issued, self._signer.sign(permitted(claims, scope)), issued["AccessToken"]))

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        with issuing("TokenGeneration_HostedAuth", scopes=grant.scope):
            answer = self._directory.tokens.issue(grant.pool_id, grant.client_id, grant.person)
        issued = answer["AuthenticationResult"]
        # The requested scopes, as changed by the pool's token trigger.
        access = self._sign(issued["AccessToken"], grant, {"scope": payload(issued["AccessToken"])["scope"]})
        self._directory.tokens.replace_access(grant.pool_id, issued["AccessToken"], access, grant.scope)
        own = {"at_hash": at_hash(access), "nonce": grant.nonce, "acr": grant.acr}
        identity = self._sign(issued["IdToken"], grant, {name: value for name, value in own.items() if value})
        return _answer(issued, identity, access)

    def _sign(self, token: str, grant: Grant, own: Mapping[str, str]) -> str:
        claims = {name: value for name, value in payload(token).items() if name not in _OWN}
        claims |= {"auth_time": grant.auth_time, **own}
        return self._signer.sign(permitted(claims, grant.scope))


def _answer(issued: Mapping[str, Any], identity: str, access: str) -> dict[str, Any]:
    answer = {"id_token": identity, "access_token": access, "refresh_token": issued.get("RefreshToken")}
    answer |= {"expires_in": issued["ExpiresIn"], "token_type": "Bearer"}
    return {name: value for name, value in answer.items() if value is not None}


def at_hash(access_token: str) -> str:
    """OpenID Connect Core 3.1.3.6: the left half of the hash, for RS256."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def _refuse(error: str) -> Response:
    return as_json({"error": error}, "400 Bad Request")

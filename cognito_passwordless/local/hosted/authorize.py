"""The authorize endpoint: check the request, and show a login page unless the browser is signed in.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..backend.directory import Directory
from ..errors import PoolError
from . import pages
from .login import LoginPages, send_back
from .visits import LoginRequest, Visits
from .web import Request, Response, html, single

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class Authorize:
    """Answers GET /oauth2/authorize."""

    def __init__(self, directory: Directory, visits: Visits, login: LoginPages) -> None:
        self._directory = directory
        self._visits = visits
        self._login = login

    def __call__(self, request: Request) -> Response:
        given = single(request.query)
        if given is None:
            return _error_page("invalid_request", "A parameter is repeated.")
        try:
            pool, client = self._directory.client(given.get("client_id", ""))
        except PoolError:
            return _error_page("invalid_client", "There is no such app client.")
        # No browser is redirected to an address before it is known to belong to the client.
        if given.get("redirect_uri") not in client.callback_urls:
            return _error_page("redirect_mismatch", "This callback URL is not registered for the app client.")
        max_age = given.get("max_age", "")
        login = LoginRequest(
            pool=pool,
            client=client,
            redirect_uri=given["redirect_uri"],
            state=given.get("state", ""),
            nonce=given.get("nonce", ""),
            challenge=given.get("code_challenge", ""),
            scope=tuple(dict.fromkeys(given.get("scope", "openid").split())),
            form_post=given.get("response_mode") == "form_post",
            acr_values=tuple(given.get("acr_values", "").split()),
            prompt=frozenset(given.get("prompt", "").split()),
            max_age=int(max_age) if max_age.isdecimal() and max_age.isascii() else None,
            login_hint=given.get("login_hint", ""),
            identity_provider=given.get("identity_provider", ""),
        )
        refusal = _refusal(given, login)
        if refusal:
            return send_back(login, {"error": refusal[0], "error_description": refusal[1]})
        session = self._visits.session(request.cookie, pool.id, login.max_age)
        if session and "login" not in login.prompt:
            return self._login.grant(login, session.person, session.auth_time, session.factors)
        if "none" in login.prompt:
            return send_back(login, {"error": "login_required"})
        return self._login.welcome(login)


def _refusal(given: Mapping[str, str], login: LoginRequest) -> tuple[str, str] | None:
    if given.get("response_type") != "code":
        return "unsupported_response_type", "Only code"
    if not login.client.scopes.issuperset(login.scope) or "openid" not in login.scope:
        return "invalid_scope", "Unknown scope, or openid is missing"
    if "code" not in login.client.oauth_flows:
        return "unauthorized_client", "The client may not use the code grant"
    offered = "code_challenge_method" in given or login.challenge
    if offered and (given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(login.challenge)):
        return "invalid_request", "PKCE works with S256 alone"
    if given.get("response_mode", "query") not in {"query", "form_post"}:
        return "invalid_request", "Unknown response_mode"
    return None


def _error_page(error: str, text: str) -> Response:
    return html(pages.failure(error, text), "400 Bad Request")

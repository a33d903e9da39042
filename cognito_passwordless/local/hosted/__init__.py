"""The hosted login of a local pool: authorize, login page, token, userInfo and logout.

All pools of a local Cognito share one domain, its `url`: the client id of a request says which pool is meant. What
Amazon Cognito does not document and we do all the same, so that a site can try it: `response_mode=form_post`.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..backend.directory import Directory
from ..backend.tokens import Signer
from ..messages.post import Post
from ..sign_in.refresh import Refresh
from ..testing.clock import Clock
from ..triggers.runner import Triggers
from ..triggers.sign_in import SignInTriggers
from .authorize import Authorize
from .exchange import TokenEndpoint
from .federation import Federation
from .grants import Grants
from .login import LoginPages
from .logout import Logout
from .user_info import UserInfo
from .visits import Visits
from .web import Request, Response, text_page

Endpoint = Callable[[Request], Response]

__all__ = ["HostedLogin"]


class HostedLogin:
    """One table of paths. `seen` lists the requests so far, as "GET /oauth2/authorize"."""

    def __init__(
        self,
        *,
        directory: Directory,
        triggers: Triggers,
        post: Post,
        clock: Clock,
        signer: Signer,
        issuer_of: Callable[[str], str],
        refresh: Refresh,
    ) -> None:
        grants, visits = Grants(clock), Visits(clock)
        federation, around = Federation(directory, triggers), SignInTriggers(triggers)
        pages = LoginPages(directory, post, visits, grants, federation=federation, around=around)
        token = TokenEndpoint(directory, grants, signer, refresh)
        self._endpoints: dict[tuple[str, str], Endpoint] = {
            ("GET", "/oauth2/authorize"): Authorize(directory, visits, pages),
            ("POST", "/login"): pages,
            ("POST", "/oauth2/token"): token,
            ("POST", "/oauth2/revoke"): token.revoke,
            ("GET", "/oauth2/userInfo"): (user_info := UserInfo(directory, signer, issuer_of)),
            ("POST", "/oauth2/userInfo"): user_info,
            ("GET", "/logout"): Logout(directory, visits),
        }
        self._seen: list[str] = []
        self._lock = threading.Lock()

    def note(self, method: str, path: str) -> None:
        with self._lock:
            self._seen.append(f"{method} {path}")

    def seen(self) -> list[str]:
        with self._lock:
            return list(self._seen)

    def answer(self, request: Request) -> Response | None:
        """Answer a request; None for a path outside the hosted login."""
        endpoint = self._endpoints.get((request.method, request.path))
        if endpoint is not None:
            self.note(request.method, request.path)
            return endpoint(request)
        if any(path == request.path for _, path in self._endpoints):
            return text_page("405 Method Not Allowed", "Method not allowed")
        return None

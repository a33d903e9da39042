"""The end of the browser's session at the pool.

https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
"""

from __future__ import annotations

from ..backend.directory import Directory
from ..errors import PoolError
from . import pages
from .visits import Visits
from .web import Request, Response, html, redirect, single


class Logout:
    """Answers GET /logout with `client_id` and a registered `logout_uri`."""

    def __init__(self, directory: Directory, visits: Visits) -> None:
        self._directory = directory
        self._visits = visits

    def __call__(self, request: Request) -> Response:
        given = single(request.query) or {}
        try:
            pool, client = self._directory.client(given.get("client_id", ""))
        except PoolError:
            return _refuse("There is no such app client.")
        if given.get("logout_uri") not in client.logout_urls:
            return _refuse("This sign-out URL is not registered for the app client.")
        self._visits.forget(request.cookie, pool.id)
        return redirect(given["logout_uri"])


def _refuse(text: str) -> Response:
    return html(pages.failure("invalid_request", text), "400 Bad Request")

"""A proxy in front of moto: it records every call, plays faults, and serves the signing key and the hosted login."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .hosted import HostedLogin
from .hosted.web import Request
from .testing import faults as faulty
from .testing.faults import Faults

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
# A browser asks before it calls another origin. Amazon Cognito lets every page call it; moto would answer 404.
_ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
_PREFLIGHT = [("Access-Control-Allow-Methods", "GET, POST, OPTIONS"), ("Access-Control-Max-Age", "600")]
_TARGET = "AWSCognitoIdentityProviderService."


class Call(NamedTuple):
    """One API call: `target` is the client id where the call has one, else the pool id."""

    operation: str
    target: str | None
    username: str | None


class Proxy:
    """A WSGI application around moto's, for one account of moto's."""

    def __init__(
        self,
        moto: Application,
        *,
        account: str,
        faults: Faults,
        pool_of_client: Callable[[str], str | None],
        documents: Callable[[str], bytes | None],
        hosted: HostedLogin,
    ) -> None:
        self._moto = moto
        self._account = account
        self._faults = faults
        self._pool_of_client = pool_of_client
        self._documents = documents
        self._hosted = hosted
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
        if method == "OPTIONS":
            wanted = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            allowed = [("Access-Control-Allow-Headers", wanted), *_PREFLIGHT]
            return _reply(start_response, "200 OK", b"", "text/plain", allowed)
        if "HTTP_X_AMZ_TARGET" not in environ and path != "/":
            error = self._faults.take(f"{method} {path}", None)
            if error is not None:
                return self._fail(error, environ, start_response)
            page = self._hosted.answer(Request.of(environ))
            if page is not None:
                start_response(page.status, [*page.headers, ("Content-Length", str(len(page.body)))])
                return [page.body]
        if method == "GET":
            document = self._documents(path)
            # moto would answer for any pool, with its own published key.
            if document is None:
                return _reply(start_response, "404 Not Found", b"", "text/plain")
            self._hosted.note(method, path)
            return _reply(start_response, "200 OK", document, "application/json")
        # The account is always this one, whatever the client sends: local Cognitos do not see each other.
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(_TARGET):
            error = self._record(target.removeprefix(_TARGET), environ)
            if error is not None:
                return self._fail(error, environ, start_response)
        return self._moto(environ, start_response)

    def _record(self, operation: str, environ: Environ) -> str | None:
        """Record the call, and return the fault that is planned for it."""
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        # moto reads the body too.
        environ["wsgi.input"] = io.BytesIO(raw)
        try:
            body = json.loads(raw)
        except ValueError:
            body = {}
        if not isinstance(body, dict):
            body = {}
        client_id, pool_id = body.get("ClientId"), body.get("UserPoolId")
        given = body.get("AuthParameters") or body.get("ChallengeResponses") or {}
        username = given.get("USERNAME") or body.get("Username")
        with self._lock:
            self._calls.append(Call(operation, client_id or pool_id, username))
        if pool_id is None and client_id is not None:
            pool_id = self._pool_of_client(client_id)
        return self._faults.take(operation, pool_id)

    def _fail(self, error: str, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if error == "timeout":
            self._faults.hang(environ["werkzeug.socket"])
        status, kind, body = faulty.answer(error)
        headers = [("x-amzn-ErrorType", kind)] if kind else []
        return _reply(start_response, status, body, "application/x-amz-json-1.1", headers)


def _reply(
    start_response: Any, status: str, body: bytes, content_type: str, headers: Iterable[tuple[str, str]] = ()
) -> Iterable[bytes]:
    length = str(len(body))
    start_response(status, [("Content-Type", content_type), ("Content-Length", length), _ANY_ORIGIN, *headers])
    return [body]

"""A proxy in front of moto: it records every call, plays faults, and serves the signing key and the hosted login."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.utils import camelcase_to_underscores
from werkzeug.wsgi import ClosingIterator

from .hosted import HostedLogin
from .hosted.web import Request
from .testing import faults as faulty
from .testing.faults import Faults

logger = logging.getLogger(__name__)
Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
# A browser asks before it calls another origin. Amazon Cognito lets every page call it; moto would answer 404.
_EXPOSED = ("Access-Control-Expose-Headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date")
_ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
# Of the hosted login, pages call these; to the others a browser is sent.
_CALLED = frozenset({"/oauth2/token", "/oauth2/userInfo", "/oauth2/revoke"})
_PREFLIGHT = [("Access-Control-Allow-Methods", "GET, POST, OPTIONS"), ("Access-Control-Max-Age", "600")]
JSON = "application/x-amz-json-1.1"
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
                origin = [_ANY_ORIGIN] if path in _CALLED else []
                start_response(page.status, [*page.headers, *origin, ("Content-Length", str(len(page.body)))])
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
            operation = target.removeprefix(_TARGET)
            error = self._record(operation, environ)
            if error is not None:
                return self._fail(error, environ, start_response)
            if not hasattr(CognitoIdpResponse, camelcase_to_underscores(operation)):
                text = f"The local Cognito does not do {operation}"
                return _refuse(start_response, "400 Bad Request", "UnknownOperationException", text)
        return self._pass_on(environ, start_response)

    def _pass_on(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Let moto answer; its errors get the headers and the content type of Amazon's."""
        told: list[Any] = []
        try:
            answer = self._moto(environ, lambda *given: told.append(given))
            body = b"".join(answer)
            if isinstance(answer, ClosingIterator):
                answer.close()
            status, headers = told[-1][:2]
        except Exception:  # an error of moto's own, which says nothing to a client
            logger.exception("moto has failed")
            status, headers, body = "500 Internal Server Error", [], b""
        if int(status[:3]) < 400:
            start_response(status, headers)
            return [body]
        try:
            error = json.loads(body)
            return _refuse(start_response, status, str(error["__type"]), str(error.get("message") or ""))
        except (ValueError, KeyError, TypeError):
            text = "moto has failed; the log says why"
            return _refuse(start_response, "500 Internal Server Error", "InternalErrorException", text)

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
        status, kind, text = faulty.answer(error)
        if not kind:
            return _reply(start_response, status, text.encode(), JSON)
        return _refuse(start_response, status, kind, text)


def _refuse(start_response: Any, status: str, kind: str, text: str) -> Iterable[bytes]:
    """An error as the service writes it (seen): its kind and text are in the headers too."""
    body = json.dumps({"__type": kind, "message": text}).encode()
    message = " ".join(text.encode("ascii", "replace").decode().split())
    headers = [("x-amzn-ErrorType", f"{kind}:"), ("x-amzn-ErrorMessage", message), _EXPOSED]
    return _reply(start_response, status, body, JSON, headers)


def _reply(
    start_response: Any, status: str, body: bytes, content_type: str, headers: Iterable[tuple[str, str]] = ()
) -> Iterable[bytes]:
    length = str(len(body))
    start_response(status, [("Content-Type", content_type), ("Content-Length", length), _ANY_ORIGIN, *headers])
    return [body]

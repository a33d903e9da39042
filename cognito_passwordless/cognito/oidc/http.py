"""One JSON document from an address of the settings: bounded in time, size and place.

Law of this file: what is sent and what comes back may be a code, a secret or a token. So a failure is raised where no
frame holds any of them, and has no ``__context__``.
"""

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from botocore.httpsession import get_cert_path

from ..errors import Cause, CognitoError

TIMEOUT: Final = 5.0  # seconds to connect, and between two bytes
DEADLINE: Final = 10.0  # seconds for the whole body, however slowly it drips
MAX_BYTES: Final = 256 * 1024
_CHUNK: Final = 16 * 1024


@dataclass(frozen=True)
class Sent:
    """A request's form and headers, hidden from ``repr``; with a ``form`` it is a POST."""

    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def method(self) -> str:
        return "GET" if self.form is None else "POST"


@dataclass(frozen=True)
class Got:
    """An answer of any status.

    ``problem`` says why ``document`` is None where the body was no JSON. ``date`` is the answer's header of that name
    (RFC 9110, 6.6.1), empty where there is none.
    """

    status: int
    document: Any = field(repr=False)
    problem: str = ""
    date: str = ""


def fetch_json(uri: str) -> Any:
    """GET a document and parse it. Raises ``CognitoError`` with ``timeout`` or ``unavailable``."""
    got = exchange(uri, Sent())
    if got.status >= 300:
        raise CognitoError(Cause.unavailable, "GET", f"HTTP{got.status}")
    if got.problem:
        raise CognitoError(Cause.unavailable, "GET", got.problem)
    return got.document


def exchange(uri: str, sent: Sent) -> Got:
    """Make one request, never repeated. Raises ``CognitoError`` when there is no answer at all."""
    try:
        return _exchange(uri, sent)
    except CognitoError as error:
        failure = CognitoError(*error.args)
    except TimeoutError:
        failure = CognitoError(Cause.timeout, sent.method, "TimeoutError")
    except urllib.error.URLError as error:
        late = isinstance(error.reason, TimeoutError)
        cause = Cause.timeout if late else Cause.unavailable
        failure = CognitoError(cause, sent.method, type(error.reason).__name__)
    except (OSError, HTTPException, ValueError) as error:
        failure = CognitoError(Cause.unavailable, sent.method, type(error).__name__)
    raise failure


def _exchange(uri: str, sent: Sent) -> Got:
    if urlsplit(uri).scheme not in ("http", "https"):
        raise CognitoError(Cause.misconfigured, sent.method, detail="neither http nor https")
    body = None if sent.form is None else urlencode(sent.form).encode()
    headers = {"Accept": "application/json", **sent.headers}
    request = urllib.request.Request(uri, body, headers)  # noqa: S310 - checked above
    try:
        response = _opener().open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        response = error  # an answer like any other, with the same methods
    with response:
        content, deadline = b"", time.monotonic() + DEADLINE
        while chunk := response.read1(_CHUNK):
            content += chunk
            if len(content) > MAX_BYTES:
                raise CognitoError(Cause.unavailable, "GET", "TooLarge")
            if time.monotonic() > deadline:
                raise CognitoError(Cause.timeout, "GET", "TooSlow")
        date = response.headers.get("Date") or ""
        try:
            return Got(response.status, json.loads(content), date=date)
        except (ValueError, RecursionError) as error:
            return Got(response.status, None, type(error).__name__, date)


def _opener() -> urllib.request.OpenerDirector:
    """An opener for http and https alone: it opens no file and no ftp, and follows no redirect."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_trust()),
        # A redirect becomes an HTTPError: keys come from where the settings say, and no code goes elsewhere.
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


@cache
def _trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # The same authorities as for the API calls, also where the system has none.
    context.load_verify_locations(cafile=get_cert_path(True))
    return context

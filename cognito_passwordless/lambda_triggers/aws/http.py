"""One HTTP request by `http.client`: no redirects, no proxies, a bounded response, and a new connection each time."""

import http.client
import ssl
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

from ...otp.records import field, record
from ..core.deadline import Deadline
from ..errors import Misconfigured, Unavailable

LARGEST_ANSWER = 1 << 20  # bytes
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Reading the certificates of the authorities takes longer than a call, so a function does it once.
tls_context = cache(ssl.create_default_context)


@record(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str], *, deadline: Deadline, what: str) -> Answer:
    """The response, whatever its status.

    Raises `Unavailable`, with a cause that begins with ``what``, when there is no complete response in time.
    Raises `Misconfigured` for an address that is neither HTTPS nor loopback, because the body is secret, and for a
    character that could add a header or a second request.
    """
    parts = urlsplit(url)
    host, target = parts.hostname or "", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise Misconfigured("an address must be https, or http on loopback")
    # `http.client` refuses line breaks, but lets other control characters of a header pass.
    written = "".join((host, target, *headers, *headers.values()))
    if " " in target or not (written.isascii() and written.isprintable()):
        raise Misconfigured("an address or a header has a character that it must not have")

    def exchange() -> Answer:
        timeout = max(deadline.left, 0.01)
        connection = (
            http.client.HTTPConnection(host, parts.port, timeout=timeout)
            if parts.scheme == "http"
            else http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=tls_context())
        )
        try:
            connection.request("POST", target, body, {**headers, "Connection": "close"})
            with connection.getresponse() as response:
                content = response.read(LARGEST_ANSWER + 1)
        except TimeoutError:
            raise Unavailable(f"{what}_timeout") from None
        except (OSError, http.client.HTTPException) as error:
            # The type only: the text may quote what was sent.
            raise Unavailable(f"{what}_{type(error).__name__}") from None
        finally:
            connection.close()
        if len(content) > LARGEST_ANSWER:
            raise Unavailable(f"{what}_too_large")
        if response.length:
            # `read` with a size returns a truncated body without an error; ``length`` is what is missing of it.
            raise Unavailable(f"{what}_IncompleteRead")
        return Answer(status=response.status, body=content)

    return deadline.call(exchange, what)

"""One HTTP request: no redirects, no proxies, a bounded answer, and a connection of its own.

On a socket, because importing `http.client` takes longer than all the rest of a function's cold start does; what it
would refuse, this refuses too. The framing is that of RFC 9112 6.3, for an answer to a POST.
"""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from ...otp.records import field, record
from ..core.deadline import Deadline
from ..errors import Misconfigured, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import BinaryIO

LARGEST_ANSWER = 1 << 20  # bytes
LONGEST_LINE, MOST_HEADERS = 1 << 16, 100
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PORTS = {"https": 443, "http": 80}
_tls: "list[ssl.SSLContext]" = []


@record(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class _Malformed(Exception):
    """What arrived is not an HTTP answer, or not all of one."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, deadline: Deadline, what: str) -> Answer:
    """Raises `Unavailable`, named after ``what``, when there is no answer in time; any status is an answer.

    Raises `Misconfigured` for an address that is neither HTTPS nor loopback: what is sent there is secret.
    """
    return deadline.call(lambda: _post(url, body, headers, deadline, what), what)


def _post(url: str, body: bytes, headers: Mapping[str, str], deadline: Deadline, what: str) -> Answer:
    host, port, request = _request(url, body, headers)
    try:
        with _connected(url.partition(":")[0], host, port, max(deadline.left, 0.01)) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as reader:
                answer = _read(reader)
    except TimeoutError:
        raise Unavailable(f"{what}_timeout") from None
    except (OSError, _Malformed) as error:
        # The type only: a text may quote what was sent.
        raise Unavailable(f"{what}_{type(error).__name__.lstrip('_')}") from None
    if len(answer.body) > LARGEST_ANSWER:
        raise Unavailable(f"{what}_too_large")
    return answer


def _request(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[str, int, bytes]:
    """The host and the port to call, and every byte to send there."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise Misconfigured("an address must be https, or http on loopback")
    shown = f"[{host}]" if ":" in host else host
    complete = {
        "Host": shown if parts.port is None else f"{shown}:{parts.port}",
        **headers,
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in complete.items())]
    # Nobody adds a line of their own, nor ends the path early.
    if not all(32 <= ord(sign) < 127 for line in lines for sign in line) or " " in path:
        raise Misconfigured("an address or a header has a character that it must not have")
    return host, parts.port or PORTS[parts.scheme], "\r\n".join((*lines, "", "")).encode() + body


def _connected(scheme: str, host: str, port: int, timeout: float) -> socket.socket:
    connection = socket.create_connection((host, port), timeout)
    if scheme == "http":
        return connection
    try:
        return _context().wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


def _context() -> "ssl.SSLContext":
    # Reading the certificates of the authorities takes longer than a call, so it is done once.
    if not _tls:
        import ssl  # noqa: PLC0415  # a stand-in on loopback needs none

        _tls.append(ssl.create_default_context())
    return _tls[0]


def _read(reader: "BinaryIO") -> Answer:
    status, headers = _head(reader)
    while 100 <= status < 200:
        status, headers = _head(reader)
    coding, length = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if status in {204, 304}:
        body = b""
    elif coding is not None:
        if coding.lower() != b"chunked" or length is not None:
            raise _Malformed
        body = _chunks(reader)
    elif length is not None:
        if not length.isdigit() or len(length) > 12:
            raise _Malformed
        body = _exactly(reader, min(int(length), LARGEST_ANSWER + 1))
    else:
        body = reader.read(LARGEST_ANSWER + 1)
    return Answer(status=status, body=body)


def _head(reader: "BinaryIO") -> tuple[int, dict[bytes, bytes]]:
    version, _, rest = _line(reader).partition(b" ")
    status = rest[:3]
    if version not in {b"HTTP/1.1", b"HTTP/1.0"} or not (len(status) == 3 and status.isdigit()):
        raise _Malformed
    headers: dict[bytes, bytes] = {}
    for _number in range(MOST_HEADERS):
        line = _line(reader)
        if not line:
            return int(status), headers
        name, colon, value = line.partition(b":")
        if not colon or ((name := name.lower()) in headers and name in {b"content-length", b"transfer-encoding"}):
            raise _Malformed
        headers[name] = value.strip()
    raise _Malformed


def _chunks(reader: "BinaryIO") -> bytes:
    body = b""
    while len(body) <= LARGEST_ANSWER:
        size = _line(reader).partition(b";")[0].strip()
        if not 0 < len(size) <= 8 or not set(size) <= set(b"0123456789abcdefABCDEF"):
            raise _Malformed
        if int(size, 16) == 0:
            return body
        body += _exactly(reader, min(int(size, 16), LARGEST_ANSWER + 1))
        if len(body) <= LARGEST_ANSWER and _line(reader):
            raise _Malformed
    return body


def _line(reader: "BinaryIO") -> bytes:
    line = reader.readline(LONGEST_LINE + 1)
    if not line.endswith(b"\n"):
        raise _Malformed
    return line.rstrip(b"\r\n")


def _exactly(reader: "BinaryIO", size: int) -> bytes:
    found = reader.read(size)
    if len(found) != size:
        raise _Malformed
    return found

"""One request on a socket of our own, held against `http.client`, and against servers that misbehave."""

import datetime as dt
import http.client
import io
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from cognito_passwordless.lambda_triggers.aws import http as ours
from cognito_passwordless.lambda_triggers.core.deadline import Deadline
from cognito_passwordless.lambda_triggers.errors import Misconfigured, Unavailable

TOO_LARGE = ours.LARGEST_ANSWER + 1


@contextmanager
def serving(answer: bytes, wrap: Callable[[socket.socket], socket.socket] = lambda raw: raw) -> Iterator[Any]:
    """A server for one call: its port, and what it was sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = bytearray()

    def serve() -> None:
        try:
            with listener, wrap(listener.accept()[0]) as client:
                while b"\r\n\r\n" not in asked or not asked.endswith(b"the body"):
                    asked.extend(client.recv(65536))
                client.sendall(answer)
        except OSError:
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], asked
    thread.join(5)


def post(port: int, scheme: str = "http", host: str = "127.0.0.1", **headers: str) -> ours.Answer:
    url = f"{scheme}://{host}:{port}/a/path?with=a&query"
    return ours.post(url, b"the body", headers, deadline=Deadline(3), what="it")


def test_what_is_sent_is_a_whole_request() -> None:
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as (port, asked):
        answer = post(port, **{"X-Own": "value", "Content-Type": "text/plain"})
    assert (answer.status, answer.body, answer.ok) == (200, b"ok", True)
    head, _, body = bytes(asked).partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    assert (first, body) == ("POST /a/path?with=a&query HTTP/1.1", b"the body")
    assert sorted(rest) == sorted(
        [
            *(f"Host: 127.0.0.1:{port}", "X-Own: value", "Content-Type: text/plain"),
            *("Content-Length: 8", "Connection: close"),
        ]
    )


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://www.example.com/", {}),
        ("ftp://127.0.0.1/", {}),
        ("https:///path", {}),
        ("/path", {}),
        ("http://127.0.0.1/a b", {}),
        ("http://127.0.0.1/\u00e9", {}),
        ("https://ex\u00e4mple.com/", {}),
        ("http://127.0.0.1/", {"X": "a\r\nY: b"}),
        ("http://127.0.0.1/", {"X\n": "a"}),
        ("http://127.0.0.1/", {"X": "\x00"}),
    ],
)
def test_what_must_not_be_sent_is_not(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        ours.post(url, b"secret", headers, deadline=Deadline(1), what="it")


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        HEAD,
        HEAD + b"Content-Length: 5\r\n\r\nshort"[:-1],
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        HEAD + b"X: y\r\n" * 200 + b"\r\n",
        HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        HEAD + b"Content-Length: %d\r\n\r\n" % TOO_LARGE + b"x" * TOO_LARGE,
        HEAD + b"\r\n" + b"x" * TOO_LARGE,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % TOO_LARGE + b"x" * TOO_LARGE + b"\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_none(answer: bytes) -> None:
    with serving(answer) as (port, _), pytest.raises(Unavailable, match="it_"):
        post(port)


def test_nobody_there_and_nobody_in_time() -> None:
    with pytest.raises(Unavailable, match="it_ConnectionRefusedError"):
        post(9)
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, pytest.raises(Unavailable, match="it_timeout"):
        ours.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"", {}, deadline=Deadline(0.2), what="it")


names = st.text("abcXYZ-", min_size=1, max_size=8).map(lambda name: f"X-{name}")
values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


def chunked(body: bytes, sizes: list[int]) -> bytes:
    found, rest = b"", body
    for size in sizes:
        if rest[:size]:
            found += b"%X;x=y\r\n%b\r\n" % (len(rest[:size]), rest[:size])
        rest = rest[size:]
    return found + (b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n"


@given(
    status=st.integers(200, 599),
    headers=st.dictionaries(names, values, max_size=4),
    body=st.binary(max_size=300),
    framing=st.sampled_from(["length", "chunked", "close"]),
    sizes=st.lists(st.integers(1, 90), max_size=4),
    interim=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_answers_are_read_as_http_client_reads_them(
    status: int, headers: dict[str, str], body: bytes, framing: str, sizes: list[int], interim: bool
) -> None:
    framed = {
        "length": (b"Content-Length: %d\r\n" % len(body), body),
        "chunked": (b"Transfer-Encoding: chunked\r\n", chunked(body, sizes)),
        "close": (b"", body),
    }[framing]
    own = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    raw = b"HTTP/1.1 100 Continue\r\n\r\n" if interim else b""
    raw += b"HTTP/1.1 %d Some reason\r\n" % status + own + framed[0] + b"\r\n" + framed[1]
    theirs = http.client.HTTPResponse(_Recorded(raw), method="POST")
    theirs.begin()
    answer = ours._read(io.BytesIO(raw))
    # http.client reads chunks after a 204 and a 304 too, which have no content (RFC 9110, section 6.4.1).
    body = b"" if status in {204, 304} else theirs.read()
    assert (answer.status, answer.body) == (theirs.status, body)


class _Recorded(socket.socket):
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: Any, **__: Any) -> Any:
        return io.BytesIO(self._raw)

    def __del__(self) -> None:
        """There is no socket to close."""


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: HEAD + rest))
@settings(max_examples=300, deadline=None)
def test_whatever_arrives_is_an_answer_or_none(raw: bytes) -> None:
    with suppress(ours._Malformed):
        assert isinstance(ours._read(io.BytesIO(raw)), ours.Answer)


class TestTls:
    @pytest.fixture
    def certified(self, tmp_path: Path) -> ssl.SSLContext:
        """A server's context, whose certificate is for localhost and vouches for itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        written = tmp_path / "certificate.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        written.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(written)
        return context

    @pytest.fixture(autouse=True)
    def _own_trust(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ours, "_tls", [])

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def serving(self, context: ssl.SSLContext) -> Any:
        return serving(self.ANSWER, lambda raw: context.wrap_socket(raw, server_side=True))

    def test_a_certificate_that_is_trusted_and_fits(
        self, certified: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        with self.serving(certified) as (port, _):
            assert post(port, "https", "localhost").body == b"ok"

    def test_one_for_another_host(
        self, certified: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        with self.serving(certified) as (port, asked), pytest.raises(Unavailable, match="it_SSLCertVerification"):
            post(port, "https", str(ipaddress.ip_address("127.0.0.1")))
        assert asked == b""

    def test_one_that_nobody_trusts(self, certified: ssl.SSLContext) -> None:
        with self.serving(certified) as (port, asked), pytest.raises(Unavailable, match="it_SSLCertVerification"):
            post(port, "https", "localhost")
        assert asked == b""

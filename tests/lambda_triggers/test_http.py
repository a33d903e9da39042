"""One request against real servers, most of which misbehave."""

import datetime as dt
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
            *("Content-Length: 8", "Connection: close", "Accept-Encoding: identity"),
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
        HEAD + b"Content-Length: 5\r\n\r\nshort"[:-1],
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


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 4\r\n\r\nbody",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;x=y\r\nb\r\n3\r\nody\r\n0\r\n\r\n",
        HEAD + b"\r\nbody",
        b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 4\r\n\r\nbody",
    ],
)
def test_a_body_of_each_framing_is_read(answer: bytes) -> None:
    with serving(answer) as (port, _):
        assert post(port).body == b"body"


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with serving(b"") as (other, asked_there):
        moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % other
        with serving(moved) as (port, _):
            answer = post(port)
        assert (answer.status, answer.ok, asked_there) == (307, False, b"")
        socket.create_connection(("127.0.0.1", other)).close()


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with serving(HEAD + b"Content-Length: 2\r\n\r\nok") as (port, _):
        assert post(port).body == b"ok"


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: HEAD + rest))
@settings(max_examples=100, deadline=None)
def test_whatever_arrives_is_an_answer_or_none(raw: bytes) -> None:
    with serving(raw) as (port, _), suppress(Unavailable):
        assert isinstance(post(port), ours.Answer)


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
    def _own_trust(self) -> Iterator[None]:
        ours.tls_context.cache_clear()
        yield
        ours.tls_context.cache_clear()

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

"""An OpenID provider that says what a test tells it to, right or wrong, over real HTTP on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl

import jwt

from ..cognito.signing import jwk, private_key

POOL = "eu-west-1_Hostile01"
CLIENT, SECRET = "client-1", "secret-1"
ACCESS = "an-access-token"


def at_hash(access_token: str = ACCESS) -> str:
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


@dataclass
class Provider:
    """``claims`` are the ID token's; ``sign`` makes a token of them; ``tokens`` is the whole answer, if a test wants
    another. The issuer ends with the pool's id, as Cognito's does, unless ``foreign``."""

    foreign: bool = False
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    tokens: dict[str, Any] | None = None
    status: int = 200
    user_info: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    pool: str = POOL
    # What goes wrong at a path: a status, bytes that are sent as they are, or "hang".
    faults: dict[str, int | bytes | str] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def issuer(self) -> str:
        return self.url if self.foreign else f"{self.url}/{self.pool}"

    def paths(self) -> list[str]:
        return [f"{method} {path}" for method, path, _, _ in self.seen]

    def usual_claims(self, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        usual: dict[str, Any] = {
            "iss": self.issuer,
            "sub": "6a1b",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": nonce,
            "at_hash": at_hash(),
            "email": "ann@example.com",
            "email_verified": True,
        }
        return usual if self.foreign else usual | {"token_use": "id", "cognito:username": "ann"}

    def expect(self, nonce: str) -> None:
        """The claims of an honest answer to this request, with the test's changes; None leaves one out."""
        merged = self.usual_claims(nonce) | self.claims
        self._claims = {name: value for name, value in merged.items() if value is not None}

    def _token_answer(self) -> dict[str, Any]:
        if self.tokens is not None:
            return self.tokens
        id_token = (self.sign or signed)(self._claims)
        return {"id_token": id_token, "access_token": ACCESS, "token_type": "Bearer"}

    def _answer(self, method: str, path: str) -> tuple[int, Any]:
        if path.endswith("/.well-known/openid-configuration"):
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/me",
                "jwks_uri": f"{self.url}/jwks",
                **self.discovery,
            }
        if path == "/jwks":
            return 200, {"keys": [jwk("k1")]}
        if path == "/token" and method == "POST":
            return self.status, self._token_answer()
        return (200, self.user_info) if path == "/me" else (404, {})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply("GET", {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                self._reply("POST", dict(parse_qsl(body)))

            def _reply(self, method: str, form: dict[str, str]) -> None:
                provider.seen.append((method, self.path, form, dict(self.headers)))
                status, document = provider._answer(method, self.path)
                body = json.dumps(document).encode()
                fault = provider.faults.get(self.path.rpartition("/")[2])
                if fault == "hang":
                    provider._closing.wait(20)
                    return
                status = fault if isinstance(fault, int) else status
                body = fault if isinstance(fault, bytes) else body
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def signed(claims: dict[str, Any], *, kid: str = "k1", name: str = "first", **headers: Any) -> str:
    body = json.dumps(claims).encode()
    return jwt.PyJWS().encode(body, private_key(name), algorithm="RS256", headers={"kid": kid, **headers})


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.PyJWS().encode(json.dumps(claims).encode(), "", algorithm="none", headers={"kid": "k1"})


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    """HS256 with the key that everybody can read: the classic confusion."""
    import hmac

    from cryptography.hazmat.primitives import serialization

    public = private_key().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = b64(json.dumps({"alg": "HS256", "kid": "k1"}).encode())
    message = f"{head}.{b64(json.dumps(claims).encode())}"
    return f"{message}.{b64(hmac.digest(pem, message.encode(), 'sha256'))}"


def tampered(claims: dict[str, Any]) -> str:
    """Signed, and changed afterwards."""
    head, _, signature = signed(claims).split(".")
    return f"{head}.{b64(json.dumps({**claims, 'sub': 'somebody-else'}).encode())}.{signature}"

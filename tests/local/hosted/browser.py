"""A browser that knows just enough to walk through the hosted login: links, forms, cookies."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html import unescape
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cognito_passwordless.local import LocalCognito, LocalPool

CALLBACK = "https://www.example.com/callback"
VERIFIER = "v" * 43


def challenge_of(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Page:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def answer(self) -> dict[str, str]:
        """What is given back to the callback, by either response mode."""
        if self.location:
            return dict(parse_qsl(urlsplit(self.location).query))
        return self.hidden

    @property
    def hidden(self) -> dict[str, str]:
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.text)
        return {unescape(name): unescape(value) for name, value in found}

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass
class Browser:
    cognito: LocalCognito
    pool: LocalPool
    jar: CookieJar = field(default_factory=CookieJar)

    def request(self, url: str, form: dict[str, str] | None = None, **headers: str) -> Page:
        body = None if form is None else urlencode(form).encode()
        opener = urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(self.jar))
        request = urllib.request.Request(self.absolute(url), body, headers)
        try:
            with opener.open(request, timeout=5) as response:
                return Page(response.status, dict(response.headers), response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, dict(error.headers), error.read().decode())

    def absolute(self, url: str) -> str:
        return url if url.startswith("http") else self.cognito.url + url

    def authorize(self, **more: str) -> Page:
        usual = {
            "response_type": "code",
            "client_id": self.pool.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email phone",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": challenge_of(),
            "code_challenge_method": "S256",
        }
        given = {name: value for name, value in (usual | more).items() if value}
        return self.request(f"/oauth2/authorize?{urlencode(given)}")

    def submit(self, page: Page, **fields: str) -> Page:
        return self.request("/login", {"visit": page.hidden["visit"], **fields})

    def sign_in(self, username: str, destination: str | None = None, **more: str) -> Page:
        """From the authorize endpoint to the way back."""
        page = self.authorize(**more)
        return self.prove(page, username, destination)

    def prove(self, page: Page, username: str, destination: str | None = None) -> Page:
        page = self.submit(page, username=username)
        return self.submit(page, code=self.cognito.last_code(destination or username) or "")

    def exchange(self, code: str, /, *, auth: str = "basic", **more: str) -> Page:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        headers = {}
        if auth == "basic":
            pair = f"{self.pool.client_id}:{self.pool.client_secret}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form |= {"client_id": self.pool.client_id, "client_secret": self.pool.client_secret or ""}
        return self.request("/oauth2/token", form | more, **headers)


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found

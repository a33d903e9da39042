"""A browser of a few lines: cookies, forms with their CSRF token, and many requests at the same moment."""

import http.client
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from threading import Barrier
from time import sleep
from urllib.parse import urlencode

LOGIN = "/login/"
OTP = "/login/code/"
CHECKING = "/login/code/checking/"
RESEND = "/login/code/resend/"
RETRY = "/login/code/retry/"
STATUS = "/login/code/status/"
SESSION = "sessionid"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str = field(repr=False)

    @property
    def location(self) -> str:
        return self.header("Location")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that this answer sets; the empty string for one that it takes away."""
        jar: SimpleCookie = SimpleCookie()
        for name, value in self.headers:
            if name.lower() == "set-cookie":
                jar.load(value)
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def signed_in(self) -> bool:
        return SESSION in self.cookies

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Browser:
    """One person's browser on one site. Answers with status 500 and above fail the test at once."""

    def __init__(self, port: int, *, may_fail: bool = False) -> None:
        self._port = port
        self._may_fail = may_fail
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Reply:
        return self._keep(self._ask("GET", path))

    def post(self, path: str, **fields: str) -> Reply:
        return self._keep(self._ask("POST", path, fields))

    def start(self, identifier: str) -> Reply:
        """Asks for a code, from the login page on."""
        if "csrftoken" not in self.cookies:
            self.get(LOGIN)
        reply = self.post(LOGIN, identifier=identifier)
        assert (reply.status, reply.location) == (302, OTP), reply
        return reply

    def verdict(self, reply: Reply) -> Reply:
        """What an answer to the code page leads to in the end."""
        if reply.location != CHECKING:
            return reply
        while 'data-state="checking"' in (page := self.get(CHECKING)).body:
            sleep(0.05)
        return self.post(CHECKING) if 'data-state="right"' in page.body else page

    def at_once(self, path: str, entries: Sequence[Mapping[str, str]], **headers: str) -> list[Reply]:
        """Sends all entries at the same moment, with the cookies of now; those of the answers are not kept."""
        return at_once([(self, path, entry) for entry in entries], **headers)

    def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Reply:
        """One request whose cookies are not kept."""
        return self._ask(method, path, fields, **headers)

    def _keep(self, reply: Reply) -> Reply:
        self.cookies |= reply.cookies
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        return reply

    def _ask(self, method: str, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Reply:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        body = None
        if fields is not None:
            body = urlencode({**fields, "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")})
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            reply = Reply(answer.status, tuple(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()
        assert self._may_fail or reply.status < 500, reply
        return reply


def at_once(requests: Sequence[tuple[Browser, str, Mapping[str, str]]], **headers: str) -> list[Reply]:
    """Posts of any browsers at the same moment; the answers in the order of the requests."""
    gate = Barrier(len(requests))

    def post(request: tuple[Browser, str, Mapping[str, str]]) -> Reply:
        browser, path, fields = request
        gate.wait(30)
        return browser.ask("POST", path, fields, **headers)

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(post, requests))

"""The two ways to sign in, as requests of one browser."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.core import mail
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from cognito_passwordless.flows.sending.send_code import send

EMAIL = "bench@example.com"
CSRF = "c" * 32
queued: list[tuple[str, int]] = []


def queue(challenge_id: str, generation: int, channel: str) -> None:
    """Stands in for the broker: the worker's part is done, and timed, apart."""
    del channel
    queued.append((challenge_id, generation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a sign-in by code happens, and what a code looks like there."""

    name: str
    start: str
    identifier: str
    confirm: str
    code: str
    wrong: str
    has_worker: bool


OURS = Route(
    name="ours",
    start="/login/",
    identifier="identifier",
    confirm="/login/code/",
    code=r"(?m)^\s*(\d{6})\s*$",
    wrong="000000",
    has_worker=True,
)
ALLAUTH = Route(
    name="allauth",
    start="/accounts/login/code/",
    identifier="email",
    confirm="/accounts/login/code/confirm/",
    code=r"(?m)^\s*([0-9A-Z]{3,4}-?[0-9A-Z]{3,4})\s*$",
    wrong="AAA-AAA",
    has_worker=False,
)


@dataclass(slots=True)
class Journey:
    """One sign-in of the one user in a fresh browser, through the whole middleware, CSRF included."""

    route: Route
    handler: WSGIHandler
    browser: RequestFactory = field(default_factory=RequestFactory)
    response: HttpResponse | None = None

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Each step with what does it: that is what is measured. What has to be prepared or looked at happens
        between them."""
        self.browser.cookies["csrftoken"] = CSRF
        yield "start", self._post(self.route.start, {self.route.identifier: EMAIL})
        self._take(302)
        if self.route.has_worker:
            yield "worker", work
        found = re.search(self.route.code, str(mail.outbox[-1].body))
        assert found, "no code in the message"
        yield "wrong code", self._post(self.route.confirm, {"code": self.route.wrong})
        self._take(200)
        yield "right code", self._post(self.route.confirm, {"code": found.group(1)})
        self._take(302)
        assert "sessionid" in self.browser.cookies

    def _post(self, path: str, fields: dict[str, str]) -> Callable[[], None]:
        request = self.browser.post(path, {**fields, "csrfmiddlewaretoken": CSRF})

        def run() -> None:
            self.response = self.handler.get_response(request)

        return run

    def _take(self, expected: int) -> None:
        assert self.response is not None
        assert self.response.status_code == expected, (self.route.name, self.response)
        self.browser.cookies.update(self.response.cookies)
        self.response.close()


def work() -> None:
    """The worker's part of what was queued."""
    while queued:
        challenge, generation = queued.pop()
        send(UUID(challenge), generation, now=timezone.now(), final=True)

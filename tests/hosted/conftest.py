"""One person's way through the hosted login of the local Cognito and back, with Django's test client."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool

from ..local.hosted.browser import Browser, Page

ORIGIN = "https://www.example.com"
CALLBACK = "/login/cognito/main/callback/"


@dataclass
class Trip:
    """The site's side is ``client``, the pool's side ``browser``: one browser with two cookie jars."""

    client: Client
    browser: Browser

    def leave(self, url: str = "/login/cognito/main/") -> Page:
        """To the first page of the hosted login."""
        response = self.client.get(url)
        assert response.status_code == 302, response.content
        return self.browser.request(response.headers["Location"])

    def prove(self, page: Page, username: str = "ann@example.com") -> dict[str, str]:
        """Signs in there; gives what is handed back to the callback."""
        return self.browser.prove(page, username).answer

    def arrive(self, answer: dict[str, str], **more: Any) -> HttpResponse:
        return self.client.get(CALLBACK, answer, **more)

    def sign_in(self, username: str = "ann@example.com", **more: Any) -> HttpResponse:
        return self.arrive(self.prove(self.leave(**more), username))

    @property
    def user_id(self) -> str | None:
        found: str | None = self.client.session.get("_auth_user_id")
        return found


@pytest.fixture
def hosted(cognito: LocalCognito, connect: Callable[..., Any]) -> Callable[..., LocalPool]:
    """A pool with a hosted login and a connection to it; ``ann@example.com`` is in it."""

    def make(alias: str = "main", *, people: bool = True, **chosen: Any) -> LocalPool:
        made = cognito.create_pool(alias, callback_urls=[f"{ORIGIN}/login/cognito/{alias}/callback/"])
        connect(made, alias, **{"routes": ["oidc"], **chosen})
        if people:
            made.add_user("ann@example.com", attributes={"given_name": "Ann"})
        return made

    return make


@pytest.fixture
def trip(cognito: LocalCognito) -> Callable[[LocalPool], Trip]:
    return lambda pool: Trip(Client(), Browser(cognito, pool))

"""The page of the link that makes a browser known, over HTTP."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless.delivery import Message
from cognito_passwordless.exceptions import DispatchFailed
from cognito_passwordless.models import ChallengeSession, FailureCount, SendCount

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"


@pytest.fixture
def link(make_user: Callable[..., User], outbox: list[Message], settings: Any) -> str:
    """The path of a link that Ann has received, as strangers have used up what is compared."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "PUBLIC_URL": "https://www.example.com"}
    make_user(ANN)
    FailureCount.objects.create(identifier=ANN, count=1000)
    Client().post("/login/", {"identifier": ANN})
    found = re.search(r"https://www\.example\.com(/login/link/[\w-]+/)", outbox[-1].text)
    assert found
    assert not re.search(r"(?<!\d)\d{6}(?!\d)", outbox[-1].text)
    return found.group(1)


def sign_in(client: Client, sent_code: Callable[[], str]) -> bool:
    client.post("/login/code/", {"code": sent_code()})
    return "_auth_user_id" in client.session


def test_the_owner_comes_in_by_the_link(client: Client, link: str, sent_code: Callable[[], str]) -> None:
    opened = client.get(link, follow=True)
    assert opened.status_code == 200
    assert ANN in opened.content.decode()
    assert client.post("/login/link/").headers["Location"] == "/login/code/"
    assert sign_in(client, sent_code)


def test_the_browser_stays_known(client: Client, link: str, sent_code: Callable[[], str]) -> None:
    client.get(link)
    client.post("/login/link/")
    for _ in range(2):  # the code of the link's own start is never entered
        client.post("/login/", {"identifier": ANN})
        FailureCount.objects.update(count=1000)
    assert sign_in(client, sent_code)


def test_what_a_mail_scanner_opens_is_not_used_up(client: Client, link: str) -> None:
    for method in ("get", "head", "get"):
        scanner = Client()
        getattr(scanner, method)(link, follow=True)
        assert "cognito_passwordless_browser" not in scanner.cookies
    assert Client().post(link).status_code == 405
    client.get(link)
    assert client.post("/login/link/").status_code == 302


def test_a_link_opens_one_browser(client: Client, link: str, outbox: list[Message]) -> None:
    other = Client()
    client.get(link)
    other.get(link)
    assert client.post("/login/link/").status_code == 302
    sent = len(outbox)
    late = other.post("/login/link/")
    assert (late.status_code, len(outbox)) == (410, sent)
    assert "cognito_passwordless_browser" not in other.cookies
    assert other.get(link, follow=True).status_code == 410


def test_a_link_is_over_in_time(client: Client, link: str) -> None:
    ChallengeSession.objects.update(last_sent_at=timezone.now() - timedelta(minutes=91))
    assert client.get(link, follow=True).status_code == 410
    assert client.post("/login/link/").status_code == 410


@pytest.mark.parametrize("path", ["/login/link/", f"/login/link/{'A' * 44}/", "/login/link/x/"])
def test_what_is_no_link_is_answered_alike(client: Client, path: str) -> None:
    response = client.get(path, follow=True)
    assert response.status_code == 410
    assert "can no longer be used" in response.content.decode()


def test_the_token_leaves_the_address_before_a_page_is_shown(client: Client, link: str) -> None:
    response = client.get(link)
    assert response.status_code == 302
    assert response.headers["Location"] == "/login/link/"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]
    cookie = response.cookies["cognito_passwordless_link"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    token = link.split("/")[3]
    assert token not in client.get("/login/link/").content.decode()


def test_the_button_needs_the_token_of_the_page(link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(link)
    assert client.post("/login/link/").status_code == 403


def test_the_token_is_in_no_log(client: Client, link: str, caplog: pytest.LogCaptureFixture) -> None:
    client.get(link, follow=True)
    client.post("/login/link/")
    assert link.split("/")[3] not in caplog.text


def test_where_no_worker_can_be_told_the_browser_is_known_all_the_same(
    client: Client, link: str, settings: Any, sent_code: Callable[[], str]
) -> None:
    client.get(link)
    chosen = settings.COGNITO_PASSWORDLESS
    settings.COGNITO_PASSWORDLESS = {**chosen, "DISPATCH": f"{__name__}.broker_is_down"}
    assert client.post("/login/link/").status_code == 503
    settings.COGNITO_PASSWORDLESS = chosen
    client.post("/login/", {"identifier": ANN})
    assert sign_in(client, sent_code)


def broker_is_down(challenge_id: str, generation: int, channel: str) -> None:
    raise DispatchFailed


def test_the_page_of_a_start_that_brings_a_link_is_that_of_any_other(
    client: Client, link: str, outbox: list[Message]
) -> None:
    def page(identifier: str) -> str:
        browser = Client()
        browser.post("/login/", {"identifier": identifier})
        text = browser.get("/login/code/").content.decode().replace(identifier, "")
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|data-seconds-[a-z-]+="\d+"', "", text)

    ChallengeSession.objects.all().delete()
    SendCount.objects.all().delete()
    told = page(ANN)
    assert "/login/link/" in outbox[-1].text
    assert told == page("zoe@example.com")

"""Who is signed in and comes to an entrance: sent on once, never round in a circle; and `next` on every way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.decorators import login_not_required, permission_required, user_passes_test
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test import Client
from django.urls import path

from cognito_passwordless.models import ChallengeSession
from cognito_passwordless.web import signed_in
from example_project.urls import urlpatterns as pages

pytestmark = pytest.mark.django_db(transaction=True)


def wall(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@login_not_required
def sends_back_without_next(request: HttpRequest) -> HttpResponse:
    return redirect("cognito_passwordless:login")


urlpatterns = [
    *pages,
    path("perm/", permission_required("auth.add_user")(wall)),
    path("test/", user_passes_test(lambda user: user.is_staff)(wall)),
    path("back/", sends_back_without_next, name="back"),
]


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.test_signed_in"


@pytest.fixture
def bob(client: Client, make_user: Callable[..., User]) -> User:
    user = make_user("bob@example.com")
    client.force_login(user)
    return user


def follow(client: Client, url: str) -> Any:
    """As a browser does, which gives up after twenty redirects."""
    for _ in range(20):
        response = client.get(url)
        if response.status_code != 302:
            return response
        url = response.headers["Location"]
    raise AssertionError("round in a circle")


@pytest.mark.parametrize("page", ["/perm/", "/test/?a=1"])
@pytest.mark.parametrize("start", ["/login/", "/login/cognito/main/"])
def test_a_page_that_sends_people_back_ends_at_who_they_are(
    client: Client, bob: User, page: str, start: str, hosted_connection: None, settings: Any
) -> None:
    settings.LOGIN_URL = start
    shown = follow(client, page)
    assert shown.status_code == 200
    text = shown.content.decode()
    assert f'<bdi class="cpw-identifier">{bob.username}</bdi>' in text
    assert 'href="/"' in text
    asked = client.post("/login/other-account/", {"next": page})
    assert "_auth_user_id" not in client.session
    assert urlsplit(asked.headers["Location"]).path == "/login/"
    assert parse_qs(urlsplit(asked.headers["Location"]).query) == {"next": [page]}


@pytest.fixture
def hosted_connection(settings: Any) -> None:
    pool = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main", "domain": "https://x.example", "routes": ["oidc"]}
    app = {"provider_id": "main", "name": "Main", "client_id": "c", "settings": pool}
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app]}}


def test_a_home_that_sends_people_back_without_next(client: Client, bob: User, settings: Any) -> None:
    settings.LOGIN_REDIRECT_URL = "back"
    assert "Sign out and use another account" in follow(client, "/login/").content.decode()


def test_a_page_that_asks_differently_each_time(client: Client, bob: User) -> None:
    assert client.get("/login/?next=/perm/?try=1").status_code == 302
    assert client.get("/login/?next=/perm/?try=2").status_code == 200


def test_who_has_the_right_is_sent_on_and_later_again(
    client: Client, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/login/?next=/inbox/").headers["Location"] == "/inbox/"
    assert client.get("/login/?next=/").headers["Location"] == "/"
    now = signed_in.timezone.now() + timedelta(seconds=31)
    monkeypatch.setattr(signed_in.timezone, "now", lambda: now)
    assert client.get("/login/?next=/inbox/").headers["Location"] == "/inbox/"


def test_what_a_browser_fetches_ahead_does_not_count(client: Client, bob: User) -> None:
    for _ in range(2):
        assert client.get("/login/?next=/inbox/", headers={"Sec-Purpose": "prefetch"}).status_code == 302
    assert client.get("/login/?next=/inbox/").status_code == 302


def test_allauths_setting_is_followed(client: Client, bob: User, settings: Any) -> None:
    settings.ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False
    assert "You are signed in as" in client.get("/login/?next=/inbox/").content.decode()


def test_the_site_says_what_people_are_called(
    client: Client, bob: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """allauth reads ``ACCOUNT_USER_DISPLAY`` once."""
    monkeypatch.setattr("allauth.account.internal.userkit._user_display_callable", lambda user: "Bob <B>")
    settings.ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False
    assert "Bob &lt;B&gt;</bdi>" in client.get("/login/").content.decode()


def test_nobody_is_signed_out_by_a_link_or_another_site(bob: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob)
    assert strict.get("/login/other-account/").status_code == 405
    assert strict.post("/login/other-account/").status_code == 403
    assert "_auth_user_id" in strict.session


def test_another_accounts_next_stays_on_the_site(client: Client, bob: User) -> None:
    assert client.post("/login/other-account/", {"next": "//evil.example"}).headers["Location"] == "/login/"


class TestNext:
    """Once asked for, never lost."""

    WANTED = "/inbox/?a=1&b=2"
    QUOTED = "next=%2Finbox%2F%3Fa%3D1%26b%3D2"

    @pytest.fixture(autouse=True)
    def _begun(self, client: Client, make_user: Callable[..., User]) -> None:
        make_user("ann@example.com")
        client.post("/login/", {"identifier": "ann@example.com", "next": self.WANTED})

    def cool_down(self) -> None:
        for challenge in ChallengeSession.objects.all():
            challenge.last_sent_at -= timedelta(seconds=31)
            challenge.save()

    def test_by_wrong_code_resend_retry_and_the_other_channel(
        self, client: Client, sent_code: Callable[[], str]
    ) -> None:
        client.post("/login/code/", {"code": "000000"})
        self.cool_down()
        client.post("/login/code/resend/")
        self.cool_down()
        client.post("/login/code/retry/", {"channel": "sms"})
        self.cool_down()
        client.post("/login/code/retry/", {"channel": "email"})
        done = client.post("/login/code/", {"code": sent_code()})
        assert done.headers["Location"] == self.WANTED

    def test_by_another_address(self, client: Client) -> None:
        assert f'href="/login/?{self.QUOTED}"' in client.get("/login/code/").content.decode().replace("&amp;", "&")

    @pytest.mark.parametrize("step", ["code/", "code/resend/", "code/retry/", "code/password/"])
    def test_by_a_form_whose_cookie_is_gone(self, client: Client, step: str) -> None:
        page = client.get("/login/code/").content.decode()
        assert page.count('<input type="hidden" name="next" value="/inbox/?a=1&amp;b=2">') == page.count("</form>")
        again = Client().post(f"/login/{step}", {"code": "123456", "password": "x", "next": self.WANTED})
        assert again.headers["Location"] == f"/login/?again&{self.QUOTED}"

    def test_when_the_sign_in_has_ended(self, client: Client, sent_code: Callable[[], str]) -> None:
        ChallengeSession.objects.update(outcome="verified")
        assert client.get("/login/code/").headers["Location"] == f"/login/?again&{self.QUOTED}"

    def test_to_the_hosted_login(self, client: Client, hosted_connection: None) -> None:
        page = Client().get(f"/login/?{self.QUOTED}").content.decode()
        assert f'href="/login/cognito/main/?{self.QUOTED}"' in page


def test_by_a_refusal(client: Client, make_user: Callable[..., User], sent_code: Callable[[], str]) -> None:
    make_user("ann@example.com")
    client.post("/login/", {"identifier": "ann@example.com", "next": "/inbox/"})
    code = sent_code()
    User.objects.update(is_staff=True)
    refused = client.post("/login/code/", {"code": code})
    assert refused.status_code == 403
    assert 'href="/login/?next=%2Finbox%2F"' in refused.content.decode()


def test_a_sign_out_ends_the_open_challenge(
    client: Client, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    """In another tab of the same browser: the next person at it must not find a code that still opens it."""
    client.post("/login/", {"identifier": "ann@example.com"})
    elsewhere = Client()
    elsewhere.post("/login/", {"identifier": "ann@example.com"})
    client.force_login(make_user("ann@example.com"))
    client.post("/accounts/logout/")
    ended, left = ChallengeSession.objects.order_by("created_at")
    assert (ended.outcome, left.outcome) == ("superseded", "open")

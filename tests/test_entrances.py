"""allauth's own ways in, beside ours: where they lead, and what they do not do."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.decorators import secure_admin_login
from allauth.core import context
from django.contrib import admin
from django.contrib.auth.models import User
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from cognito_passwordless.adapters import AccountAdapter, AccountAdapterMixin, SocialAccountAdapter
from cognito_passwordless.web import entrances
from example_project.urls import urlpatterns as pages

from .checks.conftest import urlconf

pytestmark = pytest.mark.django_db(transaction=True)
POOL = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main"}


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    def choose(**chosen: object) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **chosen}

    return choose


class OpenAdapter(AccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return True


@pytest.mark.parametrize("page", ["login", "signup", "login/code/confirm"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_they_lead_to_ours_and_keep_next(client: Client, page: str, method: str) -> None:
    response = getattr(client, method)(f"/accounts/{page}/?next=/inbox/")
    assert response.headers["Location"] == "/login/?next=%2Finbox%2F"
    elsewhere = getattr(client, method)(f"/accounts/{page}/?next=https://evil.example/")
    assert elsewhere.headers["Location"] == "/login/"


def test_login_by_code_leads_to_ours_too(client: Client) -> None:
    """Its URL is there only where the setting was on when the URLs were loaded."""

    def request_login_code(request: HttpRequest) -> HttpResponse:
        raise AssertionError("asked")

    led = entrances._led("account_request_login_code", request_login_code)
    request = RequestFactory().post("/accounts/login/code/?next=/inbox/", {"email": "ann@example.com"})
    with context.request_context(request):
        assert led(request).headers["Location"] == "/login/?next=%2Finbox%2F"


def test_the_code_of_a_sign_in_that_is_under_way_is_still_asked_for(rf: RequestFactory) -> None:
    led = entrances._led("account_confirm_login_code", lambda request: HttpResponse("enter it"))
    request = rf.get("/accounts/login/code/confirm/")
    with context.request_context(request):
        assert led(request).content == b"enter it"


def test_nobody_signs_up_where_signup_is_closed(client: Client, configure: Callable[..., None]) -> None:
    configure(ALLAUTH_PAGES=True)
    client.post("/accounts/signup/", {"email": "eve@example.com"})
    assert not User.objects.exists()
    configure(ALLAUTH_PAGES=True, SIGNUP=True)
    client.post("/accounts/signup/", {"email": "eve@example.com"})
    assert User.objects.exists()


class Closed(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def test_the_site_may_close_what_signup_opens(configure: Callable[..., None], rf: RequestFactory) -> None:
    class Mixed(AccountAdapterMixin, Closed):
        pass

    configure(SIGNUP=True)
    assert AccountAdapter().is_open_for_signup(rf.get("/"))
    assert not Mixed().is_open_for_signup(rf.get("/"))


@pytest.mark.parametrize("signup", [False, True])
def test_other_providers_sign_up_as_signup_says(
    configure: Callable[..., None], rf: RequestFactory, signup: bool
) -> None:
    configure(SIGNUP=signup)
    assert SocialAccountAdapter().is_open_for_signup(rf.get("/"), None) is signup


def test_allauths_pages_answer_where_the_site_says_so(client: Client, configure: Callable[..., None]) -> None:
    configure(ALLAUTH_PAGES=True)
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize("connected", [False, True])
def test_nobody_of_a_pool_is_told_that_they_are_unknown(client: Client, settings: Any, connected: bool) -> None:
    settings.ACCOUNT_PREVENT_ENUMERATION = True
    apps = [{"provider_id": "main", "name": "Main", "client_id": "c", "settings": POOL}]
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": apps if connected else []}}
    assert client.post("/accounts/password/reset/", {"email": "pool@example.com"}).status_code == 302
    assert len(mail.outbox) == (0 if connected else 1)


class TestAdmin:
    """`secure_admin_login`, as allauth's documentation has it."""

    @pytest.fixture(autouse=True)
    def _secured(self, settings: Any) -> None:
        settings.ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
        settings.ROOT_URLCONF = urlconf(path("admin/login/", secure_admin_login(admin.site.login)), *pages)

    @pytest.mark.parametrize("login_url", ["cognito_passwordless:login", "account_login"])
    def test_staff_sign_in_by_their_password(
        self, client: Client, make_user: Callable[..., User], settings: Any, login_url: str
    ) -> None:
        settings.LOGIN_URL = login_url
        make_user("ann@example.com", password="something long", is_staff=True)
        form = client.get("/admin/login/?next=/admin/", follow=True)
        assert form.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"
        data = {"login": "ann@example.com", "password": "something long", "next": "/admin/"}
        done = client.post("/accounts/login/", data)
        assert done.headers["Location"] == "/admin/"
        assert client.get("/admin/").status_code == 200

    def test_allauths_page_sends_no_codes_to_staff(self, client: Client, settings: Any) -> None:
        """Without passwords, its login page is a login by code."""
        settings.ACCOUNT_SIGNUP_FIELDS = ["email*"]
        assert client.get("/accounts/login/?next=/admin/").headers["Location"] == "/login/?next=%2Fadmin%2F"
        assert client.get("/login/?next=/admin/").status_code == 200

    def test_staff_sign_in_by_code_where_they_may(
        self,
        client: Client,
        make_user: Callable[..., User],
        configure: Callable[..., None],
        sent_code: Callable[[], str],
    ) -> None:
        configure(STAFF_SIGN_IN=True)
        make_user("ann@example.com", is_staff=True)
        assert client.get("/accounts/login/?next=/admin/").headers["Location"] == "/login/?next=%2Fadmin%2F"
        assert client.get("/login/?next=/admin/").status_code == 200
        client.post("/login/", {"identifier": "ann@example.com", "next": "/admin/"})
        assert client.post("/login/code/", {"code": sent_code()}).headers["Location"] == "/admin/"

    def test_others_are_turned_away(self, client: Client, make_user: Callable[..., User]) -> None:
        client.force_login(make_user("bob@example.com"))
        assert client.get("/admin/login/?next=/admin/").status_code == 403


def test_what_is_relied_on_is_allauths(rf: RequestFactory) -> None:
    assert DefaultAccountAdapter().is_open_for_signup(rf.get("/"))
    assert {entrances.LOGIN, entrances.CONFIRM, "account_signup"} <= {p.name for p in entrances.allauths.urlpatterns}

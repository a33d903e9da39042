"""The contract with the installed allauth: every internal that `compat` touches is there, and does what is relied on.

When a release of allauth breaks one of these, `compat` is the only file to change.
"""

import inspect
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pytest
from allauth.account import app_settings as account_settings
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.models import EmailAddress
from allauth.account.stages import (
    EmailVerificationStage,
    LoginByCodeStage,
    LoginStageController,
    PhoneVerificationStage,
)
from allauth.account.utils import perform_login
from allauth.core import context
from allauth.core.internal.httpkit import is_headless_request
from allauth.headless.base.response import AuthenticationResponse, BaseAuthenticationResponse
from allauth.headless.base.views import APIView
from allauth.headless.internal.restkit.response import APIResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers import ProviderRegistry
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.signals import user_logged_in
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from cognito_passwordless import compat
from cognito_passwordless.compat import headless
from cognito_passwordless.models import PhoneNumber

MakeUser = Callable[..., User]
NUMBER = "+4915112345678"


class TestWhatIsThere:
    """Names and signatures."""

    def test_the_release_is_one_that_is_supported(self) -> None:
        major, minor, *_ = version("django-allauth").split(".")
        assert int(major) == 65
        assert int(minor) >= 21

    @pytest.mark.parametrize(
        ("function", "names"),
        [
            (record_authentication, ["request", "user", "method"]),
            (perform_login, ["request", "user", "email_verification", "redirect_url", "signup", "email"]),
            (_build_apps_from_settings, ["provider"]),
            (DefaultSocialAccountAdapter.list_apps, ["request", "provider", "client_id"]),
            (DefaultSocialAccountAdapter.get_provider, ["request", "provider", "client_id"]),
            (DefaultSocialAccountAdapter.list_providers, ["request"]),
            (DefaultSocialAccountAdapter.validate_disconnect, ["account", "accounts"]),
            (is_headless_request, ["request"]),
            (ProviderRegistry.get_class, ["id"]),
            (ProviderRegistry.load, []),
            (BaseAuthenticationResponse._get_flows, ["request", "user"]),
            (BaseAuthenticationResponse._upsert_pending_flow, ["flows", "pending_flow"]),
            (APIResponse._add_session_meta, ["request", "meta"]),
            (APIView._parse_json, ["request"]),
            (APIResponse, ["request", "errors", "data", "meta", "status"]),
            (AuthenticationResponse.from_response, ["request", "response"]),
        ],
    )
    def test_the_functions_take_what_they_are_given(self, function: Callable[..., Any], names: list[str]) -> None:
        assert {*names} <= {*inspect.signature(function).parameters}

    @pytest.mark.parametrize(
        "name",
        [
            "UNIQUE_EMAIL",
            "USER_MODEL_EMAIL_FIELD",
            "USER_MODEL_USERNAME_FIELD",
            "LOGIN_BY_CODE_ENABLED",
            "PHONE_VERIFICATION_TIMEOUT",
            "SIGNUP_FIELDS",
        ],
    )
    def test_the_settings_are_there(self, name: str) -> None:
        assert hasattr(account_settings, name)


class TestHeadless:
    """allauth's JSON API."""

    def test_only_our_own_token_is_taken_out_of_a_request(self, rf: RequestFactory) -> None:
        for header, taken, left in (("code.abc", "abc", None), ("s" * 32, "", "s" * 32)):
            request = rf.get("/", headers={"X-Session-Token": header})
            assert request.headers["X-Session-Token"] == header
            assert headless.take_token(request, "code.") == taken
            assert request.headers.get("X-Session-Token") == left

    def test_both_clients_are_served_unless_the_site_says_otherwise(self, settings: Any) -> None:
        assert headless.clients() == ("browser", "app")
        settings.HEADLESS_CLIENTS = ("app",)
        assert headless.clients() == ("app",)


class TestApps:
    """allauth's SocialApps."""

    APPS = {"cognito": {"APPS": [{"provider_id": "one", "client_id": "c", "settings": {"region": "eu-west-1"}}]}}

    @pytest.mark.django_db
    def test_those_of_the_settings_and_of_the_table_in_one_statement(
        self, settings: Any, django_assert_num_queries: Any
    ) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = self.APPS
        SocialApp.objects.create(provider="cognito", provider_id="two", client_id="c")
        SocialApp.objects.create(provider="google", provider_id="three", client_id="c")
        with django_assert_num_queries(1):
            assert {app.provider_id for app in compat.social_apps("cognito")} == {"one", "two"}

    def test_those_of_the_settings_without_a_statement(self, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = self.APPS
        (app,) = compat.social_apps_of_settings("cognito")
        assert (app.provider, app.provider_id, app.settings) == ("cognito", "one", {"region": "eu-west-1"})

    def test_our_provider_is_one_of_allauths(self) -> None:
        assert compat.is_provider("cognito")
        assert not compat.is_provider("main")


class TestRequests:
    """What allauth knows about a request."""

    def test_no_proxy_is_believed_unless_it_is_counted(self, rf: RequestFactory, settings: Any) -> None:
        request = rf.get("/", REMOTE_ADDR="203.0.113.9", headers={"x-forwarded-for": "198.51.100.7"})
        assert compat.client_ip(request) == "203.0.113.9"
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        assert compat.client_ip(request) == "198.51.100.7"

    def test_an_address_that_cannot_be_told_is_empty(self, rf: RequestFactory) -> None:
        """As behind a server that listens on a Unix socket."""
        assert compat.client_ip(rf.get("/", REMOTE_ADDR="")) == ""

    @pytest.mark.parametrize(
        ("url", "safe"),
        [("/inbox/", True), ("https://evil.example/", False), ("//evil.example", False), ("http://testserver/", True)],
    )
    def test_redirects_stay_on_the_site(self, rf: RequestFactory, url: str, safe: bool) -> None:
        request = rf.get("/")
        with context.request_context(request):
            assert compat.is_safe_url(request, url) is safe

    def test_an_ordinary_request_is_not_headless(self, rf: RequestFactory) -> None:
        assert not compat.is_headless(rf.get("/"))


@pytest.mark.django_db
class TestUsers:
    """Users as the adapter makes them."""

    def test_the_form_that_nobody_filled_in(self) -> None:
        form = compat.SignUpForm(User(username="ann", last_name="Example"), None, NUMBER)
        assert (form.cleaned_data["username"], form.cleaned_data["last_name"]) == ("ann", "Example")
        assert form.cleaned_data["phone"] == NUMBER
        assert (form.cleaned_data["terms"], form.cleaned_data.get("terms"), "terms" in form.cleaned_data) == (
            "",
            None,
            False,
        )

    def test_the_default_user_model_has_both_fields(self) -> None:
        assert compat.user_model_fields() == {"USERNAME": "username", "EMAIL": "email"}

    def test_apps_that_are_not_installed_are_left_alone(self, make_user: MakeUser) -> None:
        user = make_user("ann@example.com")
        assert compat.with_authenticator([user.pk]) == set()
        compat.end_tracked_sessions(user)


@pytest.fixture
def request_(rf: RequestFactory) -> Iterator[HttpRequest]:
    """A request with a session, in allauth's context, as the middleware would make it."""
    request = rf.post("/login/code/")
    request.user, request.session = AnonymousUser(), SessionStore()
    request.session["kept"] = "from before"
    request.session.save()
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    with context.request_context(request):
        yield request


def finish(request: HttpRequest, user: User, **chosen: Any) -> HttpResponse:
    proof = {"email": user.email, "phone": "", "redirect_url": None, "signup": False}
    return compat.finish_login(request, user, **(proof | chosen))


@pytest.mark.django_db
class TestFinishing:
    """The end of a sign-in is allauth's."""

    def test_the_person_is_signed_in_once_in_a_new_session(self, request_: HttpRequest, make_user: MakeUser) -> None:
        user, before = make_user("ann@example.com"), request_.session.session_key
        told = []

        def receive(**facts: Any) -> None:
            told.append(facts["user"])

        user_logged_in.connect(receive)
        try:
            response = finish(request_, user)
        finally:
            user_logged_in.disconnect(receive)
        assert (response.status_code, response.headers["Location"]) == (302, "/")
        assert told == [user]
        assert request_.user == user
        assert request_.session.session_key != before
        assert request_.session["kept"] == "from before"

    def test_the_session_is_opened_by_allauths_backend(self, request_: HttpRequest, make_user: MakeUser) -> None:
        finish(request_, make_user("ann@example.com"))
        assert request_.session["_auth_user_backend"] == "allauth.account.auth_backends.AuthenticationBackend"

    def test_nothing_of_somebody_elses_session_is_left(self, request_: HttpRequest, make_user: MakeUser) -> None:
        finish(request_, make_user("eve@example.com"))
        request_.session["eves"] = "secret"
        finish(request_, make_user("ann@example.com"))
        assert "eves" not in request_.session

    def test_the_code_is_recorded_as_the_authentication(self, request_: HttpRequest, make_user: MakeUser) -> None:
        user = make_user("ann@example.com")
        finish(request_, user)
        (record,) = get_authentication_records(request_, user)
        assert (record["method"], record["email"]) == ("code", "ann@example.com")

    def test_the_page_to_go_to_is_kept(self, request_: HttpRequest, make_user: MakeUser) -> None:
        response = finish(request_, make_user("ann@example.com"), redirect_url="/inbox/")
        assert response.headers["Location"] == "/inbox/"

    def test_no_second_code_is_asked_for(self, request_: HttpRequest, make_user: MakeUser, settings: Any) -> None:
        settings.ACCOUNT_LOGIN_BY_CODE_REQUIRED = True
        user = make_user("ann@example.com")
        assert finish(request_, user).headers["Location"] == "/"
        assert request_.user == user

    def test_a_record_of_another_method_would_be_asked_for_one(
        self, request_: HttpRequest, make_user: MakeUser, settings: Any
    ) -> None:
        """So the test above would notice if the stage had gone."""
        settings.ACCOUNT_LOGIN_BY_CODE_REQUIRED = True
        user = make_user("ann@example.com")
        record_authentication(request_, user, method="password")
        response = perform_login(request_, user, email_verification="none")
        assert response.headers["Location"] != "/"

    @pytest.mark.parametrize("verification", ["none", "optional", "mandatory"])
    def test_phone_only_people_pass(self, request_: HttpRequest, settings: Any, verification: str) -> None:
        settings.ACCOUNT_EMAIL_VERIFICATION = verification
        user = User.objects.create_user("phone")
        PhoneNumber.objects.create(user=user, number=NUMBER, verified=True)
        assert finish(request_, user, email="", phone=NUMBER, signup=True).headers["Location"] == "/"
        assert request_.user == user

    def test_an_address_that_is_not_verified_is_not_asked_for_either(
        self, request_: HttpRequest, make_user: MakeUser, settings: Any, mailoutbox: list[Any]
    ) -> None:
        """Somebody who proved a phone number, and whose pool wrote an address that nobody has proven."""
        settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
        user = make_user("ann@example.com", verified=False)
        EmailAddress.objects.create(user=user, email="ann@example.com", verified=False, primary=True)
        finish(request_, user, email="", phone=NUMBER)
        assert request_.user == user
        assert mailoutbox == []

    def test_a_code_that_proved_no_address_does_not_replace_its_verification(
        self, request_: HttpRequest, make_user: MakeUser, settings: Any, mailoutbox: list[Any]
    ) -> None:
        """A pool's code whose address is unverified there: the site that wants it verified relies on that."""
        settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
        user = make_user("ann@example.com", verified=False)
        EmailAddress.objects.create(user=user, email="ann@example.com", verified=False, primary=True)
        response = finish(request_, user, email="", phone="")
        assert response.headers["Location"] == "/accounts/confirm-email/"
        assert request_.user.is_anonymous
        assert [message.to for message in mailoutbox] == [["ann@example.com"]]

    @pytest.mark.parametrize(("verification", "address"), [("optional", "ann@example.com"), ("mandatory", "")])
    def test_it_is_asked_for_only_where_the_site_wants_it_and_there_is_one(
        self, request_: HttpRequest, settings: Any, mailoutbox: list[Any], verification: str, address: str
    ) -> None:
        settings.ACCOUNT_EMAIL_VERIFICATION = verification
        user = User.objects.create_user("ann", email=address)
        finish(request_, user, email="", phone="", signup=True)
        assert request_.user == user
        assert mailoutbox == []

    def test_the_stages_are_allauths(self, request_: HttpRequest, make_user: MakeUser) -> None:
        from allauth.account.models import Login

        stages = LoginStageController(request_, Login(user=make_user("ann@example.com"))).get_stages()
        assert {EmailVerificationStage, LoginByCodeStage, PhoneVerificationStage} <= {type(stage) for stage in stages}


@pytest.mark.django_db(transaction=True)
def test_a_whole_sign_in_rotates_the_session_and_tells_it_once(
    client: Client, make_user: MakeUser, sent_code: Callable[[], str]
) -> None:
    user, told = make_user("ann@example.com"), []

    def receive(**facts: Any) -> None:
        told.append(facts["user"].pk)

    session = client.session
    session["basket"] = 1
    session.save()
    client.post("/login/", {"identifier": "ann@example.com"})
    user_logged_in.connect(receive)
    try:
        client.post("/login/code/", {"code": sent_code()})
    finally:
        user_logged_in.disconnect(receive)
    assert told == [user.pk]
    assert client.session.session_key != session.session_key
    assert client.session["basket"] == 1

"""What a site's own code sees and decides: allauth's signal, returning people's data, signing out at Cognito too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from allauth.account.signals import user_logged_in
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import pre_social_login
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.dispatch import Signal
from django.http import HttpResponse

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser

from .conftest import ORIGIN, Trip

pytestmark = pytest.mark.django_db(transaction=True)
Hosted = Callable[..., LocalPool]
MakeTrip = Callable[[LocalPool], Trip]


@contextmanager
def listening(signal: Signal, receiver: Callable[..., None]) -> Iterator[None]:
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


def test_pre_social_login_says_who_came_and_keeps_nothing(hosted: Hosted, trip: MakeTrip) -> None:
    pool = hosted()
    heard: list[SocialLogin] = []

    def hear(sociallogin: SocialLogin, **rest: Any) -> None:
        heard.append(sociallogin)

    with listening(pre_social_login, hear):
        trip(pool).sign_in()
        first = heard[0]
        assert (first.account.provider, first.account.extra_data["email"]) == ("main", "ann@example.com")
        assert first.user.pk == User.objects.get().pk  # filled in afterwards; there was nobody then
        assert not any(address.verified for address in first.email_addresses)
        trip(pool).sign_in()
    assert heard[1].account.pk == SocialAccount.objects.get().pk
    assert set(SocialAccount.objects.get().extra_data) == {"pool", "sub"}


def test_a_receiver_may_stop_the_sign_in(hosted: Hosted, trip: MakeTrip) -> None:
    def stop(**rest: Any) -> None:
        raise ImmediateHttpResponse(HttpResponse("not today", status=418))

    going = trip(hosted())
    with listening(pre_social_login, stop):
        response = going.sign_in()
    assert (response.status_code, going.user_id) == (418, None)
    assert not get_user_model().objects.exists()
    assert JourneyEvent.objects.latest("pk").cause == "stopped_by_site"


def test_a_receiver_that_connects_a_staff_account_opens_no_door(
    hosted: Hosted, trip: MakeTrip, make_user: Callable[..., User]
) -> None:
    boss = make_user("ann@example.com", is_staff=True)

    def connect(request: Any, sociallogin: SocialLogin, **rest: Any) -> None:
        sociallogin.connect(request, boss)

    going = trip(hosted())
    with listening(pre_social_login, connect):
        assert going.sign_in().status_code == 403
    assert going.user_id is None
    assert MigratedUser.objects.get().last_error == "privileged_user"


def test_user_logged_in_knows_the_social_login(hosted: Hosted, trip: MakeTrip) -> None:
    heard: list[Any] = []

    def hear(**given: Any) -> None:
        heard.append(given.get("sociallogin"))

    with listening(user_logged_in, hear):
        trip(hosted()).sign_in()
    assert [login.account.provider for login in heard] == ["main"]


@pytest.mark.parametrize(("policy", "name"), [("none", "Chosen"), ("empty", "Chosen"), ("all", "Ann")])
def test_what_a_return_may_change(hosted: Hosted, trip: MakeTrip, settings: Any, policy: str, name: str) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "ATTRIBUTES": {"given_name": "first_name"},
        "UPDATE_ON_RETURN": policy,
    }
    pool = hosted()
    trip(pool).sign_in()
    assert User.objects.get().first_name == "Ann"
    User.objects.update(first_name="Chosen", last_name="")
    trip(pool).sign_in()
    assert User.objects.get().first_name == name


@pytest.mark.parametrize("chosen", [True, False])
def test_signing_out_at_cognito_too_is_an_option(
    hosted: Hosted, trip: MakeTrip, cognito: LocalCognito, settings: Any, chosen: bool
) -> None:
    settings.LOGOUT_REDIRECT_URL = "/login/"
    pool = hosted(global_sign_out=chosen)
    pool.allow(logout_urls=[f"{ORIGIN}/login/"])
    going = trip(pool)
    going.sign_in()
    response = going.client.post("/accounts/logout/")
    assert going.user_id is None
    if not chosen:
        assert response.headers["Location"] == "/login/"
        return
    assert response.headers["Location"].startswith(f"{cognito.url}/logout?")
    assert going.browser.request(response.headers["Location"]).location == f"{ORIGIN}/login/"
    again = going.browser.authorize(prompt="none", redirect_uri=f"{ORIGIN}/login/cognito/main/callback/")
    assert again.answer["error"] == "login_required"

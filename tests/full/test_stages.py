"""With MFA, tracked sessions and phone numbers: allauth's stages still ask, and nothing is asked twice."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.checks.problems import TAG
from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.accounts.takeover import take_over
from cognito_passwordless.identifiers import parse
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser, PhoneNumber

MakeUser = Callable[..., User]
NUMBER = "+4915112345678"
pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client: Client, identifier: str, read: Callable[[], str]) -> Any:
    client.post("/login/", {"identifier": identifier, "next": "/"})
    return client.post("/login/code/", {"code": read()})


def with_totp(user: User) -> str:
    """Gives the user an authenticator, and returns its secret."""
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    return secret


def totp_code(secret: str) -> str:
    counter = list(totp.yield_hotp_counters_from_time())[-1]
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def test_a_second_factor_is_asked_for_after_our_code(
    client: Client, make_user: MakeUser, sent_code: Callable[[], str]
) -> None:
    user = make_user("ann@example.com")
    secret = with_totp(user)
    response = sign_in(client, "ann@example.com", sent_code)
    assert response.headers["Location"] == "/accounts/2fa/authenticate/"
    assert "_auth_user_id" not in client.session
    assert client.get("/").status_code == 302
    assert JourneyEvent.objects.order_by("pk").last().step == "first_factor"  # type: ignore[union-attr]
    assert client.get("/accounts/2fa/authenticate/").status_code == 200
    done = client.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})
    assert done.headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_second_factor_is_asked_for_after_cognitos_code(
    client: Client, cognito: LocalCognito, pool: LocalPool, make_user: MakeUser
) -> None:
    """Somebody who had an account with MFA in Django before, and is migrated now."""
    pool.add_user("ann@example.com")
    sign_in(client, "ann@example.com", lambda: cognito.last_code("ann@example.com") or "")
    user = MigratedUser.objects.get().user
    assert user is not None
    with_totp(user)
    again = Client()
    MigratedUser.objects.update(status="pending")
    EmailAddress.objects.all().delete()
    User.objects.update(email="")
    response = sign_in(again, "ann@example.com", lambda: cognito.last_code("ann@example.com") or "")
    assert response.headers["Location"] == "/accounts/2fa/authenticate/"
    assert "_auth_user_id" not in again.session


def test_nobody_without_a_second_factor_is_asked_for_anything(
    client: Client, make_user: MakeUser, sent_code: Callable[[], str]
) -> None:
    """Although ACCOUNT_LOGIN_BY_CODE_REQUIRED and mandatory verification are on."""
    user = make_user("ann@example.com")
    assert sign_in(client, "ann@example.com", sent_code).headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_phone_only_people_pass(client: Client, sent_code: Callable[[], str]) -> None:
    user = User.objects.create_user("phone")
    PhoneNumber.objects.create(user=user, number=NUMBER, verified=True)
    assert sign_in(client, NUMBER, sent_code).headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_session_is_tracked(client: Client, make_user: MakeUser, sent_code: Callable[[], str]) -> None:
    user = make_user("ann@example.com")
    sign_in(client, "ann@example.com", sent_code)
    client.get("/")
    assert UserSession.objects.get().user == user
    assert client.get("/accounts/sessions/").status_code == 200


def test_whoever_proves_an_address_finds_nothing_of_whoever_waited(
    client: Client, make_user: MakeUser, sent_code: Callable[[], str]
) -> None:
    user = make_user("ann@example.com")
    sign_in(client, "ann@example.com", sent_code)
    client.get("/")
    take_over(user, parse("ann@example.com"))
    assert not UserSession.objects.exists()
    assert client.get("/").status_code == 302


def test_a_change_of_number_on_allauths_pages(client: Client, make_user: MakeUser, outbox: list[Message]) -> None:
    user = make_user("ann@example.com", password="something long")
    client.post("/accounts/login/", {"login": "ann@example.com", "password": "something long"})
    outbox.clear()
    client.force_login(user)
    page = client.post("/accounts/phone/change/", {"phone": "0151 12345678"})
    assert page.headers["Location"] == "/accounts/phone/verify/"
    (message,) = outbox
    client.post("/accounts/phone/verify/", {"code": message.text.split()[0]})
    assert list(PhoneNumber.objects.values_list("user_id", "number", "verified")) == [(user.pk, NUMBER, True)]


def test_the_checks_find_nothing_here(settings: Any) -> None:
    from django.core import checks

    found = {str(message.id).rpartition(".")[2] for message in checks.run_checks() if str(message.id).startswith(TAG)}
    assert found <= {"W406"}  # the test database is in memory

"""A second factor is never dropped: it is asked for, and whoever has it keeps everything."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.local import LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser

from .test_stages import MakeUser, sign_in, totp_code, with_totp

pytestmark = pytest.mark.django_db(transaction=True)

ANN = "ann@example.com"
PAGE = "/login/code/second-factor/"
AUTHENTICATE = "/accounts/2fa/authenticate/"


@pytest.fixture
def ann(make_user: MakeUser) -> User:
    """An account from before allauth, with a password, a social link and a second factor."""
    user = make_user(ANN, verified=False, password="the password")
    EmailAddress.objects.filter(user=user).delete()
    SocialAccount.objects.create(user=user, provider="google", uid="ann")
    return user


def everything_is_there(user: User) -> bool:
    user.refresh_from_db()
    return (
        user.check_password("the password")
        and SocialAccount.objects.filter(user=user, provider="google").exists()
        and Authenticator.objects.filter(user=user).exists()
    )


def test_whoever_shows_it_keeps_everything_and_owns_the_address(
    client: Client, ann: User, sent_code: Callable[[], str]
) -> None:
    secret = with_totp(ann)
    assert sign_in(client, ANN, sent_code).headers["Location"] == PAGE
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "_auth_user_id" not in client.session
    assert not EmailAddress.objects.exists(), "nothing has been written"
    assert client.post(PAGE, {"have": "yes"}).headers["Location"] == AUTHENTICATE
    assert client.post(AUTHENTICATE, {"code": totp_code(secret)}).status_code == 302
    assert client.session["_auth_user_id"] == str(ann.pk)
    assert everything_is_there(ann)
    assert EmailAddress.objects.get(user=ann).verified
    assert JourneyEvent.objects.filter(step="second_factor").exists()
    again = Client()
    assert sign_in(again, ANN, sent_code).headers["Location"] == AUTHENTICATE, "they are asked once"


def test_a_person_of_the_pool_is_linked_by_it(
    client: Client, ann: User, pool: LocalPool, sent_code: Callable[[], str]
) -> None:
    record = MigratedUser.objects.create(
        connection="main", pool=pool.id, sub=pool.add_user(ANN), email=ANN, attributes={"email_verified": "true"}
    )
    secret = with_totp(ann)
    assert sign_in(client, ANN, sent_code).headers["Location"] == PAGE
    record.refresh_from_db()
    assert (record.status, record.user) == ("pending", None)
    client.post(PAGE, {"have": "yes"})
    client.post(AUTHENTICATE, {"code": totp_code(secret)})
    record.refresh_from_db()
    assert (record.status, record.user) == ("migrated", ann)
    assert everything_is_there(ann)


def test_a_person_of_the_pool_who_cannot_show_it_gets_an_account_of_their_own(
    client: Client, ann: User, pool: LocalPool, sent_code: Callable[[], str]
) -> None:
    record = MigratedUser.objects.create(
        connection="main", pool=pool.id, sub=pool.add_user(ANN), email=ANN, attributes={"email_verified": "true"}
    )
    with_totp(ann)
    sign_in(client, ANN, sent_code)
    assert client.post(PAGE, {"have": "no"}).status_code == 302
    record.refresh_from_db()
    assert record.user not in {None, ann}
    assert client.session["_auth_user_id"] == str(record.user_id)
    assert everything_is_there(ann)


def test_who_cannot_show_it_waits_for_a_human_and_the_account_stays_as_it_was(
    client: Client, ann: User, sent_code: Callable[[], str]
) -> None:
    with_totp(ann)
    sign_in(client, ANN, sent_code)
    assert client.post(PAGE, {"have": "no"}).status_code == 403
    assert "_auth_user_id" not in client.session
    assert everything_is_there(ann)
    assert User.objects.count() == 1


def test_the_password_alone_is_not_the_second_factor(client: Client, ann: User, sent_code: Callable[[], str]) -> None:
    with_totp(ann)
    sign_in(client, ANN, sent_code)
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    assert not EmailAddress.objects.exists()


def test_another_account_that_signs_in_there_gets_nothing(
    client: Client, ann: User, make_user: Any, sent_code: Callable[[], str]
) -> None:
    with_totp(ann)
    other = make_user("other@example.com")
    sign_in(client, ANN, sent_code)
    sign_in(client, "other@example.com", sent_code)
    assert client.session["_auth_user_id"] == str(other.pk)
    assert not EmailAddress.objects.filter(email=ANN).exists()

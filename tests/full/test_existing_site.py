"""A site from before this package (passwords, TOTP, social links, no `EmailAddress` rows): who keeps what, as the
table of docs/adopting.md has it."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.adopting import AtRisk, count_at_risk

from .test_stages import sign_in, totp_code, with_totp

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a long password"
AUTHENTICATE = "/accounts/2fa/authenticate/"
SECOND_FACTOR = "/login/code/second-factor/"


@pytest.fixture
def old_session() -> Client:
    return Client()


@pytest.fixture
def ann(db: None, old_session: Client) -> User:
    """With a password, a social link, and a session of before."""
    user = User.objects.create_user("ann", "Ann@example.com", PASSWORD)
    SocialAccount.objects.create(user=user, provider="google", uid="ann")
    old_session.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    EmailAddress.objects.all().delete()
    assert is_in(old_session)
    return user


def adopt() -> None:
    call_command("cognito_adopt", "--all", "--yes", verbosity=0)


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def kept(user: User) -> set[str]:
    user.refresh_from_db()
    found = {
        "password": user.check_password(PASSWORD),
        "link": SocialAccount.objects.filter(user=user).exists(),
        "factor": Authenticator.objects.filter(user=user).exists(),
    }
    return {name for name, there in found.items() if there}


def notices(outbox: list[Message]) -> list[Message]:
    return [message for message in outbox if "has changed" in message.subject]


class TestAdopted:
    def test_they_keep_everything_and_get_no_mail(
        self, client: Client, ann: User, old_session: Client, sent_code: Callable[[], str], outbox: list[Message]
    ) -> None:
        adopt()
        sign_in(client, "ann@example.com", sent_code)
        assert client.session["_auth_user_id"] == str(ann.pk)
        assert kept(ann) == {"password", "link"}
        assert is_in(old_session)
        assert notices(outbox) == []

    def test_a_second_factor_is_asked_for_as_at_any_sign_in(
        self, client: Client, ann: User, old_session: Client, sent_code: Callable[[], str]
    ) -> None:
        secret = with_totp(ann)
        adopt()
        assert sign_in(client, "ann@example.com", sent_code).headers["Location"] == AUTHENTICATE
        assert "_auth_user_id" not in client.session
        client.post(AUTHENTICATE, {"code": totp_code(secret)})
        assert client.session["_auth_user_id"] == str(ann.pk)
        assert kept(ann) == {"password", "link", "factor"}
        assert is_in(old_session)


class TestNotAdopted:
    def test_without_a_factor_they_lose_what_somebody_else_may_have_left_and_are_told(
        self, client: Client, ann: User, old_session: Client, sent_code: Callable[[], str], outbox: list[Message]
    ) -> None:
        sign_in(client, "ann@example.com", sent_code)
        assert client.session["_auth_user_id"] == str(ann.pk)
        assert kept(ann) == set()
        assert not is_in(old_session)
        (mail,) = notices(outbox)
        assert mail.recipient == "Ann@example.com", "as it is written"
        assert all(word in mail.text for word in ("the password", "google", "all other sessions"))

    def test_whoever_shows_the_factor_keeps_everything(
        self, client: Client, ann: User, old_session: Client, sent_code: Callable[[], str], outbox: list[Message]
    ) -> None:
        secret = with_totp(ann)
        assert sign_in(client, "ann@example.com", sent_code).headers["Location"] == SECOND_FACTOR
        client.post(SECOND_FACTOR, {"have": "yes"})
        client.post(AUTHENTICATE, {"code": totp_code(secret)})
        assert client.session["_auth_user_id"] == str(ann.pk)
        assert kept(ann) == {"password", "link", "factor"}
        assert is_in(old_session)
        assert notices(outbox) == []

    def test_whoever_cannot_waits_for_a_human_and_nothing_goes(
        self, client: Client, ann: User, old_session: Client, sent_code: Callable[[], str]
    ) -> None:
        with_totp(ann)
        sign_in(client, "ann@example.com", sent_code)
        assert client.post(SECOND_FACTOR, {"have": "no"}).status_code == 403
        assert "_auth_user_id" not in client.session
        assert kept(ann) == {"password", "link", "factor"}
        assert is_in(old_session)


def test_who_would_lose_what_is_counted(ann: User, django_assert_num_queries: Any) -> None:
    factor = User.objects.create_user("factor", "factor@example.com", PASSWORD)
    with_totp(factor)
    codes = User.objects.create_user("codes", "codes@example.com", PASSWORD)
    Authenticator.objects.create(user=codes, type=Authenticator.Type.RECOVERY_CODES, data={})
    with django_assert_num_queries(1):
        assert count_at_risk() == AtRisk(people=2, password=2, links=1, second_factor=1)
    adopt()
    assert count_at_risk() == AtRisk(0, 0, 0, 0)

"""Users are found by the phone number that is written on them, and new ones get theirs written."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.adapter import DefaultAccountAdapter
from django.core import checks
from django.test import Client

from cognito_passwordless import connections, user_fields
from cognito_passwordless.adapters import AccountAdapterMixin
from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.importing.activation import Activation, preview_activation
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import MigratedUser, PhoneNumber

from .models import Caller

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+4915112345678"


class Finding(AccountAdapterMixin, DefaultAccountAdapter):
    """A site's own way to find somebody by a number."""

    def get_user_by_phone(self, phone: str) -> Any:
        return super().get_user_by_phone(phone) or Caller.objects.filter(phone=f"tel:{phone}").first()


def sign_in(client: Client, read: Callable[[], str | None], identifier: str = NUMBER) -> Any:
    client.post("/login/", {"identifier": identifier})
    return client.post("/login/code/", {"code": read() or ""})


@pytest.mark.parametrize("written", ["+4915112345678", "4915112345678", "004915112345678"])
def test_somebody_from_before_allauth_comes_in_and_whoever_waited_does_not(
    client: Client, sent_code: Callable[[], str], written: str
) -> None:
    """The number was only written there: whoever made the account may be somebody else (law 7)."""
    caller = Caller.objects.create_user(written, "something long")
    sign_in(client, sent_code)
    assert client.session["_auth_user_id"] == str(caller.pk)
    caller.refresh_from_db()
    assert (caller.phone, caller.has_usable_password()) == (written, False)
    assert PhoneNumber.objects.values_list("user", "number", "verified").get() == (caller.pk, NUMBER, True)


@pytest.mark.parametrize("fields", [{"is_staff": True}, {"is_active": False}])
def test_staff_and_people_who_are_switched_off_do_not(
    client: Client, outbox: list[Message], fields: dict[str, bool]
) -> None:
    Caller.objects.create_user(NUMBER, **fields)
    sign_in(client, lambda: "000000")
    assert outbox == []


def test_of_two_accounts_with_one_number_the_older_is_meant(client: Client, outbox: list[Message]) -> None:
    older = Caller.objects.create_user(NUMBER)
    Caller.objects.create_user(NUMBER.removeprefix("+"))
    sign_in(client, lambda: outbox[-1].text.split()[0])
    assert client.session["_auth_user_id"] == str(older.pk)


def test_an_account_that_proved_another_number_is_not_theirs(
    client: Client, outbox: list[Message], settings: Any
) -> None:
    other = Caller.objects.create_user(NUMBER)
    PhoneNumber.objects.create(user=other, number="+4915187654321", verified=True)
    sign_in(client, lambda: "000000")
    assert outbox == []


def test_a_sites_own_adapter_finds_them(client: Client, sent_code: Callable[[], str], settings: Any) -> None:
    caller = Caller.objects.create_user(f"tel:{NUMBER}")
    settings.ACCOUNT_ADAPTER = f"{__name__}.Finding"
    sign_in(client, sent_code)
    assert client.session["_auth_user_id"] == str(caller.pk)


def test_strangers_get_their_number_written(client: Client, sent_code: Callable[[], str], settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    for number in (NUMBER, "+4915187654321"):
        assert sign_in(Client(), sent_code, number).status_code == 302
        assert Caller.objects.get(phone=number).pk == PhoneNumber.objects.get(number=number, verified=True).user_id


def test_people_of_the_pool_do_too(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    for number in (NUMBER, "+4915187654321"):
        pool.add_user(phone_number=number)
        assert sign_in(Client(), lambda number=number: cognito.last_code(number), number).status_code == 302
    assert set(Caller.objects.values_list("phone", flat=True)) == {NUMBER, "+4915187654321"}
    assert MigratedUser.objects.filter(status="migrated").count() == 2


def test_a_person_of_the_pool_is_linked_to_the_user_that_has_the_number(
    client: Client, cognito: LocalCognito, pool: LocalPool, sent_code: Callable[[], str]
) -> None:
    caller = Caller.objects.create_user(NUMBER)
    pool.add_user(phone_number=NUMBER)
    sign_in(client, sent_code)
    assert client.session["_auth_user_id"] == str(caller.pk)
    assert Caller.objects.count() == 1


def test_a_person_without_a_number_does_not_fit(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    """And takes the empty one from nobody."""
    for email in ("ann@example.com", "bob@example.com"):
        pool.add_user(email)
        assert sign_in(Client(), lambda email=email: cognito.last_code(email), email).status_code == 403
    assert Caller.objects.count() == 0
    assert {*MigratedUser.objects.values_list("last_error", flat=True)} == {"value_refused"}


@pytest.mark.usefixtures("aws_identity")
def test_a_bulk_activation_sees_who_has_the_number(pool: LocalPool) -> None:
    connection = connections.find("main")
    assert connection is not None
    Caller.objects.create_user(NUMBER.removeprefix("+"))
    MigratedUser.objects.create(
        connection="main",
        pool=connection.pool,
        sub="s",
        phone_number=NUMBER,
        pool_status="CONFIRMED",
        attributes={"phone_number_verified": "true", "cognito:mfa_enabled": "false"},
    )
    found = preview_activation(Activation(connection=connection, makes_users=True, stop=threading.Event()))
    assert found.outcomes == {("wait", "address_not_proven"): 1}


class TestField:
    """Which field it is."""

    def test_the_username_field(self) -> None:
        assert user_fields.phone_field() == "phone"

    def test_the_only_one_of_a_model_without_an_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Caller, "USERNAME_FIELD", "id")
        assert user_fields.phone_field() == "phone"

    def test_not_a_note_beside_an_address(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        monkeypatch.setattr(Caller, "USERNAME_FIELD", "id")
        settings.ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
        assert user_fields.phone_field() == ""


def told() -> set[str]:
    return {str(found.id).rpartition(".")[2] for found in checks.run_checks() if found.id and "cognito" in found.id}


def test_the_checks_say_that_everybody_needs_a_number() -> None:
    assert "W242" in told()


def test_a_pool_may_not_write_it(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": {"custom:x": "phone"}}
    assert "E235" in told()

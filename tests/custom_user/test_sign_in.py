"""Every route ends in a `Person`."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from django.core import checks
from django.core.management import call_command
from django.test import Client

from cognito_passwordless import compat
from cognito_passwordless.adapters import AccountAdapter
from cognito_passwordless.checks.problems import TAG
from cognito_passwordless.delivery import Message
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser, PhoneNumber

from .models import Person

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client: Client, identifier: str, read: Callable[[], str | None]) -> str | None:
    """Who is signed in at the end."""
    client.post("/login/", {"identifier": identifier})
    client.post("/login/code/", {"code": read() or ""})
    found: str | None = client.session.get("_auth_user_id")
    return found


def test_by_our_code(client: Client, sent_code: Callable[[], str]) -> None:
    person = Person.objects.create_user("bob@example.com")
    EmailAddress.objects.create(user=person, email="bob@example.com", verified=True, primary=True)
    assert sign_in(client, "bob@example.com", sent_code) == str(person.pk)


def test_an_address_from_before_allauth_is_taken_over(client: Client, sent_code: Callable[[], str]) -> None:
    """It is in `mail`, which is not called `email`; and the password of whoever made the account goes."""
    person = Person.objects.create_user("Bob@Example.com", "something long")
    assert sign_in(client, "bob@example.com", sent_code) == str(person.pk)
    person.refresh_from_db()
    assert person.mail == "bob@example.com"
    assert not person.has_usable_password()


def test_by_cognitos_code(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user("ann@example.com", attributes={"name": "Ann Example"})
    signed_in = sign_in(client, "ann@example.com", lambda: cognito.last_code("ann@example.com"))
    person = Person.objects.get()
    assert signed_in == str(person.pk)
    assert (person.mail, person.full_name) == ("ann@example.com", "Ann Example")
    assert MigratedUser.objects.get().user == person
    assert JourneyEvent.objects.filter(user=person, step="signed_in").exists()


def test_somebody_whom_the_site_knows_by_their_sub(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    sub = pool.add_user("ann@example.com")
    person = Person.objects.create_user("ann-from-before@example.com", cognito_sub=sub)
    assert sign_in(client, "ann@example.com", lambda: cognito.last_code("ann@example.com")) == str(person.pk)
    assert Person.objects.count() == 1


def test_any_number_of_people_without_an_address(
    client: Client, outbox: list[Message], settings: Any, sent_code: Callable[[], str]
) -> None:
    settings.COGNITO_PASSWORDLESS = settings.COGNITO_PASSWORDLESS | {"SIGNUP": True}
    numbers = ["+4915112345678", "+4915187654321"]
    signed_in = {sign_in(Client(), number, lambda: re.findall(r"\d{6}", outbox[-1].text)[0]) for number in numbers}
    assert len(signed_in) == 2
    assert {UUID(str(one)) for one in signed_in} == {person.pk for person in Person.objects.filter(mail=None)}
    assert PhoneNumber.objects.filter(verified=True).count() == 2


def test_the_adapters_phone_hooks() -> None:
    person = Person.objects.create_user()
    AccountAdapter().set_phone(person, "+4915112345678", True)
    assert AccountAdapter().get_user_by_phone("+4915112345678") == person


def test_allauth_is_told_of_the_fields() -> None:
    assert compat.user_model_fields() == {"USERNAME": None, "EMAIL": "mail"}


def told() -> set[str]:
    ours = [str(message.id) for message in checks.run_checks() if str(message.id).startswith(TAG)]
    return {number.rpartition(".")[2] for number in ours} - {"W406"}


def test_the_checks_find_nothing() -> None:
    assert told() == set()


@pytest.mark.parametrize("attribute", ["id", "mail", "cognito_sub"])
def test_a_pool_may_not_write_who_somebody_is(settings: Any, attribute: str) -> None:
    settings.COGNITO_PASSWORDLESS = settings.COGNITO_PASSWORDLESS | {"ATTRIBUTES": {"custom:x": attribute}}
    assert told() == {"E235"}


def test_and_it_does_not_where_nobody_ran_the_checks(
    client: Client, cognito: LocalCognito, pool: LocalPool, settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = settings.COGNITO_PASSWORDLESS | {
        "ATTRIBUTES": {"nickname": "mail", "name": "cognito_sub"}
    }
    pool.add_user("ann@example.com", attributes={"nickname": "eve@example.com", "name": "another-sub"})
    sign_in(client, "ann@example.com", lambda: cognito.last_code("ann@example.com"))
    assert Person.objects.values_list("mail", "cognito_sub").get() == ("ann@example.com", None)


def test_fields_that_are_not_there_are_told(settings: Any) -> None:
    del settings.ACCOUNT_USER_MODEL_USERNAME_FIELD
    del settings.ACCOUNT_USER_MODEL_EMAIL_FIELD
    assert told() == {"E240"}


def test_an_address_that_nobody_may_lack_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person._meta.get_field("mail"), "null", False)
    assert told() == {"W241"}


def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_admin_shows_a_person_without_their_address(client: Client) -> None:
    client.force_login(Person.objects.create_superuser("root@example.com"))
    person = Person.objects.create_user("ann@example.com")
    row = MigratedUser.objects.create(connection="main", pool="i", sub="s", user=person, status="migrated")
    for page in ("migrateduser/", f"migrateduser/{row.pk}/change/", "journeyevent/", "challengesession/"):
        response = client.get(f"/admin/cognito_passwordless/{page}")
        assert response.status_code == 200
        assert "ann@example.com" not in response.content.decode()

"""Users who are known by a phone number: theirs is recorded as verified where no guess is needed to read it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from cognito_passwordless.flows.adopting import AtRisk, count_at_risk
from cognito_passwordless.models import PhoneNumber

from .models import Caller
from .test_sign_in import NUMBER, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cognito_adopt", *arguments, "--yes", stdout=out, stderr=io.StringIO(), no_color=True)
    return out.getvalue()


def adopted() -> list[tuple[int, str]]:
    return list(PhoneNumber.objects.filter(verified=True).values_list("user_id", "number"))


@pytest.mark.parametrize("written", ["+4915112345678", "004915112345678", "4915112345678"])
def test_they_keep_their_password(client: Client, sent_code: Callable[[], str], written: str) -> None:
    caller = Caller.objects.create_user(written, "something long")
    assert count_at_risk() == AtRisk(people=1, password=1, links=0, second_factor=0)
    run("--all")
    assert adopted() == [(caller.pk, NUMBER)]
    assert count_at_risk().people == 0
    sign_in(client, sent_code)
    assert client.session["_auth_user_id"] == str(caller.pk)
    caller.refresh_from_db()
    assert caller.check_password("something long")


# Half a number, a name, a number of a country that no SMS goes to (or a local one: nobody can tell), a local one.
@pytest.mark.parametrize("written", ["+49", "ann", "5112345678", "015112345678"])
def test_what_would_be_a_guess_is_not_read(written: str) -> None:
    caller = Caller.objects.create_user(written)
    assert f"user {caller.pk}: not readable as an address" in run("--all")
    assert adopted() == []


def test_the_country_of_a_bare_number_is_one_that_sms_go_to(settings: Any) -> None:
    caller = Caller.objects.create_user("5112345678")
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SMS_COUNTRIES": ["PE"]}
    run("--all")
    assert adopted() == [(caller.pk, "+5112345678")]


def test_two_forms_are_one_number() -> None:
    Caller.objects.create_user(NUMBER)
    Caller.objects.create_user(NUMBER.removeprefix("+"))
    assert "2 left as they are: another user has the same address" in run("--all")
    assert adopted() == []


def test_an_old_form_is_the_same_number() -> None:
    caller = Caller.objects.create_user("+5215512345678")
    run("--all")
    assert adopted() == [(caller.pk, "+525512345678")]


@pytest.mark.parametrize(("verified", "reason"), [(True, "verified another address"), (False, "")])
def test_a_number_that_allauth_knows(verified: bool, reason: str) -> None:
    caller = Caller.objects.create_user(NUMBER)
    PhoneNumber.objects.create(user=caller, number="+4915187654321", verified=verified)
    assert reason in run("--all")
    assert adopted() == [(caller.pk, "+4915187654321" if verified else NUMBER)]


def test_a_file_of_numbers(tmp_path: Path) -> None:
    caller = Caller.objects.create_user(NUMBER.removeprefix("+"))
    path = tmp_path / "numbers"
    path.write_text(f"{NUMBER}\n+4915187654321\n")
    assert "line 2: no user has this address" in run("--file", str(path))
    assert adopted() == [(caller.pk, NUMBER)]


def test_nobody_knows_when_they_joined() -> None:
    with pytest.raises(CommandError, match="no date_joined"):
        run("--joined-before", "2026-01-31")

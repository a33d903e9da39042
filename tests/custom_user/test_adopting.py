"""A user model without a username and with a UUID key."""

import io
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command

from cognito_passwordless.flows.adopting import count_at_risk

from .models import Person

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cognito_adopt", *arguments, "--yes", stdout=out, stderr=io.StringIO(), no_color=True)
    return out.getvalue()


def test_everybody_in_several_batches() -> None:
    for number in range(5):
        Person.objects.create_user(f"person{number}@example.com", "a long password")
    Person.objects.create_user(None, "a long password")
    assert count_at_risk().people == 5
    told = run("--all", "--batch", "2")
    assert "5 addresses were recorded" in told
    assert "1 left as they are: users without an address" in told
    assert count_at_risk().people == 0


def test_a_file_of_keys(tmp_path: Path) -> None:
    ann = Person.objects.create_user("ann@example.com")
    path = tmp_path / "keys"
    path.write_text(f"{ann.pk}\n1\n")
    assert "line 2: neither a primary key nor an address" in run("--file", str(path))
    assert EmailAddress.objects.get().user == ann

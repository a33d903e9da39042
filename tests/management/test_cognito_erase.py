"""The command: says what it would forget, asks, forgets, and lets somebody come back."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from cognito_passwordless.models import Erasure, JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db

EMAIL, NUMBER = "ann@example.com", "+4915112345678"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cognito_erase", *arguments, stdout=out, stderr=io.StringIO(), no_color=True)
    return out.getvalue()


def migrated(sub: str = "sub-1", *, made: bool = True, **fields: Any) -> MigratedUser:
    user = User.objects.create_user(sub, EMAIL)
    return MigratedUser.objects.create(
        connection="main", pool="i", sub=sub, email=EMAIL, phone_number=NUMBER, user=user, status="migrated",
        migrated_at=timezone.now(), changes={"user": True} if made else {}, **fields,
    )  # fmt: skip


@pytest.mark.parametrize("named", ["sub-1", " Ann@Example.com ", "+49 1511 2345678", "the number", "-"])
def test_the_person_can_be_named_as_they_name_themselves(named: str, monkeypatch: Any) -> None:
    record = migrated()
    monkeypatch.setattr("sys.stdin", io.StringIO("ann@example.com\n"))
    said = run("--person", str(record.pk) if named == "the number" else named, "--yes")
    tombstone = Erasure.objects.get()
    assert f"tombstone {tombstone.pk} (main)" in said
    assert EMAIL not in said
    assert not MigratedUser.objects.exists()
    assert not User.objects.exists()
    assert JourneyEvent.objects.get(step="erased").data == {"by": "command"}


def test_a_dry_run_only_tells() -> None:
    record = migrated()
    record.user.set_password("theirs")  # type: ignore[union-attr]
    record.user.save()  # type: ignore[union-attr]
    MigratedUser.objects.create(connection="other", pool="j", sub="s", email=EMAIL)
    assert run("--person", "sub-1", "--dry-run") == (
        "This would happen:\n"
        f"  record {record.pk} (main, migrated) is forgotten, with all its sign-ins\n"
        "  the Django user is kept, without what came from the pool\n"
        "    who owns, since the migration: 1 password\n"
        "  1 other records carry an address of theirs, and stay\n"
    )
    assert "user is removed" in run("--person", "sub-1", "--dry-run", "--remove-user")
    assert MigratedUser.objects.count() == 2
    assert not Erasure.objects.exists()


@pytest.mark.parametrize(("flag", "users"), [("--keep-user", 1), ("--remove-user", 0)])
def test_the_django_user_goes_or_stays_as_chosen(flag: str, users: int) -> None:
    migrated(made=flag == "--keep-user")
    run("--person", "sub-1", "--yes", flag)
    assert User.objects.count() == users


def test_it_asks(monkeypatch: Any) -> None:
    migrated()
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    with pytest.raises(CommandError, match=r"Nothing was changed\."):
        run("--person", "sub-1")

    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CommandError, match="there is no terminal to ask"):
        run("--person", "sub-1")
    assert MigratedUser.objects.exists()
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    run("--person", "sub-1")
    assert not MigratedUser.objects.exists()


def test_staff_are_left_alone() -> None:
    migrated()
    User.objects.update(is_staff=True)
    for more in ((), ("--dry-run",), ("--remove-user",)):
        with pytest.raises(CommandError, match="staff or a superuser"):
            run("--person", "sub-1", "--yes", *more)
    assert MigratedUser.objects.exists()


def test_who_is_meant_has_to_be_clear_and_is_not_repeated() -> None:
    one = migrated()
    two = MigratedUser.objects.create(connection="other", pool="j", sub="s", email=EMAIL)
    with pytest.raises(CommandError, match=rf"{one.pk} \(main, migrated\), {two.pk} \(other, pending\)") as told:
        run("--person", EMAIL, "--yes")
    assert EMAIL not in str(told.value)
    for nobody in ("nobody@example.com", "", "0"):
        with pytest.raises(CommandError, match=r"There is no such person\."):
            run("--person", nobody, "--yes")


def test_a_tombstone_is_lifted(monkeypatch: Any) -> None:
    migrated()
    run("--person", "sub-1", "--yes")
    key = str(Erasure.objects.get().pk)
    assert "as if for the first time" in run("--lift", key, "--dry-run")
    assert Erasure.objects.exists()
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    assert run("--lift", key).endswith("Lifted.\n")
    assert not Erasure.objects.exists()
    with pytest.raises(CommandError, match="no such tombstone"):
        run("--lift", key)

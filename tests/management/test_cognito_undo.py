"""The command: what it would do, asks, and does."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from cognito_passwordless.models import ImportRun, MigratedUser

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cognito_undo", *arguments, stdout=out, stderr=io.StringIO(), no_color=True)
    return out.getvalue()


def migrated(sub: str = "sub-1", pool: str = "i", **fields: Any) -> MigratedUser:
    user = User.objects.create_user(f"{sub}{pool}")
    return MigratedUser.objects.create(
        connection="main", pool=pool, sub=sub, user=user, status="migrated", migrated_at=timezone.now(),
        changes={"user": True}, **fields,
    )  # fmt: skip


def test_a_dry_run_only_tells() -> None:
    migrated()
    assert run("--person", "sub-1", "--dry-run") == (
        "This would happen:\n  1 pending again, their Django user removed\n"
    )
    assert MigratedUser.objects.get().status == "migrated"
    assert "1 pending again, their Django user kept" in run("--person", "sub-1", "--dry-run", "--keep-user")


@pytest.mark.parametrize(("flag", "users"), [("--keep-user", 1), ("--remove-created", 0)])
def test_it_is_undone_by_sub_or_by_number(flag: str, users: int) -> None:
    record = migrated()
    assert "Done:" in run("--person", str(record.pk), flag, "--yes")
    assert MigratedUser.objects.get().status == "pending"
    assert User.objects.count() == users
    with pytest.raises(CommandError, match="they are not migrated"):
        run("--person", "sub-1", "--yes")


def test_who_has_gained_something_is_kept_without_a_choice() -> None:
    user = migrated().user
    assert user
    user.set_password("theirs")
    user.save()
    run("--person", "sub-1", "--yes")
    assert User.objects.get() == user


def test_it_asks(monkeypatch: Any) -> None:
    migrated()
    monkeypatch.setattr("builtins.input", lambda prompt: "")
    with pytest.raises(CommandError, match=r"Nothing was changed\."):
        run("--person", "sub-1")
    assert MigratedUser.objects.get().status == "migrated"
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    run("--person", "sub-1")
    assert MigratedUser.objects.get().status == "pending"


def test_a_run_is_undone_whole_and_others_stay() -> None:
    now = timezone.now()
    runs = [ImportRun.objects.create(connection=f"c{n}", started_at=now, updated_at=now) for n in range(2)]
    for number, import_run in enumerate((*runs, runs[0])):
        migrated(f"sub-{number}", import_run=import_run)
    assert "2 pending again, their Django user removed" in run("--run", str(runs[0].pk), "--yes")
    assert list(MigratedUser.objects.filter(status="migrated").values_list("sub", flat=True)) == ["sub-1"]
    assert run("--run", str(runs[0].pk), "--yes").endswith("Done:\n  nothing\n")


def test_staff_are_left_alone() -> None:
    migrated()
    User.objects.update(is_staff=True)
    with pytest.raises(CommandError, match="staff or a superuser"):
        run("--person", "sub-1", "--yes")
    assert MigratedUser.objects.get().status == "migrated"


def test_who_is_meant_has_to_be_clear() -> None:
    with pytest.raises(CommandError, match="no such person"):
        run("--person", "nobody", "--yes")
    with pytest.raises(CommandError, match="no run 7"):
        run("--run", "7", "--yes")
    one, two = migrated(pool="i"), migrated(pool="j")
    with pytest.raises(
        CommandError, match=rf"Name one by number: {one.pk} \(main, migrated\), {two.pk} \(main, migrated\)"
    ):
        run("--person", "sub-1", "--yes")

"""The command: from a pool or a file, dry, in parts, of several pools, and what it says where it cannot go on."""

import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from cognito_passwordless.flows.importing import gone
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.management.commands import cognito_import
from cognito_passwordless.models import ConnectionState, ImportRun, MigratedUser

from ..flows.progress.reading import reading_only

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws_identity")]
FAST = ("--rate", "1000")
ANN = "ann@example.com"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cognito_import", *arguments, stdout=out, stderr=io.StringIO(), no_color=True)
    return out.getvalue()


def refused(*arguments: str, status: int) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == status
    return str(caught.value)


def people(pool: LocalPool, count: int = 3) -> LocalPool:
    for number in range(count):
        pool.add_user(f"person{number}@example.com")
    return pool


def file_of(path: Path, *addresses: str) -> Path:
    head = "cognito:username,sub,email,email_verified,cognito:mfa_enabled,UserStatus\n"
    rows = (f"{address},sub-{number},{address},true,false,CONFIRMED\n" for number, address in enumerate(addresses))
    path.write_text(head + "".join(rows))
    return path


def test_it_says_what_it_did_and_what_a_second_run_finds(pool: LocalPool) -> None:
    people(pool)
    told = run(*FAST)
    assert told == (
        "main: 3 seen, 3 created, 0 updated, 0 unchanged, 0 skipped, 0 conflicts, 0 problems, 0 gone "
        f"(import {ImportRun.objects.get().pk})\n"
    )
    assert "3 seen, 0 created, 0 updated, 3 unchanged" in run(*FAST)
    assert MigratedUser.objects.filter(status="pending").count() == 3


def test_every_active_pool_in_turn_or_the_named_ones(cognito: LocalCognito, connect: Callable[..., Any]) -> None:
    for number, alias in enumerate(("main", "partners", "old"), start=1):
        pool = cognito.create_pool(alias)
        connect(people(pool, number), alias=alias)
    ConnectionState.objects.create(alias="old", retired_at=timezone.now())
    told = run(*FAST)
    assert [line.partition(" ")[0] for line in told.splitlines()] == ["main:", "partners:"]
    assert "partners: 2 seen" in told
    assert run("--connection", "partners", *FAST).startswith("partners: 2 seen, 0 created")
    assert MigratedUser.objects.values("pool").distinct().count() == 2


def test_who_differs_by_spelling_alone_is_one_decision_and_told_before(pool: LocalPool) -> None:
    people(pool, 1)
    pool.add_user(ANN.title())
    pool.add_user(ANN)
    told = run("--dry-run", *FAST)
    assert "Shared addresses that need a decision: 1." in told
    run(*FAST)
    assert MigratedUser.objects.filter(shares_address=True).count() == 2


def test_a_dry_run_tells_whom_people_would_become_and_writes_nothing(
    pool: LocalPool, make_user: Callable[..., User]
) -> None:
    people(pool)
    make_user("person1@example.com")
    make_user("person2@example.com", is_staff=True)
    with reading_only():
        told = run("--dry-run", *FAST)
    assert "nothing was written. An import would count: 3 created, 0 updated, 0 unchanged, 0 skipped" in told
    assert "  create           1  no Django user has their address or sub (" in told
    assert "  link             1  a Django user has verified their address (" in told
    assert "  conflict         1  the Django user is staff or a superuser, whom no migration reaches (" in told
    assert not MigratedUser.objects.exists()


def test_people_are_paired_or_activated_after_a_look(pool: LocalPool, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "first_name"}
    people(pool)
    run(*FAST)
    known = MigratedUser.objects.order_by("pk")[0]
    User.objects.create_user("known", first_name=known.sub)
    with reading_only():
        assert "  link             1  a Django user carries their sub (" in run("--pair", "--dry-run")
    told = run("--pair")
    assert "3 pending people seen, 0 Django users made, 1 paired, 2 left as they are" in told
    assert "  wait             2  no Django user carries their sub (" in told
    MigratedUser.objects.filter(status="pending").update(attributes={"email_verified": "true"})
    assert "2 pending people seen, 2 Django users made" in run("--activate")
    assert MigratedUser.objects.filter(status="migrated", method="bulk").count() == 3


def test_whoever_was_deleted_in_the_pool_is_told_of_and_marked(pool: LocalPool, tmp_path: Path) -> None:
    people(pool)
    run(*FAST)
    MigratedUser.objects.create(connection="main", pool=pool.id, sub="deleted", imported_at=timezone.now())
    with reading_only():
        told = run("--dry-run", *FAST)
        assert "  gone             1  the pool has them no more: they would be marked as gone (deleted)" in told
    assert "0 problems, 1 gone (import" in run(*FAST)
    assert MigratedUser.objects.get(sub="deleted").status == "gone"


def test_a_large_part_is_marked_only_by_whoever_says_so(pool: LocalPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gone, "FEW", 0)
    people(pool)
    run(*FAST)
    MigratedUser.objects.create(connection="main", pool=pool.id, sub="deleted", imported_at=timezone.now())
    error = io.StringIO()
    assert "Nobody is marked as gone: 1 of 4 people who wait" in run("--dry-run", "--gone-limit", "20", *FAST)
    call_command("cognito_import", "--gone-limit", "20", *FAST, stdout=io.StringIO(), stderr=error, no_color=True)
    assert "main: Nobody is marked as gone: 1 of 4 people who wait were not seen." in error.getvalue()
    assert "--restart --gone-limit 100" in error.getvalue()
    assert "1 gone" in run("--restart", "--gone-limit", "100", *FAST)


def test_a_file_marks_people_only_where_it_is_complete(pool: LocalPool, tmp_path: Path) -> None:
    both = ("--connection", "main", "--csv", str(file_of(tmp_path / "users.csv", ANN, "bob@example.com")))
    run(*both)
    one = ("--connection", "main", "--csv", str(file_of(tmp_path / "one.csv", ANN)))
    assert "0 gone" in run(*one)
    assert "  gone             1" not in run(*one, "--dry-run")
    assert "  gone             1" in run(*one, "--complete", "--dry-run")
    assert "1 gone" in run(*one, "--complete")


def test_a_file_is_imported_and_looked_at_in_the_same_way(pool: LocalPool, tmp_path: Path) -> None:
    path = str(file_of(tmp_path / "users.csv", ANN, "bob@example.com"))
    with reading_only():
        assert "2 created, 0 updated" in run("--connection", "main", "--csv", path, "--dry-run")
    assert "main: 2 seen, 2 created" in run("--connection", "main", "--csv", path)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_given_by_its_path_in_either_form(pool: LocalPool, tmp_path: Path, kind: type[Any]) -> None:
    call_command("cognito_import", csv=kind(file_of(tmp_path / "users.csv", ANN)), stdout=io.StringIO())
    assert MigratedUser.objects.get().email == ANN


def test_columns_get_a_meaning_and_problems_are_named(pool: LocalPool, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("Kennung,Adresse,Enabled\nsub-1,ann@example.com,yes\nsub-2,bob@example.com,perhaps\n")
    both = ("--connection", "main", "--csv", str(path))
    assert "--columns HEADER=sub" in refused(*both, status=1)
    told = run(*both, "--columns", "Kennung=sub", "--columns", "Adresse=email")
    assert "2 seen, 1 created" in told
    assert "  line 3: Enabled: A value is not understood\n  Correct these rows" in told
    assert MigratedUser.objects.get().email == ANN
    assert "There is no column 'Name'" in refused(*both, "--columns", "Name=sub", status=1)
    assert "is about a column of a --csv" in refused("--columns", "Name=sub", status=2)
    assert "is about a column of a --csv" in refused(*both, "--columns", "Name", status=2)


def test_every_error_says_what_to_do(pool: LocalPool, cognito: LocalCognito, tmp_path: Path) -> None:
    assert "Name one of: main." in refused("--connection", "nobody", status=2)
    assert "Name a file that can be read." in refused("--csv", str(tmp_path / "none.csv"), status=1)
    assert "Name a file that can be read." in refused("--csv", str(tmp_path), status=1)
    cognito.fail("ListUsers", "AccessDeniedException", times=2, pool_id=pool.id)
    for arguments in (FAST, ("--dry-run", *FAST)):
        assert "manage.py cognito_doctor --connection main." in refused(*arguments, status=cognito_import.FAILED)


def test_no_sub_commands_the_terminal(pool: LocalPool, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("cognito:username,sub,email\nann,\x1b]0;owned\x07,ann@example.com\n")
    told = run("--connection", "main", "--csv", str(path), "--dry-run")
    assert "0;owned" in told
    assert all(letter.isprintable() for letter in told.replace("\n", ""))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--connection", "nobody"), "There is no connection 'nobody'."),
        (("--csv", "users.csv"), "main: "),
        (("--csv", "users.csv", "--activate", "--connection", "main"), "read no CSV"),
        (("--complete",), "about a CSV"),
    ],
)
def test_what_cannot_be_meant_is_told(
    pool: LocalPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if told == "main: ":
        assert "users.csv" in refused(*arguments, status=1)
    else:
        assert told in refused(*arguments, status=2)


def test_a_file_belongs_to_one_pool(cognito: LocalCognito, connect: Callable[..., Any], tmp_path: Path) -> None:
    for alias in ("main", "partners"):
        connect(cognito.create_pool(alias), alias=alias)
    assert "name its --connection" in refused("--csv", str(file_of(tmp_path / "users.csv")), status=2)


@pytest.mark.parametrize("chosen", [("--rate", "0"), ("--rate", "-1"), ("--pages", "0"), ("--pages", "501")])
def test_a_limit_cannot_be_switched_off(pool: LocalPool, chosen: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="must be"):
        run(*chosen)


def test_a_pool_that_refuses_us_is_an_error_that_says_how_to_go_on(pool: LocalPool, cognito: LocalCognito) -> None:
    people(pool)
    cognito.fail("ListUsers", "AccessDeniedException", times=1, pool_id=pool.id)
    told = refused(*FAST, status=cognito_import.FAILED)
    assert told.endswith("Go on with: manage.py cognito_import --connection main --continue")
    assert "3 seen, 3 created" in run("--connection", "main", "--continue", *FAST)
    assert "nothing unfinished to continue" in refused("--connection", "main", "--continue", status=1)


def test_while_somebody_else_imports_it_says_who(pool: LocalPool) -> None:
    now = timezone.now()
    run_of_another = ImportRun.objects.create(
        connection="main", holder="another-machine:7:abc", started_at=now, updated_at=now
    )
    told = refused(*FAST, status=cognito_import.BUSY)
    assert told.startswith(f"main: another process is importing (import {run_of_another.pk}, last sign of life ")


def test_an_interrupted_one_ends_after_its_page_and_is_continued(
    pool: LocalPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C, while the first page is written."""
    people(pool, 130)
    real = cognito_import.ProgressBar.show

    def show(bar: Any, done: int, total: int | None, *, last: bool = False) -> None:
        if 0 < done < 130 and not last:
            os.kill(os.getpid(), signal.SIGINT)
        real(bar, done, total, last=last)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(cognito_import.ProgressBar, "show", show)
        told = refused("--pages", "1", *FAST, status=cognito_import.INTERRUPTED)
    assert told == "Interrupted. Go on with: manage.py cognito_import --connection main --continue"
    assert signal.getsignal(signal.SIGINT) is before
    assert ImportRun.objects.values_list("state", "seen").get() == ("interrupted", 60)
    assert "130 seen, 130 created" in run("--continue", *FAST)
    assert MigratedUser.objects.count() == 130

"""The command: the checklist, leaving, and coming back."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ConnectionState, Delivery, ImportRun, MigratedUser

pytestmark = pytest.mark.django_db


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("cognito_cutover", "--connection", "main", *arguments, stdout=out, no_color=True, **options)
    return out.getvalue()


def retired() -> bool:
    found = connections.find("main")
    assert found
    return found.retired


@pytest.fixture
def ready(pool: LocalPool) -> None:
    """All but the export."""
    from tests.flows.started import held

    now = timezone.now()
    ImportRun.objects.create(connection="main", started_at=now, updated_at=now, finished_at=now, state="done")
    user = User.objects.create_user("ann")
    MigratedUser.objects.create(connection="main", pool=pool.id, sub="s", status="migrated", user=user)
    Delivery.objects.create(
        challenge=held()[1], number=1, generation=1, channel="email", status="sent", sender="memory",
        started_at=now, finished_at=now,
    )  # fmt: skip


def test_the_checklist_says_what_has_failed_and_how_to_mend_it(pool: LocalPool) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="Not ready: import, coverage, senders, backup"):
        call_command("cognito_cutover", "--connection", "main", "--check", stdout=out, no_color=True)
    assert "FAIL  import: never imported\n      Run cognito_import once more" in out.getvalue()
    assert "pass  conflicts: 0 need review" in out.getvalue()


def test_an_unready_connection_is_not_retired_unless_forced(pool: LocalPool) -> None:
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("--retire", "--yes")
    assert not retired()
    assert "main is retired" in run("--retire", "--yes", "--force")
    assert retired()


def test_a_ready_one_is_retired_and_comes_back(ready: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Not ready: backup"):
        run()
    path = tmp_path / "mapping.csv"
    assert f"{path}: 1 people, SHA-256" in run("--export", str(path), "--retire", "--yes")
    assert retired()
    assert "is retired already" in run("--retire", "--yes")
    assert "in use again" in run("--un-retire")
    assert not retired()
    assert "was not retired" in run("--un-retire")


def test_a_dry_run_changes_nothing(ready: None, tmp_path: Path) -> None:
    path = tmp_path / "mapping.csv"
    with pytest.raises(CommandError, match="Not ready: backup"):
        run("--dry-run", "--retire", "--export", str(path))
    assert not path.exists()
    run("--export", str(path))
    assert "main would be retired; 0 open sign-ins would end." in run("--dry-run", "--retire")
    assert not retired()
    assert "main is in use again" in run("--dry-run", "--un-retire")
    run("--retire", "--yes")
    assert "main would be in use again" in run("--dry-run", "--un-retire")
    assert retired()


@pytest.mark.parametrize("share", ["-1", "101", "nan"])
def test_a_share_that_is_none_is_refused(ready: None, share: str) -> None:
    with pytest.raises(CommandError, match="0 to 100 per cent"):
        run("--retire", "--yes", f"--coverage={share}")
    assert not retired()


def test_where_nobody_can_be_asked_nothing_is_done(ready: None, monkeypatch: Any, tmp_path: Path) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CommandError, match="there is no terminal to ask"):
        run("--export", str(tmp_path / "mapping.csv"), "--retire")
    assert not retired()


def test_its_name_has_to_be_typed(ready: None, monkeypatch: Any, tmp_path: Path) -> None:
    run("--export", str(tmp_path / "mapping.csv"), "--left", str(tmp_path / "left.csv"))
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("--retire")
    assert not retired()
    monkeypatch.setattr("builtins.input", lambda prompt: "main")
    run("--retire")
    assert retired()


def test_a_connection_that_its_settings_retire_says_so(cognito: LocalCognito, connect: Callable[..., Any]) -> None:
    connect(cognito.create_pool("old"), retired=True)
    with pytest.raises(CommandError, match="'retired': True"):
        run("--un-retire")


def test_what_cannot_be_is_told(pool: LocalPool, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no connection 'other'"):
        call_command("cognito_cutover", "--connection", "other")
    with pytest.raises(CommandError, match="could not be written: No such file or directory"):
        run("--export", str(tmp_path / "missing" / "mapping.csv"))
    assert not ConnectionState.objects.exists()

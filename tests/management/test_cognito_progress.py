"""The command: the figures of the admin in a terminal, as JSON, and whether they are right."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cognito_passwordless.flows.progress import report, rollup
from cognito_passwordless.models import DailyFigure, MigratedUser, PeopleFigure, Progress
from example_project.demo import history

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cognito_progress", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def row(told: str, name: str) -> str:
    """What is written beside a name."""
    found = [line.partition(name)[2].strip() for line in told.splitlines() if line.strip().startswith(name)]
    assert found, f"no {name} in:\n{told}"
    return found[0]


@pytest.fixture
def late() -> None:
    now = timezone.now()
    history.fill(now, "late", people=200, attempts=100)
    rollup.roll_up(now)


def test_before_the_first_count_it_says_how_to_count() -> None:
    assert "Nothing has been counted yet: run with --refresh" in run()


def test_nobody_is_no_error() -> None:
    told = run("--refresh")
    assert row(told, "Migrated") == "0 of 0    0.0 %"
    assert row(told, "no date") == "no pool user is known yet"


@pytest.mark.usefixtures("late")
def test_it_tells_what_the_page_tells() -> None:
    figures, told = report.read_report(timezone.now()), run()
    part, whole = figures.migrated.part.value, figures.migrated.whole.value
    assert row(told, "Migrated") == f"{part} of {whole}  {figures.migrated.percent:5.1f} %"
    assert row(told, "pending") == str(figures.statuses[1].number.value)
    assert (row(told, "gone"), row(told, "Django user deleted")) == ("0", str(figures.deleted.value))
    assert row(told, "started").split()[:2] == [str(figures.funnel[0].attempts.value), "100.0"]
    assert row(told, "sent refused unknown_user") == str(
        next(each.events.value for each in figures.failures if each.cause == "unknown_user")
    )
    assert "calls" in row(told.partition("Pools")[2], "main")
    assert row(told, "sms_per_day").startswith("4,205 of 5,000")
    assert row(told, "90 %").startswith("about 20")


@pytest.mark.usefixtures("late")
def test_one_connection_alone() -> None:
    of_all, of_one = json.loads(run("--json")), json.loads(run("--json", "--connection", "partners"))
    assert 0 < of_one["migrated"]["whole"]["value"] < of_all["migrated"]["whole"]["value"]
    with pytest.raises(CommandError, match="There is no connection 'nothing'"):
        run("--connection", "nothing")


@pytest.mark.usefixtures("late")
def test_json_is_what_the_admin_exports(admin_client: Any) -> None:
    exported = admin_client.get("/admin/cognito_passwordless/progress/figures.json").json()
    assert json.loads(run("--json")) == exported


@pytest.mark.usefixtures("late")
def test_old_figures_say_so() -> None:
    assert "OLD" not in run()
    Progress.objects.update(as_of=timezone.now() - timedelta(hours=2))
    assert "OLD: is Celery beat running?" in run()
    assert "OLD" not in run("--refresh")


def test_the_targets_that_were_reached_have_their_day() -> None:
    history.fill(timezone.now(), "finished", people=60, attempts=5)
    assert row(run("--refresh"), "99 %").startswith("reached on 20")


class TestCheck:
    @pytest.mark.usefixtures("late")
    def test_a_true_roll_up_passes(self) -> None:
        assert run("--check") == "The roll-up equals the tables.\n"

    @pytest.mark.usefixtures("late")
    def test_people_who_have_come_since_are_told_and_no_fault(self) -> None:
        MigratedUser.objects.filter(status="pending", connection="main").first().delete()  # type: ignore[union-attr]
        told = run("--check")
        assert "status=pending" in told
        assert "may have changed since the roll-up" in told
        assert told.endswith("No drift.\n")

    @pytest.mark.usefixtures("late")
    def test_a_wrong_figure_of_what_is_over_is_an_error_until_it_is_counted_anew(self) -> None:
        figure = DailyFigure.objects.filter(kind="events", step="sent", outcome="ok").earliest("day")
        DailyFigure.objects.filter(pk=figure.pk).update(count=figure.count + 7)
        with pytest.raises(CommandError, match="drifted; --recount"):
            run("--check")
        run("--recount")
        assert run("--check") == "The roll-up equals the tables.\n"

    @pytest.mark.usefixtures("late")
    def test_a_figure_of_people_is_mended_by_the_next_count(self) -> None:
        PeopleFigure.objects.filter(status="migrated").update(count=1)
        assert "kept 1, counted" in run("--check")
        run("--refresh")
        assert run("--check") == "The roll-up equals the tables.\n"


def test_no_name_commands_the_terminal() -> None:
    MigratedUser.objects.create(connection="\x1b]0;owned\x07main", pool="i", sub="s", status="conflict",
                                last_error="\x1b[2J")  # fmt: skip
    told = run("--refresh")
    assert "main" in told
    assert all(letter.isprintable() for letter in told.replace("\n", ""))

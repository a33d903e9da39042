"""Who was deleted in the pool: a full import knows whom it did not see, in doubt it marks nobody, and whoever is gone
is in nobody's way."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from cognito_passwordless.cognito import Connection
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.importing import gone, run_lease, writer
from cognito_passwordless.flows.pool_sync.trigger_events import signed_in
from cognito_passwordless.flows.progress import report, rollup
from cognito_passwordless.models import ImportRun, MigratedUser, SeenPeople

from ...cognito.standin import Reply, StandIn
from ...management.test_cognito_import import file_of
from ..people import waiting
from .directory import Directory, listed, sub_of
from .test_dry_run import _standin, outcomes, preview, standin
from .test_pipeline import NOW, _no_waiting, person, pool, run

__all__ = ["_no_waiting", "_standin", "pool", "standin"]

LATER = NOW + timedelta(days=1)


def statuses() -> dict[int, str]:
    return {
        number: status
        for number in range(20)
        for status in MigratedUser.objects.filter(sub=sub_of(number)).values_list("status", flat=True)
    }


def missing(of: int = 4, *, status: str = "pending", **fields: Any) -> None:
    """Everybody was imported, and somebody is ``status`` by now."""
    MigratedUser.objects.filter(sub=sub_of(of - 1)).update(status=status, **fields)


@pytest.fixture
def directory(standin: StandIn, pool: Connection) -> Directory:
    """Four people were imported; then the last one was deleted."""
    served = Directory(standin, [listed(number) for number in range(4)], size=2)
    run(pool)
    served.rows = served.rows[:3]
    return served


# ---- whom it marks


@pytest.mark.parametrize("status", ["pending", "conflict", "failed"])
def test_who_waited_and_is_not_seen_is_gone(directory: Directory, pool: Connection, status: str) -> None:
    missing(status=status, last_error="said-before")
    done = run(pool, now=LATER)
    assert (done.gone, done.unchanged, done.last_error) == (1, 3, "")
    assert statuses() == {0: "pending", 1: "pending", 2: "pending", 3: "gone"}
    assert person(3).last_error == ""
    assert ImportRun.objects.get(pk=done.pk).gone == 1
    assert not SeenPeople.objects.exists()  # kept for the run alone


def test_who_has_come_over_or_is_out_stays_so(directory: Directory, pool: Connection) -> None:
    user = User.objects.create_user("ann")
    for status, fields in (("migrated", {"user": user}), ("migrated", {"user": None}), ("excluded", {})):
        missing(status=status, **fields)
        assert run(pool, now=LATER).gone == 0
        assert statuses()[3] == status


def test_who_was_written_or_is_new_or_broken_in_this_run_was_seen(directory: Directory, pool: Connection) -> None:
    directory.rows = [listed(0, email="new@example.com"), listed(1, Username=None), listed(2), listed(2), listed(9)]
    done = run(pool, now=LATER)
    assert (done.gone, done.created, done.updated) == (1, 1, 1)
    assert statuses() == {0: "pending", 1: "pending", 2: "pending", 3: "gone", 9: "pending"}


def test_another_pool_and_who_was_never_imported_are_none_of_its_business(
    directory: Directory, pool: Connection
) -> None:
    MigratedUser.objects.create(connection="main", pool="another", sub=sub_of(5), imported_at=NOW)
    MigratedUser.objects.create(connection="main", pool=pool.pool, sub=sub_of(6), status="failed")
    run(pool, now=LATER)
    assert statuses() == {0: "pending", 1: "pending", 2: "pending", 3: "gone", 5: "pending", 6: "failed"}


def test_who_is_seen_again_is_pending_again(directory: Directory, pool: Connection) -> None:
    run(pool, now=LATER)
    directory.rows.append(listed(3))
    again = run(pool, now=LATER + timedelta(days=1))
    assert (again.unchanged, again.updated, again.gone) == (3, 1, 0)
    assert statuses()[3] == "pending"
    assert run(pool, now=LATER + timedelta(days=2)).unchanged == 4


def test_who_signs_in_at_the_pool_meanwhile_or_later_is_there(directory: Directory, pool: Connection) -> None:
    news = {"attributes": {"sub": sub_of(3)}, "new_device": False}
    signed_in(pool, **news, now=LATER + timedelta(seconds=1))  # type: ignore[arg-type]
    assert run(pool, now=LATER).gone == 0
    run(pool, now=LATER + timedelta(days=1))
    assert statuses()[3] == "gone"
    signed_in(pool, **news, now=LATER + timedelta(days=2))  # type: ignore[arg-type]
    assert statuses()[3] == "pending"


def test_a_clock_that_goes_backwards_makes_nobody_gone_who_was_written(directory: Directory, pool: Connection) -> None:
    directory.rows = [listed(number, email=f"new{number}@example.com") for number in range(4)]
    stop = threading.Event()
    run(pool, now=LATER, pages=1, stop=stop, tell=lambda run: stop.set() if run.position else None)
    rest = run(pool, now=NOW, pages=1)  # on another machine
    assert (rest.updated, rest.gone) == (4, 0)


def test_whom_another_connection_of_the_pool_has_seen_meanwhile_is_there(
    directory: Directory, pool: Connection
) -> None:
    def seen_by_another(run: ImportRun) -> None:
        missing(connection="other", imported_at=LATER + timedelta(seconds=1))

    assert run(pool, now=LATER, tell=seen_by_another).gone == 0


def test_it_may_be_repeated(directory: Directory, pool: Connection) -> None:
    assert [run(pool, now=LATER + timedelta(days=day)).gone for day in range(3)] == [1, 0, 0]


# ---- in doubt, nobody


def test_an_import_that_did_not_come_to_its_end_marks_nobody(directory: Directory, pool: Connection) -> None:
    directory.rows = [listed(number) for number in range(3)]
    stop = threading.Event()
    half = run(pool, now=LATER, pages=1, stop=stop, tell=lambda run: stop.set() if run.position else None)
    assert (half.state, half.gone, statuses()[3]) == ("interrupted", 0, "pending")
    rest = run(pool, now=LATER + timedelta(hours=1), pages=1)
    assert (rest.pk, rest.state, rest.gone, rest.unchanged) == (half.pk, "done", 1, 3)
    assert statuses() == {0: "pending", 1: "pending", 2: "pending", 3: "gone"}


def test_a_pool_that_breaks_off_marks_nobody(directory: Directory, pool: Connection) -> None:
    directory.before = lambda token: Reply(b"<html>", 503) if token else None
    failed = run(pool, now=LATER, pages=1)
    assert (failed.state, failed.gone, statuses()[3]) == ("failed", 0, "pending")


def test_a_row_whose_sub_cannot_be_read_may_be_anybodys(directory: Directory, pool: Connection) -> None:
    directory.rows.append(listed(3, sub=None))
    done = run(pool, now=LATER)
    assert (done.state, done.gone, statuses()[3]) == ("done", 0, "pending")
    assert "cannot be read" in done.last_error
    directory.rows[3] = listed(3)
    assert run(pool, now=LATER).last_error == ""
    directory.rows.append(listed(8, sub=None))  # nobody is missing, so there is nothing to say
    assert run(pool, now=LATER).last_error == ""


def test_a_run_that_has_forgotten_whom_it_saw_marks_nobody(directory: Directory, pool: Connection) -> None:
    stop = threading.Event()
    run(pool, now=LATER, pages=1, stop=stop, tell=lambda run: stop.set() if run.position else None)
    SeenPeople.objects.all().delete()
    done = run(pool, now=LATER, pages=1)
    assert (done.state, done.gone) == ("done", 0)
    assert "not known in full" in done.last_error
    assert set(statuses().values()) == {"pending"}


def test_where_a_large_part_is_missing_somebody_has_to_say_so(
    directory: Directory, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gone, "FEW", 1)
    directory.rows = [listed(0), *(listed(number) for number in range(10, 19))]
    refused = run(pool, now=LATER)  # nine who are new are no sign that the others are gone
    assert (refused.state, refused.gone, refused.created) == ("done", 0, 9)
    assert "3 of 4 people who wait were not seen" in refused.last_error
    assert "gone" not in statuses().values()
    assert run(pool, now=LATER + timedelta(hours=1), gone_limit=30).gone == 3


@pytest.mark.parametrize(
    ("missing", "of", "said"), [(100, 100, False), (101, 505, False), (101, 504, True), (0, 0, False)]
)
def test_more_than_a_hundred_and_a_fifth_are_a_large_part(missing: int, of: int, said: bool) -> None:
    assert bool(gone.obstacle(missing, of, unreadable=False, limit=gone.LIMIT)) is said
    assert not gone.obstacle(missing, of, unreadable=False, limit=100)


# ---- dying, and others at work


def test_whoever_dies_while_marking_is_followed_by_one_who_ends_it(
    directory: Directory, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gone, "BATCH", 1)
    moments = iter([LATER] * 4)  # claim, page, and two batches; then it dies

    def clock() -> datetime:
        return next(moments)

    directory.rows = [listed(0)]
    with suppress(RuntimeError, StopIteration):
        importing.import_directory(pool, stop=threading.Event(), rate=1e6, clock=clock)
    dead = ImportRun.objects.latest("pk")
    ImportRun.objects.filter(pk=dead.pk).update(state="interrupted", holder="")
    assert dead.gone == 2
    calls = len(directory.asked)
    ended = run(pool, now=LATER + timedelta(hours=1))
    assert (ended.pk, ended.state, ended.gone, ended.seen, ended.unchanged) == (dead.pk, "done", 3, 1, 1)
    assert statuses() == {0: "pending", 1: "gone", 2: "gone", 3: "gone"}
    assert len(directory.asked) == calls  # the pool had been read to its end


def test_who_comes_in_between_the_look_and_the_mark_keeps_it(directory: Directory, pool: Connection) -> None:
    user = User.objects.create_user("ann")
    real = gone.obstacle

    def between(*arguments: Any, **options: Any) -> str:
        missing(status="migrated", user=user)
        return real(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gone, "obstacle", between)
        assert run(pool, now=LATER).gone == 0
    assert statuses()[3] == "migrated"


def test_a_database_that_is_busy_is_tried_again(
    directory: Directory, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([OperationalError("deadlock detected")] * (writer.WRITES - 1))
    real = gone.mark

    def mark(*arguments: Any, **options: Any) -> str:
        for error in left:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr(gone, "mark", mark)
    assert run(pool, now=LATER).gone == 1


def test_whoever_lost_the_run_marks_nobody(directory: Directory, pool: Connection) -> None:
    held = run_lease.claim("main", ImportRun.Source.POOL, now=LATER)
    ImportRun.objects.filter(pk=held.pk).update(holder="somebody else")
    with pytest.raises(importing.Lost):
        gone.mark(held, pool.pool, limit=100, clock=lambda: LATER)
    assert "gone" not in statuses().values()


# ---- a file


def test_a_file_says_nothing_of_who_is_not_in_it_unless_it_is_complete(pool: Connection, tmp_path: Path) -> None:
    def read(*addresses: str, days: int, **chosen: Any) -> ImportRun:
        path = file_of(tmp_path / "people.csv", *addresses)
        now = NOW + timedelta(days=days)
        return importing.import_csv(pool, path, stop=threading.Event(), clock=lambda: now, **chosen)

    read("a@example.com", "b@example.com", days=0)
    assert read("a@example.com", days=1).gone == 0
    assert read("a@example.com", days=2, gone_limit=gone.LIMIT).gone == 1
    assert dict(MigratedUser.objects.values_list("email", "status")) == {
        "a@example.com": "pending",
        "b@example.com": "gone",
    }


# ---- the dry run


def test_the_dry_run_says_who_would_be_gone(directory: Directory, pool: Connection) -> None:
    directory.rows.append(listed(9, sub=sub_of(3), Username=None))  # there, though of no use
    assert ("gone", "not_seen") not in outcomes(preview(pool))
    directory.rows.pop()
    MigratedUser.objects.create(connection="main", pool=pool.pool, sub="never-imported", status="failed")
    found = preview(pool)
    assert (outcomes(found)["gone", "not_seen"], found.examples["gone", "not_seen"]) == (1, [sub_of(3)])
    assert found.why_not == ""
    assert ("gone", "not_seen") not in outcomes(preview(pool, gone_limit=None))
    stop = threading.Event()
    assert ("gone", "not_seen") not in outcomes(preview(pool, stop=stop, tell=lambda seen: stop.set()))


def test_the_dry_run_says_why_nobody_would_be(
    directory: Directory, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.rows.append(listed(3, sub=None))
    assert "cannot be read" in preview(pool).why_not
    monkeypatch.setattr(gone, "FEW", 0)
    directory.rows.pop()
    found = preview(pool)
    assert "1 of 4 people" in found.why_not
    assert ("gone", "not_seen") not in outcomes(found)


# ---- what follows


def test_who_is_gone_is_counted_by_themselves_and_is_not_pending(directory: Directory, pool: Connection) -> None:
    run(pool, now=LATER)
    rollup.roll_up(LATER)
    figures = report.read_report(LATER)
    assert {each.name: each.number.value for each in figures.statuses} == {
        "migrated": 0, "pending": 3, "conflict": 0, "failed": 0, "excluded": 0, "gone": 1,
    }  # fmt: skip
    assert figures.migrated.whole.value == 3
    assert (
        importing.preview_activation(
            importing.Activation(connection=pool, makes_users=False, stop=threading.Event())
        ).seen
        == 3
    )


def test_an_address_that_went_to_somebody_new_is_no_conflict(directory: Directory, pool: Connection) -> None:
    """The one who is gone spelled it otherwise: of two who are there, it would be a case for an operator."""
    directory.rows = [listed(7, email="Person3@example.com")]
    assert run(pool, now=LATER).gone == 4
    assert not waiting().exists()
    assert set(MigratedUser.objects.values_list("shares_address", flat=True)) == {False}


def test_only_the_whole_of_its_pages_is_kept_for_the_run(directory: Directory, pool: Connection) -> None:
    held: list[list[str]] = []
    keep: Callable[[ImportRun], None] = lambda run: held.append(  # noqa: E731
        list(SeenPeople.objects.filter(run=run).order_by("pk").values_list("people", flat=True))
    )
    run(pool, now=LATER, pages=1, tell=keep)
    keys = list(MigratedUser.objects.order_by("sub").values_list("pk", flat=True))
    assert held[-1] == [f"{keys[0]} {keys[1]}", str(keys[2])]

"""A pool's directory into `MigratedUser`: what is written, what is left alone, and what is a problem."""

import dataclasses
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from cognito_passwordless.cognito import Connection
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.accounts import tombstones
from cognito_passwordless.flows.conflicts.cases import same_address_records
from cognito_passwordless.flows.importing import postgres, run_lease
from cognito_passwordless.flows.importing import sources as pool_source
from cognito_passwordless.flows.lifecycle import erase
from cognito_passwordless.models import ImportProblem, ImportRun, MigratedUser

from ...cognito.standin import Reply, StandIn, error
from .directory import Directory, listed, sub_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COUNTS = ("seen", "created", "updated", "unchanged", "skipped", "conflicts", "problems")


@pytest.fixture(scope="module")
def _standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def standin(_standin: StandIn, aws_identity: None, db: None) -> Iterator[StandIn]:
    yield _standin
    _standin.reset()


@pytest.fixture
def pool(standin: StandIn) -> Connection:
    return Connection(
        alias="main",
        region="eu-west-1",
        user_pool_id="eu-west-1_Abc123xyz",
        client_id="client",
        endpoint_url=standin.url,
    )


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(pool_source, "LONGEST_WAIT", 0.0)
    return waited


def run(pool: Connection, now: datetime = NOW, **chosen: Any) -> ImportRun:
    chosen = {"rate": 1e6, "pages": 2, **chosen}
    stop = chosen.pop("stop", None) or threading.Event()
    done = importing.import_directory(pool, stop=stop, clock=lambda: now, **chosen)
    assert done.seen == done.created + done.updated + done.unchanged + done.skipped
    assert done.problems == done.problem_rows.count()
    assert {name: getattr(done, name) for name in COUNTS} == ImportRun.objects.values(*COUNTS).get(pk=done.pk)
    return done


def counts(done: ImportRun) -> dict[str, int]:
    return {name: getattr(done, name) for name in COUNTS if getattr(done, name)}


def problems(done: ImportRun) -> list[tuple[int, str, str]]:
    return list(done.problem_rows.values_list("position", "reason", "detail"))


def person(number: int) -> MigratedUser:
    return MigratedUser.objects.get(sub=sub_of(number))


def test_a_directory_becomes_pending_people(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(150)])
    done = run(pool)
    assert counts(done) == {"seen": 150, "created": 150}
    assert (done.state, done.finished_at, done.expected, done.position) == ("done", NOW, 150, 150)
    first = person(0)
    assert (first.connection, first.pool, first.username) == ("main", pool.pool, sub_of(0))
    assert (first.email, first.attributes) == ("person0@example.com", {"email_verified": "true"})
    assert (first.status, first.method, first.user, first.last_error) == ("pending", "", None, "")
    assert (first.pool_status, first.pool_enabled) == ("CONFIRMED", True)
    assert first.pool_created_at == datetime.fromtimestamp(1_700_000_000.5, UTC)
    assert (first.imported_at, first.import_run) == (NOW, done)
    assert not User.objects.exists()


def test_a_second_run_over_unchanged_people_writes_none(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(150)])
    first = run(pool)
    second = run(pool, now=NOW + timedelta(days=1))
    assert counts(second) == {"seen": 150, "unchanged": 150}
    assert set(MigratedUser.objects.values_list("import_run", "imported_at")) == {(first.pk, NOW)}


def test_what_has_changed_in_the_pool_is_updated_and_nothing_else(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(1), listed(2)])
    run(pool)
    Directory(
        standin, [listed(1), listed(2, email="new@example.com", Enabled=False, UserStatus="ARCHIVED"), listed(3)]
    )
    later = run(pool, now=NOW + timedelta(days=1))
    assert counts(later) == {"seen": 3, "created": 1, "updated": 1, "unchanged": 1}
    changed = person(2)
    assert (changed.email, changed.pool_enabled, changed.pool_status) == ("new@example.com", False, "ARCHIVED")
    assert (changed.import_run, person(1).import_run_id == later.pk) == (later, False)


@pytest.mark.parametrize("status", ["migrated", "excluded", "failed", "conflict"])
def test_how_far_somebody_has_come_is_not_the_directorys_business(
    standin: StandIn, pool: Connection, status: str
) -> None:
    user = User.objects.create_user("ann")
    MigratedUser.objects.create(
        connection="old-name",
        pool=pool.pool,
        sub=sub_of(1),
        status=status,
        user=user,
        method="cognito_otp",
        migrated_at=NOW,
        last_error="said-before",
    )
    Directory(standin, [listed(1)])
    assert counts(run(pool)) == {"seen": 1, "updated": 1}
    known = person(1)
    assert (known.status, known.user, known.method, known.migrated_at) == (status, user, "cognito_otp", NOW)
    assert (known.last_error, known.email, known.connection) == ("said-before", "person1@example.com", "main")


def test_only_named_attributes_are_kept(standin: StandIn, pool: Connection, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": {"given_name": "first_name"}}
    row = listed(1, given_name="Ann", family_name="Beispiel", birthdate="1970-01-01", identities="[]")
    Directory(standin, [row | {"MFAOptions": [{"DeliveryMedium": "SMS"}]}])
    run(pool)
    assert person(1).attributes == {
        "given_name": "Ann",
        "email_verified": "true",
        "identities": "[]",
        "cognito:mfa_enabled": "true",
    }


def test_another_allow_list_is_a_change_of_every_row_that_it_concerns(
    standin: StandIn, pool: Connection, settings: Any
) -> None:
    Directory(standin, [listed(1, given_name="Ann"), listed(2)])
    run(pool)
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": {"given_name": "first_name"}}
    assert counts(run(pool)) == {"seen": 2, "updated": 1, "unchanged": 1}


def test_a_callable_for_attributes_gets_all_that_a_profile_carries(
    standin: StandIn, pool: Connection, settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": "some.callable"}
    Directory(standin, [listed(1, given_name="Ann", **{"custom:tier": "gold"})])
    run(pool)
    assert {"given_name", "custom:tier"} < person(1).attributes.keys()


def test_broken_rows_are_problems_and_never_an_end(standin: StandIn, pool: Connection) -> None:
    Directory(
        standin,
        [
            listed(1),
            listed(2, sub=None),
            listed(3, Username=None),
            listed(4, email=f"{'a' * 250}@example.com"),
            listed(5, family_name="\x00"),
            listed(6, email="half\ud800@example.com"),
            listed(7, email=7),
            "no row at all",
            listed(8, Attributes=[{"Value": "nameless"}]),
            listed(9, sub="s" * 192),
            listed(10, phone_number="+" + "4" * 40),
            listed(11, Attributes=None),
            listed(12),
        ],
        size=5,
    )
    done = run(pool)
    assert done.state == "done"
    assert counts(done) == {"seen": 13, "created": 3, "skipped": 10, "problems": 10}
    assert problems(done) == [
        (2, "no_sub", ""),
        (3, "no_username", ""),
        (4, "too_long", "email"),
        (6, "not_text", "email"),
        (7, "not_text", "email"),
        (8, "malformed", ""),
        (9, "malformed", ""),
        (10, "too_long", "sub"),
        (11, "too_long", "phone_number"),
        (12, "no_sub", ""),
    ]
    assert {person(1).status, person(5).status, person(12).status} == {"pending"}  # 5: a name that is not kept


def test_a_nul_in_what_is_kept_is_a_problem(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(1, email="a\x00b@example.com"), listed(2)])
    assert problems(run(pool)) == [(1, "not_text", "email")]


@pytest.mark.parametrize("pages", [1, 3], ids=["on two pages", "on one page"])
def test_of_the_same_sub_again_the_later_row_counts(standin: StandIn, pool: Connection, pages: int) -> None:
    again = listed(1, email="later@example.com")
    Directory(standin, [listed(1), listed(2), again, listed(2), listed(3), listed(4)], size=2)
    done = run(pool, pages=pages)
    assert counts(done) == {"seen": 6, "created": 4, "skipped": 2, "problems": 2}
    assert problems(done) == [(3, "duplicate", ""), (4, "duplicate", "")]
    assert person(1).email == "later@example.com"


def test_a_spelling_is_kept_and_its_key_goes_with_it(standin: StandIn, pool: Connection) -> None:
    odd = listed(3, email="mıke@a.example")
    rows = [listed(1, email="Ann@Example.com"), listed(2, phone_number="+5215512345678"), odd]
    Directory(standin, rows)
    assert counts(run(pool)) == {"seen": 3, "created": 3}
    assert [(person(n).status, person(n).email, person(n).email_key, person(n).phone_key) for n in (1, 2, 3)] == [
        ("pending", "Ann@Example.com", "ann@example.com", ""),
        ("pending", "person2@example.com", "person2@example.com", "+525512345678"),
        ("pending", "mıke@a.example", "", ""),
    ]
    Directory(standin, [listed(1, email="Ben@Example.com"), *rows[1:]])
    assert counts(run(pool)) == {"seen": 3, "updated": 1, "unchanged": 2}
    assert person(1).email_key == "ben@example.com"


def test_somebody_who_signed_in_before_the_import_is_not_imported_twice(standin: StandIn, pool: Connection) -> None:
    MigratedUser.objects.create(connection="main", pool="another", sub=sub_of(1), status="migrated")
    Directory(standin, [listed(1)])
    assert counts(run(pool)) == {"seen": 1, "created": 1}
    assert MigratedUser.objects.filter(sub=sub_of(1)).count() == 2


def test_somebody_who_signs_in_while_their_page_is_written_is_met_there(
    standin: StandIn, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row appears between the look and the write, as another process's does."""
    from cognito_passwordless.flows.importing import writer

    def diff_page(*arguments: Any) -> Any:
        found = real(*arguments)
        MigratedUser.objects.get_or_create(
            pool=pool.pool, sub=sub_of(1), defaults={"connection": "main", "status": "migrated"}
        )
        return found

    real = writer.diff_page
    monkeypatch.setattr(writer, "diff_page", diff_page)
    Directory(standin, [listed(1), listed(2)])
    assert run(pool).state == "done"
    assert (person(1).status, person(1).email) == ("migrated", "person1@example.com")
    assert person(2).status == "pending"


def test_a_row_that_the_database_refuses_is_a_problem_of_its_own(
    standin: StandIn, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cognito_passwordless.flows.importing import writer

    class Writer(writer._Writer):
        def _values(self, row: Any) -> Any:
            values = list(super()._values(row))
            if row.sub == sub_of(2):
                values[writer.FILLED.index("digest")] = None  # NOT NULL
            return tuple(values)

    monkeypatch.setattr(writer, "_Writer", Writer)
    Directory(standin, [listed(1), listed(2), listed(3)])
    done = run(pool)
    assert counts(done) == {"seen": 3, "created": 2, "skipped": 1, "problems": 1}
    assert problems(done) == [(2, "refused", "")]


def test_people_who_share_an_address_are_marked_for_one_decision(standin: StandIn, pool: Connection) -> None:
    federated = listed(2, email="person1@example.com", UserStatus="EXTERNAL_PROVIDER", Username="Google_1")
    Directory(standin, [listed(1), federated, listed(3), listed(4, email=None, phone_number="+4915123456789")])
    run(pool)
    assert [person(n).shares_address for n in (1, 2, 3, 4)] == [True, True, False, False]
    assert [twin.sub for twin in same_address_records(person(1))] == [sub_of(2)]
    assert {person(n).user for n in (1, 2)} == {None}
    Directory(standin, [listed(1), listed(2), listed(3)])
    run(pool)
    assert not MigratedUser.objects.filter(shares_address=True).exists()


def test_whoever_was_erased_is_not_brought_back(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(1), listed(2)])
    run(pool)
    tombstone = erase.erase(person(1).pk, now=NOW).tombstones[0]
    Directory(standin, [listed(1), listed(2), listed(1), listed(1, email="new@example.com"), listed(1, Username=None)])
    again = run(pool, pages=1)
    assert counts(again) == {"seen": 5, "unchanged": 1, "skipped": 4}
    assert not MigratedUser.objects.filter(sub=sub_of(1)).exists()
    assert not ImportProblem.objects.exists()  # it would name them
    tombstones.remove(tombstone, now=NOW, by="")
    assert counts(run(pool, pages=1))["created"] == 1


def test_whoever_is_erased_between_the_look_and_the_write_does_not_come_back(
    standin: StandIn, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cognito_passwordless.flows.importing import writer

    Directory(standin, [listed(1), listed(2)])
    run(pool)

    def diff_page(*arguments: Any) -> Any:
        found = real(*arguments)
        erase.erase(person(1).pk, now=NOW)
        return found

    real = writer.diff_page
    monkeypatch.setattr(writer, "diff_page", diff_page)
    Directory(standin, [listed(1, email="new@example.com"), listed(2, email="newer@example.com")])
    assert counts(run(pool)) == {"seen": 2, "updated": 1, "skipped": 1}
    assert list(MigratedUser.objects.values_list("sub", flat=True)) == [sub_of(2)]


def test_a_page_that_is_written_twice_is_as_if_it_were_written_once(standin: StandIn, pool: Connection) -> None:
    rows = pool_source.Reader(pool)
    page = importing.Page([rows.listed(listed(1)), rows.listed(listed(2, sub=None))], "next")
    first = run_lease.claim("main", ImportRun.Source.POOL, now=NOW)
    as_it_was = dataclasses.replace(page)
    importing.import_page(first, page, pool=pool.pool, now=NOW)
    stale = ImportRun.objects.get(pk=first.pk)
    stale.position = 0  # a process that believes to be where the page begins
    with pytest.raises(importing.Lost):
        importing.import_page(stale, as_it_was, pool=pool.pool, now=NOW)
    assert counts(ImportRun.objects.get()) == {"seen": 2, "created": 1, "skipped": 1, "problems": 1}
    assert (MigratedUser.objects.count(), ImportProblem.objects.count()) == (1, 1)


# ---- going on


def test_stopped_and_continued_it_ends_as_if_undisturbed(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(10)], size=2)
    stop = threading.Event()
    half = run(pool, pages=1, stop=stop, tell=lambda run: stop.set() if run.position >= 4 else None)
    assert (half.state, half.position, half.page_token, half.holder) == ("interrupted", 4, "4", "")
    rest = run(pool, pages=1, fresh=False)
    assert (rest.pk, rest.state, counts(rest)) == (half.pk, "done", {"seen": 10, "created": 10})
    assert MigratedUser.objects.count() == 10


def test_there_is_nothing_to_continue_after_the_end(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(1)])
    run(pool)
    with pytest.raises(importing.NothingToContinue):
        run(pool, fresh=False)


def test_begun_again_on_purpose_it_is_another_run(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(4)], size=1)
    stop = threading.Event()
    half = run(pool, pages=1, stop=stop, tell=lambda run: stop.set())
    again = run(pool, fresh=True)
    assert again.pk != half.pk
    assert counts(again) == {"seen": 4, "created": 4 - half.seen, "unchanged": half.seen} or half.seen == 0


def test_a_page_token_that_is_too_old_begins_a_run_of_its_own(standin: StandIn, pool: Connection) -> None:
    directory = Directory(standin, [listed(number) for number in range(6)], size=2)
    stop = threading.Event()
    half = run(pool, pages=1, stop=stop, tell=lambda run: stop.set() if run.position else None)
    directory.refused = {"2"}
    directory.before = lambda token: directory.refused.clear()  # type: ignore[func-returns-value]
    rest = run(pool)
    half.refresh_from_db()
    assert (half.state, "InvalidParameterException" in half.last_error) == ("failed", True)
    assert (rest.pk != half.pk, rest.state) == (True, "done")
    assert counts(rest) == {"seen": 6, "created": 4, "unchanged": 2}


@pytest.mark.parametrize(
    "said", [error("TooManyRequestsException"), error("InternalErrorException", status=500), Reply(b"<html>", 503)]
)
def test_a_pool_that_is_busy_is_waited_for(standin: StandIn, pool: Connection, said: Reply) -> None:
    directory = Directory(standin, [listed(number) for number in range(6)], size=2)
    left = iter([said] * 5)
    directory.before = lambda token: next(left, None) if token == "2" else None
    assert counts(run(pool, pages=1)) == {"seen": 6, "created": 6}


def test_a_pool_that_stays_away_ends_the_run_where_it_can_be_continued(standin: StandIn, pool: Connection) -> None:
    directory = Directory(standin, [listed(number) for number in range(6)], size=2)
    directory.before = lambda token: error("TooManyRequestsException") if token == "4" else None
    failed = run(pool, pages=3)
    assert (failed.state, failed.position, failed.page_token) == ("failed", 4, "4")
    assert "throttled" in failed.last_error
    directory.before = lambda token: None
    assert counts(run(pool)) == {"seen": 6, "created": 6}


def test_a_pool_that_refuses_us_is_not_asked_again(standin: StandIn, pool: Connection) -> None:
    standin.says("ListUsers", error("AccessDeniedException"))
    failed = run(pool)
    assert (failed.state, "misconfigured" in failed.last_error) == ("failed", True)
    assert standin.operations().count("ListUsers") == 1


# ---- one at a time


def test_a_second_process_is_told_who_works(standin: StandIn, pool: Connection) -> None:
    held = run_lease.claim("main", ImportRun.Source.POOL, now=NOW)
    with pytest.raises(importing.Busy) as caught:
        run(pool)
    assert caught.value.run == held
    assert run_lease.claim("other", ImportRun.Source.POOL, now=NOW).pk != held.pk


def test_the_run_of_a_dead_process_is_taken_over_at_once(
    standin: StandIn, pool: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Directory(standin, [listed(1)])
    held = run_lease.claim("main", ImportRun.Source.POOL, now=NOW)
    gone = held.holder.replace(f":{held.holder.split(':')[1]}:", ":4194305:")  # more than Linux ever gives
    ImportRun.objects.update(holder=gone)
    assert run(pool).pk == held.pk


def test_a_process_elsewhere_has_its_lease(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(1)])
    held = run_lease.claim("main", ImportRun.Source.POOL, now=NOW)
    ImportRun.objects.update(holder="another-machine:7:abc")
    with pytest.raises(importing.Busy):
        run(pool, now=NOW + run_lease.LEASE - timedelta(seconds=1))
    late = run(pool, now=NOW + run_lease.LEASE)
    assert (late.pk, late.state) == (held.pk, "done")


def test_whoever_was_taken_over_writes_nothing_more(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(4)], size=1)

    def taken_over(run: ImportRun) -> None:
        ImportRun.objects.update(holder="another-machine:7:abc")

    with pytest.raises(importing.Lost):
        run(pool, pages=1, tell=taken_over)
    assert MigratedUser.objects.count() == 0
    assert ImportRun.objects.get().state == "running"


def test_the_database_itself_holds_one_running_import_per_connection(db: None) -> None:
    from django.db import IntegrityError

    fields = {"connection": "main", "state": "running", "started_at": NOW, "updated_at": NOW}
    ImportRun.objects.create(**fields)
    with pytest.raises(IntegrityError):
        ImportRun.objects.create(**fields)


def test_the_first_statement_of_a_page_is_a_write(standin: StandIn, pool: Connection) -> None:
    """SQLite gives the right to write only to transactions that begin with it."""
    rows = pool_source.Reader(pool)
    held = run_lease.claim("main", ImportRun.Source.POOL, now=NOW)
    page = importing.Page([rows.listed(listed(1))], None)
    seen: list[str] = []
    with database.execute_wrapper(lambda execute, sql, *rest: (seen.append(sql), execute(sql, *rest))[1]):
        importing.import_page(held, page, pool=pool.pool, now=NOW)
    assert next(sql for sql in seen if not sql.startswith(("SAVEPOINT", "RELEASE"))).startswith("UPDATE")


def test_postgresql_is_told_whenever_the_table_has_doubled(db: None) -> None:
    """Until it counts by itself, it would read the whole table for every page."""
    statistics, told = postgres.Statistics(MigratedUser, "default"), []
    for rows in range(0, 100_000, 1_000):
        with CaptureQueriesContext(database) as asked:
            statistics.follow(rows)
        told += [rows] * len(asked)
    doubled = [0, 5_000, 10_000, 20_000, 40_000, 80_000]
    assert told == (doubled if database.vendor == "postgresql" else [])


def test_an_import_tells_it(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(3)])
    with CaptureQueriesContext(database) as asked:
        run(pool)
    assert any("ANALYZE" in query["sql"] for query in asked) == (database.vendor == "postgresql")


# ---- the pace


def test_calls_are_spread_and_a_pause_is_not_made_up_for() -> None:
    now, waited = [100.0], []

    def wait(seconds: float) -> None:
        waited.append(round(seconds, 3))
        now[0] += seconds

    pace = pool_source.Pace(10, wait, clock=lambda: now[0])
    for _ in range(3):
        pace.turn()
    now[0] += 5
    for _ in range(3):
        pace.turn()
    assert waited == [0.1, 0.1, 0.1, 0.1]


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_pace_cannot_be_switched_off(rate: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        pool_source.Pace(rate, lambda seconds: None)


def test_waits_grow_and_are_never_the_same_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_source, "LONGEST_WAIT", 20.0)
    for tries, longest in ((1, 0.5), (2, 1), (5, 8), (9, 20)):
        drawn = {pool_source.back_off(tries, first=0.5) for _ in range(50)}
        assert longest / 2 <= min(drawn) < max(drawn) <= longest

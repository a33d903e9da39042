"""The import as a task: in slices, to the end, once however many messages ask for it, and with no secret in any."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.exceptions import Retry
from kombu import Connection as Broker

from cognito_passwordless import tasks
from cognito_passwordless.flows.importing import Next, import_slice, run_lease, task
from cognito_passwordless.flows.importing import sources as pool_source
from cognito_passwordless.models import ConnectionState, ImportRun, MigratedUser

from .cognito.standin import StandIn, error
from .flows.importing.directory import Directory, listed

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ELSEWHERE = "another-machine:7:abc"
FAST = 1e6  # calls a second


@pytest.fixture(scope="module")
def _standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def standin(
    _standin: StandIn, aws_identity: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """A pool with the connection ``main`` to it, which is not waited for."""
    app = {
        "provider_id": "main",
        "client_id": "client",
        "secret": "the-clients-secret",
        "settings": {"region": "eu-west-1", "user_pool_id": "eu-west-1_Abc123xyz", "endpoint_url": _standin.url},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app]}}
    monkeypatch.setattr(pool_source, "LONGEST_WAIT", 0.0)
    yield _standin
    _standin.reset()


def people(count: int) -> list[dict[str, Any]]:
    return [listed(number) for number in range(count)]


def a_slice(now: datetime = NOW, **chosen: Any) -> Next | None:
    return import_slice("main", clock=lambda: now, **{"rate": FAST, "seconds": None, **chosen})


def by_somebody_else() -> ImportRun:
    held = run_lease.claim("main", ImportRun.Source.POOL, now=NOW)
    ImportRun.objects.update(holder=ELSEWHERE)
    return held


def only_run() -> tuple[str, int, int]:
    return ImportRun.objects.values_list("state", "seen", "created").get()


def test_it_imports_a_pool_to_its_end(standin: StandIn) -> None:
    Directory(standin, people(150))
    tasks.import_directory.apply(("main",), throw=True)
    assert only_run() == ("done", 150, 150)
    assert MigratedUser.objects.filter(status="pending").count() == 150


def test_a_second_time_nobody_is_written_again(standin: StandIn) -> None:
    Directory(standin, people(5))
    for _ in range(2):
        tasks.import_directory.apply(("main",), throw=True)
    first, second = ImportRun.objects.order_by("pk").values_list("created", "unchanged")
    assert (first, second) == ((5, 0), (0, 5))


def test_a_long_one_is_many_slices_of_one_run(standin: StandIn) -> None:
    Directory(standin, people(120), size=10)
    left, count = a_slice(rate=20, seconds=0.2), 1
    while left is not None:
        left, count = a_slice(rate=20, seconds=0.2, goes_on=True), count + 1
        assert count < 100
    assert count > 1
    assert only_run() == ("done", 120, 120)


class TestTwoAtOnce:
    def test_the_second_one_follows_the_run_of_the_first_and_begins_none(self, standin: StandIn) -> None:
        Directory(standin, people(5))
        by_somebody_else()
        assert a_slice() == Next(task.PAUSE)
        assert a_slice(goes_on=True) == Next(task.PAUSE)
        ImportRun.objects.update(state="done", holder="")
        assert a_slice(goes_on=True) is None
        assert ImportRun.objects.count() == 1
        assert standin.requests == []

    def test_what_the_first_one_left_behind_is_gone_on_with(self, standin: StandIn) -> None:
        Directory(standin, people(5))
        by_somebody_else()
        run_lease.close(ImportRun.objects.get(), ImportRun.State.INTERRUPTED, now=NOW)
        assert a_slice(goes_on=True) is None
        assert only_run() == ("done", 5, 5)

    def test_whoever_is_taken_over_follows_and_writes_nothing_more(self, standin: StandIn) -> None:
        Directory(standin, people(2))

        def taken_over() -> datetime:
            """Asked for when there is no run yet, and before a page is written."""
            ImportRun.objects.update(holder=ELSEWHERE)
            return NOW

        assert import_slice("main", clock=taken_over, rate=FAST, seconds=None) == Next(task.PAUSE)
        assert MigratedUser.objects.count() == 0

    def test_eager_it_does_not_wait_for_the_other_one(self, standin: StandIn) -> None:
        """There is no later: it would call itself for ever."""
        ImportRun.objects.filter(pk=by_somebody_else().pk).update(updated_at=datetime.now(UTC))
        tasks.import_directory.apply(("main",), throw=True)
        assert only_run() == ("running", 0, 0)


def test_the_run_of_a_lost_worker_is_taken_over_when_its_lease_is_over(standin: StandIn) -> None:
    Directory(standin, people(5))
    by_somebody_else()
    assert a_slice(NOW + run_lease.LEASE - timedelta(seconds=1)) == Next(task.PAUSE)
    assert a_slice(NOW + run_lease.LEASE, goes_on=True) is None
    assert only_run() == ("done", 5, 5)


class TestFailures:
    def test_a_pool_that_stays_away_is_asked_again_so_often_and_then_given_up(
        self, standin: StandIn, caplog: pytest.LogCaptureFixture
    ) -> None:
        Directory(standin, people(5)).before = lambda token: error("TooManyRequestsException")
        left = a_slice()
        asked = [left]
        while left is not None:
            left = a_slice(goes_on=True, failures=left.failures)
            asked.append(left)
        assert asked == [*(Next(task.PAUSE, number) for number in range(1, task.FAILURES)), None]
        assert "given up after 5 failures" in caplog.text
        assert only_run() == ("failed", 0, 0)
        # Asked for again another day, it goes on.
        Directory(standin, people(5))
        assert a_slice() is None
        assert only_run() == ("done", 5, 5)

    def test_whoever_comes_further_has_all_tries_again(self, standin: StandIn) -> None:
        directory = Directory(standin, people(6), size=2)
        directory.before = lambda token: error("TooManyRequestsException") if token == "4" else None
        left = a_slice(failures=task.FAILURES - 1)
        assert left == Next(task.PAUSE, 1)
        directory.before = lambda token: None
        assert a_slice(goes_on=True, failures=left.failures) is None
        assert only_run() == ("done", 6, 6)

    def test_a_slice_that_only_waited_for_the_pool_is_one_too(
        self, standin: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool_source, "LONGEST_WAIT", 20.0)
        Directory(standin, people(5)).before = lambda token: error("TooManyRequestsException")
        assert a_slice(seconds=0.1, failures=2) == Next(task.PAUSE, 3)
        assert only_run() == ("interrupted", 0, 0)

    def test_a_page_token_that_is_refused_even_in_a_run_of_its_own_is_a_failure(self, standin: StandIn) -> None:
        directory = Directory(standin, people(6), size=2)
        directory.refused = {"2"}
        left = a_slice()
        assert left
        assert (left.seconds, left.failures) == (task.PAUSE, 1)
        directory.refused = set()
        assert a_slice(goes_on=True, failures=left.failures) is None
        assert ImportRun.objects.filter(state="done", seen=6).count() == 1


@pytest.mark.parametrize("alias", ["main", "nobody"])
def test_a_pool_that_is_not_in_use_is_not_called(
    standin: StandIn, alias: str, caplog: pytest.LogCaptureFixture
) -> None:
    Directory(standin, people(5))
    ConnectionState.objects.create(alias="main", retired_at=NOW)
    assert import_slice(alias, clock=lambda: NOW) is None
    assert not ImportRun.objects.exists()
    assert standin.requests == []
    assert f"Nothing is imported from {alias}" in caplog.text


def test_a_run_that_has_gone_is_no_reason_for_another_one(standin: StandIn) -> None:
    Directory(standin, people(5))
    assert a_slice(goes_on=True) is None
    assert not ImportRun.objects.exists()


def test_its_messages_hold_a_name_and_numbers(standin: StandIn, monkeypatch: Any) -> None:
    """The first one and the next, as the broker gets them, body and headers."""
    Directory(standin, people(3), size=1)
    app = tasks.import_directory.app
    shown = []
    with Broker("memory://") as broker:
        monkeypatch.setattr(app, "connection_for_write", lambda *a, **k: broker)
        monkeypatch.setattr(app.conf, "broker_url", "memory://")
        queue = broker.SimpleQueue("celery")
        by_somebody_else()
        ImportRun.objects.update(updated_at=datetime.now(UTC))
        tasks.import_directory.delay("main", rate=FAST)
        message = queue.get(timeout=1)
        shown.append((message.payload, message.headers, message.properties))
        asked = message.headers | {"called_directly": False, "delivery_info": message.delivery_info}
        tasks.import_directory.push_request(args=["main"], kwargs={"rate": FAST}, **asked)
        with pytest.raises(Retry):
            tasks.import_directory.run("main", rate=FAST)
        message = queue.get(timeout=1)
        shown.append((message.payload, message.headers, message.properties))
        queue.close()
    first, following = shown
    assert first[0][:2] == [["main"], {"rate": FAST}]
    assert following[0][:2] == [["main"], {"rate": FAST, "goes_on": True, "failures": 0}]
    for secret in ("the-clients-secret", "testing", "eu-west-1_Abc123xyz", "PaginationToken", "example.com"):
        assert secret not in repr(shown)

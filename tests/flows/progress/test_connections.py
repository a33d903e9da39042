"""The figures of each connection: what is counted, out of how many statements."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from cognito_passwordless.flows.progress.connections import Calls, ConnectionFigures, read_connections
from cognito_passwordless.flows.progress.rollup import roll_up
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent

from ..started import held

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def happened(step: str, outcome: str = "ok", ms: int | None = 100, at: datetime = NOON, **fields: Any) -> None:
    JourneyEvent.objects.create(
        **({"attempt": uuid4(), "connection": "main"} | fields), step=step, outcome=outcome, duration_ms=ms, at=at
    )


def figures(name: str = "main") -> ConnectionFigures:
    (found,) = [each for each in read_connections(NOON).connections if each.name == name]
    return found


def step(name: str) -> Calls:
    (found,) = [calls for calls in figures().steps if calls.step == name]
    return found


def test_invocations_mean_duration_and_rates_are_of_the_connection(db: None) -> None:
    happened("sent", ms=300)
    happened("answered", ms=100)
    happened("answered", "refused", ms=200, cause="wrong_code")
    happened("answered", "failed", ms=5000, cause="timeout", category="system")
    happened("signed_in", ms=40)
    happened("answered", ms=9999, connection="other")
    happened("answered", ms=9999, connection="")
    roll_up(NOON)
    whole = figures().invocations
    assert (whole.calls.value, whole.mean_ms) == (4, 1400)
    assert (whole.refused.value, whole.failed.value) == (1, 1)
    assert (whole.refused_percent, whole.failed_percent) == (25.0, 25.0)
    assert (step("answered").calls.value, step("answered").mean_ms) == (3, 1767)
    assert [calls.step for calls in figures().steps] == ["answered", "sent", "signed_in"]


def test_what_was_not_timed_is_no_part_of_the_mean(db: None) -> None:
    happened("sent", ms=None)
    happened("sent", ms=0)
    happened("sent", ms=100)
    happened("left", ms=None)
    roll_up(NOON)
    assert (step("sent").calls.value, step("sent").mean_ms) == (3, 50)
    assert step("left").mean_ms is None


def test_completion_is_of_the_sign_ins_that_were_begun(db: None) -> None:
    for proven in (True, False, False, False):
        _, challenge = held(f"{uuid4()}@example.com", connection="main", route="cognito_otp")
        happened("sent", attempt=challenge.pk)
        happened("answered", "ok" if proven else "refused", attempt=challenge.pk)
    held("elsewhere@example.com")
    roll_up(NOON)
    found = figures()
    assert (found.begun.value, found.proved.value, found.completed_percent) == (4, 1, 25.0)


def test_days_long_past_are_left_out(db: None) -> None:
    happened("sent", at=NOON - timedelta(days=29))
    happened("sent", at=NOON - timedelta(days=30))
    roll_up(NOON)
    assert step("sent").calls.value == 1


def test_a_connection_that_nobody_used_is_there(pool: LocalPool) -> None:
    found = figures()
    assert (found.label, found.invocations.calls.value, found.invocations.mean_ms) == ("Cognito", 0, None)
    assert found.completed_percent == 0.0


@pytest.mark.parametrize("events", [1, 60])
def test_three_statements_however_many_events(
    events: int, pool: LocalPool, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for number in range(events):
        happened("sent", ms=number * 100, connection=f"pool-{number % 7}")
    roll_up(NOON)
    with django_assert_num_queries(3):
        read_connections(NOON)


def test_sign_ins_are_counted_as_they_happen(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user("ann@example.com")
    client.post("/login/", {"identifier": "ann@example.com"})
    client.post("/login/code/", {"code": "00000000"})
    client.post("/login/code/", {"code": cognito.last_code("ann@example.com")})
    now = JourneyEvent.objects.latest("pk").at + timedelta(seconds=1)
    roll_up(now)
    (found,) = read_connections(now).connections
    assert (found.begun.value, found.proved.value) == (1, 1)
    assert (found.invocations.calls.value, found.invocations.refused.value) == (3, 1)
    assert found.invocations.mean_ms is not None
    told = read_connections(now).as_json()["connections"][0]
    assert (told["completed_percent"], told["invocations"]["refused_percent"]) == (100.0, 33.3)

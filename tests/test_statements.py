"""What a sign-in costs the database, marks of transactions not counted; the worker's part is its own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cognito_passwordless import steps
from cognito_passwordless.flows.sending.send_code import send
from cognito_passwordless.flows.sign_in import verification
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, MigratedUser, SendCount
from cognito_passwordless.otp import Code

pytestmark = pytest.mark.django_db(transaction=True)

MARKS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def to_nobody(challenge_id: str, generation: int, channel: str) -> None:
    """A broker that nobody reads from; the tests work themselves."""


@pytest.fixture(autouse=True)
def _worker_apart(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": f"{__name__}.to_nobody"}


def cost(of: Callable[[], HttpResponse], status: int) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = of()
    assert response.status_code == status
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(MARKS)]


def start(client: Client, identifier: str = "ann@example.com") -> list[str]:
    return cost(lambda: client.post("/login/", {"identifier": identifier}), 302)


def answer(client: Client, code: str, status: int) -> list[str]:
    return cost(lambda: client.post("/login/code/", {"code": code}), status)


def work() -> None:
    challenge = ChallengeSession.objects.latest("created_at")
    send(challenge.pk, challenge.generation, now=timezone.now(), final=True)


def test_a_start_takes_at_most_four(client: Client) -> None:
    assert len(start(client)) <= 4
    assert len(start(client)) <= 4  # which ends the challenge before


def test_a_start_in_a_new_network_takes_at_most_four_too(client: Client) -> None:
    start(client)
    SendCount.objects.all().delete()
    assert len(start(client)) <= 4


@pytest.mark.parametrize("known", [True, False])
def test_a_start_asks_the_same_of_the_database_whoever_it_is_for(
    client: Client, make_user: Callable[..., User], known: bool
) -> None:
    if known:
        make_user("ann@example.com")
    tables = [sql.split()[:3] for sql in start(client)]
    assert tables == [sql.split()[:3] for sql in start(Client(), "zoe@example.com")]
    assert not any("auth_user" in sql or "emailaddress" in sql for sql in start(Client()))


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_code_takes_three_whoever_it_is_for(
    client: Client, make_user: Callable[..., User], known: bool
) -> None:
    if known:
        make_user("ann@example.com")
    start(client)
    work()
    assert [len(answer(client, "000000", 200)) for _ in range(3)] == [3, 3, 3]


def test_a_wrong_code_of_a_pool_user_takes_three_too(client: Client, pool: LocalPool) -> None:
    pool.add_user("ann@example.com")
    start(client)
    work()
    assert len(answer(client, "00000000", 200)) == 3


def test_a_wrong_code_of_a_step_takes_three_too(pool: LocalPool) -> None:
    pool.add_user("ann@example.com")
    output = steps.generate("main", "ann@example.com")
    assert isinstance(output, steps.Generated)
    with CaptureQueriesContext(connection) as captured:
        steps.validate(output.handle, "00000000")
    assert len([query for query in captured.captured_queries if not query["sql"].startswith(MARKS)]) == 3


def test_the_right_code_of_a_returning_user_takes_at_most_fourteen(
    client: Client, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    make_user("ann@example.com")
    for _ in range(2):  # the second time in a known browser
        start(client)
        work()
        assert len(answer(client, sent_code(), 302)) <= 14
        client.cookies.pop("sessionid")


def test_the_first_migration_takes_at_most_thirty(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user("ann@example.com")
    start(client)
    work()
    assert len(answer(client, cognito.last_code("ann@example.com") or "", 302)) <= 30
    assert MigratedUser.objects.get().status == "migrated"


def test_a_wrong_code_derives_and_compares_where_none_was_sent(
    client: Client, make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statements are the same, and so is the work between them."""
    make_user("ann@example.com")
    derived: list[str] = []
    monkeypatch.setattr(verification.keys, "our_code", lambda row: derived.append(row.identifier) or Code("1234567"))
    for identifier in ("ann@example.com", "zoe@example.com"):
        start(client, identifier)
        ChallengeSession.objects.filter(identifier="ann@example.com").update(route="local", recipient=identifier)
        answer(client, "00000000", 200)
    assert derived == ["ann@example.com", "zoe@example.com"]

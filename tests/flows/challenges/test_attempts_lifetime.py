"""How long a code can be used: never longer than a pool waits for it, and the same for everybody."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from cognito_passwordless import connections, steps
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.flows.challenges.attempts import lifetime
from cognito_passwordless.local import LocalCognito
from cognito_passwordless.models import ChallengeSession, ConnectionState, MigratedUser
from cognito_passwordless.steps import Generated

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
Connect = Callable[..., Any]


def seconds() -> float:
    return lifetime(connections.active()).total_seconds()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([], 600),
        ([{}], 180),  # what Cognito does unless told
        ([{"session_minutes": 5}], 300),
        ([{"session_minutes": 15}], 600),
        ([{"session_minutes": 9}, {"session_minutes": 4}, {"session_minutes": 12}], 240),
        ([{"session_minutes": 9}, {"session_minutes": 4, "enabled": False}], 540),
        ([{"session_minutes": 9}, {"session_minutes": 4, "retired": True}], 540),
        ([{"routes": ["oidc", "local"], "domain": "https://login.example.com"}], 600),
        ([{"routes": ["oidc", "otp"], "domain": "https://login.example.com"}], 180),
    ],
)
def test_the_pool_that_waits_least_bounds_it(
    cognito: LocalCognito, connect: Connect, chosen: list[dict[str, Any]], expected: float
) -> None:
    for number, settings in enumerate(chosen):
        connect(cognito.create_pool(f"pool{number}"), alias=f"pool{number}", **settings)
    assert seconds() == expected


def test_a_shorter_ttl_of_the_site_stays(cognito: LocalCognito, connect: Connect, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = settings.COGNITO_PASSWORDLESS | {"OTP": {"TTL": 60}}
    connect(cognito.create_pool("demo"))
    assert seconds() == 60


def test_after_a_cut_over_everybody_has_the_whole_time(cognito: LocalCognito, connect: Connect) -> None:
    connect(cognito.create_pool("demo"))
    ConnectionState.objects.create(alias="main", retired_at="2026-11-20T12:00:00Z")
    assert seconds() == 600


def promised(client: Client, identifier: str) -> tuple[float, str, int]:
    """What the row, the page and the status say."""
    client.post("/login/", {"identifier": identifier, "by": "code"})
    challenge = ChallengeSession.objects.latest("created_at")
    page = client.get("/login/code/").content.decode()
    said = re.search(r"Enter it within \d[^.<]*", page)
    left = client.get("/login/code/status/").json()["seconds_left"]
    return (challenge.expires_at - challenge.created_at).total_seconds(), said[0] if said else "", round(left, -1)


def test_the_promise_does_not_tell_who_lives_in_a_pool(
    cognito: LocalCognito, connect: Connect, make_user: Callable[..., Any], settings: Any
) -> None:
    """An imported person is asked for at the connection of their record, whatever the domain rules say."""
    quick, slow = cognito.create_pool("quick"), cognito.create_pool("slow", auth_session_validity=15)
    connect(quick, alias="quick", session_minutes=4, domains=["quick.example"], lookup="imported")
    connect(slow, alias="slow", session_minutes=9)
    make_user("local@example.com")
    slow.add_user("in-the-pool@example.com")
    quick.add_user("imported@example.com")
    imported = "imported@example.com"
    MigratedUser.objects.create(
        connection="quick", pool=quick.id, sub="s", email=imported, username=imported,
        attributes={"email_verified": "true"},
    )  # fmt: skip
    who = ["local@example.com", "in-the-pool@example.com", "imported@example.com", "unknown@example.com"]
    who += ["x@quick.example", "+4915123456789"]
    assert {promised(Client(), identifier) for identifier in who} == {(240, "Enter it within 4 minutes", 240)}


@pytest.mark.parametrize(("minutes", "comes_in"), [(3, False), (5, True)])
def test_a_right_code_is_taken_for_as_long_as_the_page_says(
    client: Client, cognito: LocalCognito, connect: Connect, minutes: int, comes_in: bool
) -> None:
    pool = cognito.create_pool("demo", auth_session_validity=minutes)
    connect(pool, session_minutes=minutes)
    pool.add_user(ANN)
    assert promised(client, ANN)[1] == f"Enter it within {minutes} minutes"
    cognito.advance(200)
    for name in ("expires_at", "last_sent_at", "created_at"):
        value = getattr(ChallengeSession.objects.get(), name)
        ChallengeSession.objects.update(**{name: value - timedelta(seconds=200)})
    assert bool(re.search(r"Enter it within \d", client.get("/login/code/").content.decode())) is comes_in
    client.post("/login/code/", {"code": cognito.last_code(ANN)})
    assert ("_auth_user_id" in client.session) is comes_in


def test_our_own_message_says_the_time_that_is_left(
    client: Client, cognito: LocalCognito, connect: Connect, make_user: Callable[..., Any]
) -> None:
    connect(cognito.create_pool("demo"), session_minutes=4)
    make_user(ANN)
    promised(client, ANN)
    assert "It can be used for 4 minutes." in MemorySender.outbox[-1].text


def test_a_step_asks_one_pool_and_promises_what_that_one_keeps(cognito: LocalCognito, connect: Connect) -> None:
    connect(cognito.create_pool("other"), alias="other", session_minutes=3)
    pool = cognito.create_pool("demo", auth_session_validity=8)
    connect(pool, session_minutes=8)
    pool.add_user(ANN)
    output = steps.generate("main", ANN)
    assert isinstance(output, Generated)
    challenge = ChallengeSession.objects.get()
    assert output.expires_at == challenge.expires_at == challenge.created_at + timedelta(minutes=8)

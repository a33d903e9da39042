"""CUSTOM_AUTH where a pool's own trigger raises or answers nonsense: nobody comes in and no other route opens.

Once it is mended, a new code works.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ann@example.com"
TRIGGERS = {"OTP_SECRET": "a secret of the triggers that is long enough", "OTP_CHANNEL": "email"}


def raising(event: Any, context: Any) -> Any:
    raise ValueError("a detail that is nobody's business")


def nonsense(event: Any, context: Any) -> Any:
    return "nonsense"


def half_an_answer(event: Any, context: Any) -> Any:
    return {**event, "response": {"issueTokens": "true", "answerCorrect": "true", "challengeName": "OTHER"}}


BREAKAGES = [(raising, "lambda_refused"), (nonsense, "lambda_failed"), (half_an_answer, "lambda_failed")]


@pytest.fixture(params=["abort", "branch"])
def pool(
    request: pytest.FixtureRequest, cognito: LocalCognito, connect: Callable[..., Any], aws_identity: None
) -> LocalPool:
    """Ann is known, and our own code is the next route."""
    made = cognito.create_pool("broken")
    attach(cognito, made, TRIGGERS)
    connect(made, routes=["otp", "local"], otp_flow="CUSTOM_AUTH", own_triggers=True, on_failure=request.param)
    sub = made.add_user(EMAIL)
    MigratedUser.objects.create(
        connection="main",
        pool=made.id,
        sub=sub,
        username=sub,
        email=EMAIL,
        attributes={"email_verified": "true"},
    )
    return made


def begin() -> Client:
    client = Client()
    assert client.post("/login/", {"identifier": EMAIL}).headers["Location"] == "/login/code/"
    return client


def told() -> tuple[str, str]:
    event = JourneyEvent.objects.latest("pk")
    return event.step, event.cause


def nobody_is_in(client: Client, outbox: list[Any]) -> None:
    assert "_auth_user_id" not in client.session
    assert not get_user_model().objects.exists()
    assert outbox == []


@pytest.mark.parametrize("name", ["DefineAuthChallenge", "CreateAuthChallenge"])
@pytest.mark.parametrize(("broken", "cause"), BREAKAGES)
def test_when_the_code_is_asked_for(
    pool: LocalPool, cognito: LocalCognito, outbox: list[Any], name: str, broken: Callable[..., Any], cause: str
) -> None:
    cognito.attach_triggers(pool, {name: broken})
    client = begin()
    assert told() == ("sent", cause)
    assert ChallengeSession.objects.get().route == ""
    page = client.get("/login/code/").content.decode()
    assert "nobody" not in page
    assert cause not in page
    client.post("/login/code/", {"code": "123456"})
    nobody_is_in(client, outbox)


@pytest.mark.parametrize("name", ["VerifyAuthChallengeResponse", "DefineAuthChallenge"])
@pytest.mark.parametrize(("broken", "cause"), BREAKAGES)
def test_when_the_code_is_answered(
    pool: LocalPool, cognito: LocalCognito, outbox: list[Any], name: str, broken: Callable[..., Any], cause: str
) -> None:
    client = begin()
    code = cognito.last_code(EMAIL)
    cognito.attach_triggers(pool, {name: broken})
    page = client.post("/login/code/", {"code": code})
    assert "not right, or no longer valid" in page.content.decode()
    assert "nobody" not in page.content.decode()
    assert told() == ("answered", cause)
    nobody_is_in(client, outbox)
    attach(cognito, pool, TRIGGERS)
    # The answer has burned the session, whatever came of it.
    client.post("/login/code/", {"code": code})
    assert told()[1] in {"session_used", "session_expired"}
    nobody_is_in(client, outbox)
    cognito.advance(31)
    ChallengeSession.objects.update(last_sent_at=F("last_sent_at") - timedelta(seconds=31))
    client.post("/login/code/resend/")
    assert ChallengeSession.objects.get().route == "cognito_otp"
    client.post("/login/code/", {"code": cognito.last_code(EMAIL)})
    assert "_auth_user_id" in client.session

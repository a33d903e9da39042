"""CUSTOM_AUTH from the pages: our own triggers in the local pool, and triggers of somebody else's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.db.models import F
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ann@example.com"
TRIGGERS = {"OTP_SECRET": "a secret of the triggers that is long enough", "OTP_CHANNEL": "email"}


@pytest.fixture
def custom(cognito: LocalCognito, connect: Callable[..., Any]) -> Callable[..., LocalPool]:
    """A pool whose sign-in our own triggers define."""

    def make(triggers: dict[str, str] | None = None, **chosen: Any) -> LocalPool:
        pool = cognito.create_pool("custom")
        attach(cognito, pool, TRIGGERS | (triggers or {}))
        connect(pool, **{"routes": ["otp"], "otp_flow": "CUSTOM_AUTH", "own_triggers": True, **chosen})
        pool.add_user(EMAIL)
        return pool

    return make


def start(client: Client, identifier: str = EMAIL) -> ChallengeSession:
    assert client.post("/login/", {"identifier": identifier}).headers["Location"] == "/login/code/"
    return ChallengeSession.objects.latest("created_at")


def other_than(code: str | None) -> str:
    assert code
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


def causes() -> list[str]:
    return list(JourneyEvent.objects.filter(step="answered").order_by("pk").values_list("cause", flat=True))


def test_a_pool_user_signs_in_by_the_pools_own_challenge(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    custom()
    challenge = start(client)
    assert (challenge.route, challenge.pool_challenge) == ("cognito_otp", "CUSTOM_CHALLENGE/EMAIL")
    client.post("/login/code/", {"code": cognito.last_code(EMAIL)})
    record = MigratedUser.objects.get()
    assert (record.status, record.method) == ("migrated", "cognito_otp")
    assert client.session["_auth_user_id"] == str(record.user_id)
    assert EmailAddress.objects.get().verified


def test_after_a_wrong_code_the_next_round_takes_the_right_one(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    custom()
    before = start(client).pool_session
    code = cognito.last_code(EMAIL)
    client.post("/login/code/", {"code": other_than(code)})
    after = ChallengeSession.objects.get().pool_session
    assert after not in {"", before}
    assert "_auth_user_id" not in client.session
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session
    assert causes() == ["wrong_code", ""]


def test_no_more_answers_than_our_own_limit_reach_the_pool(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    custom({"OTP_MAX_ATTEMPTS": "10"})
    start(client)
    code = cognito.last_code(EMAIL)
    for _ in range(5):
        client.post("/login/code/", {"code": other_than(code)})
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" not in client.session
    assert causes() == ["wrong_code"] * 3


def test_where_the_triggers_end_the_sign_in_the_session_is_dead(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    custom({"OTP_MAX_ATTEMPTS": "1"})
    start(client)
    code = cognito.last_code(EMAIL)
    client.post("/login/code/", {"code": other_than(code)})
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" not in client.session
    assert causes()[0] == "not_authorized"


def later(seconds: int = 31) -> None:
    ChallengeSession.objects.update(last_sent_at=F("last_sent_at") - timedelta(seconds=seconds))


@pytest.mark.parametrize("own", [True, False])
def test_another_message_is_asked_for_in_the_same_sign_in_where_the_triggers_are_ours(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool], own: bool
) -> None:
    custom(own_triggers=own)
    start(client)
    cognito.advance(31)
    later()
    before = len(cognito.calls)
    assert client.post("/login/code/resend/").status_code == 302
    asked = [call.operation for call in cognito.calls[before:]]
    assert asked == (["RespondToAuthChallenge"] if own else ["InitiateAuth"])
    client.post("/login/code/", {"code": cognito.last_code(EMAIL)})
    assert "_auth_user_id" in client.session


def test_a_session_that_has_run_out_is_begun_anew(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    custom()
    start(client)
    cognito.advance(200)
    later()
    client.post("/login/code/resend/")
    client.post("/login/code/", {"code": cognito.last_code(EMAIL)})
    assert "_auth_user_id" in client.session


def test_what_an_unknown_challenge_proves_nobody_knows(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    """Triggers of somebody else's may have asked a riddle: no address is proven."""
    custom(own_triggers=False)
    challenge = start(client)
    assert challenge.pool_challenge == "CUSTOM_CHALLENGE"
    client.post("/login/code/", {"code": cognito.last_code(EMAIL)})
    assert "_auth_user_id" in client.session
    assert not EmailAddress.objects.get().verified


def test_somebody_unknown_gets_the_same_page_and_no_code(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    custom()
    start(client, "nobody@example.com")
    assert cognito.last_code("nobody@example.com") is None
    assert client.post("/login/code/", {"code": "123456"}).status_code == 200
    assert not get_user_model().objects.exists()


def test_a_password_that_the_triggers_want_first_and_the_connection_does_not_name_is_not_given(
    client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
) -> None:
    custom({"OTP_FIRST_FACTOR": "password"})
    challenge = start(client)
    assert (challenge.route, challenge.decoy_reason) == ("", "not_authorized")

"""What an answer leads to on the pool's route, when the pool fails, lies, or has forgotten."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from cognito_passwordless.cognito import Connection, idp_client
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann(client: Client, pool: LocalPool, cognito: LocalCognito) -> str:
    """Ann has asked for a code, and this is it."""
    pool.add_user("ann@example.com", username=None)
    client.post("/login/", {"identifier": "ann@example.com"})
    code = cognito.last_code("ann@example.com")
    assert code
    return code


def answer(client: Client, code: str) -> tuple[int, str, str]:
    """The status of the page, and what the timeline says."""
    response = client.post("/login/code/", {"code": code})
    event = JourneyEvent.objects.filter(step="answered").latest("pk")
    return response.status_code, event.outcome, event.cause


def nobody_came_in(client: Client) -> bool:
    return "_auth_user_id" not in client.session and not get_user_model().objects.exists()


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("throttle", "throttled"),
        ("500", "unavailable"),
        ("bad_json", "unavailable"),
        ("ForbiddenException", "unavailable"),
        ("UnexpectedLambdaException", "lambda_failed"),
        ("UserLambdaValidationException", "lambda_refused"),
        ("NotAuthorizedException", "not_authorized"),
        ("ExpiredCodeException", "session_expired"),
        ("SomethingNewException", "not_authorized"),
    ],
)
def test_a_failure_of_the_pool_spends_the_attempt_and_says_the_same_as_a_wrong_code(
    client: Client, ann: str, cognito: LocalCognito, pool: LocalPool, fault: str, cause: str
) -> None:
    wrong_page = client.post("/login/code/", {"code": "11111111" if ann != "11111111" else "22222222"})
    cognito.fail("RespondToAuthChallenge", fault, times=1, pool_id=pool.id)
    response = client.post("/login/code/", {"code": ann})
    event = JourneyEvent.objects.filter(step="answered").latest("pk")
    assert event.cause == cause
    assert event.outcome in {"refused", "failed"}
    assert (response.status_code, response.context["form"].errors) == (200, wrong_page.context["form"].errors)
    assert ChallengeSession.objects.get().attempts == 2
    assert nobody_came_in(client)


def test_a_read_timeout_spends_the_attempt_and_is_not_repeated(
    client: Client, ann: str, cognito: LocalCognito, pool: LocalPool, monkeypatch: Any, new_clients: Any
) -> None:
    from botocore.config import Config

    from cognito_passwordless.cognito import client as pool_client

    quick = pool_client.CONFIGS["answer"].merge(Config(read_timeout=0.2))
    monkeypatch.setitem(pool_client.CONFIGS, "answer", quick)
    new_clients()
    cognito.fail("RespondToAuthChallenge", "timeout", times=1, pool_id=pool.id)
    before = [call.operation for call in cognito.calls].count("RespondToAuthChallenge")
    try:
        assert answer(client, ann) == (200, "failed", "timeout")
    finally:
        cognito.release()
    after = [call.operation for call in cognito.calls].count("RespondToAuthChallenge")
    assert after - before == 1
    assert ChallengeSession.objects.get().attempts == 1
    assert nobody_came_in(client)


def test_a_pool_whose_name_does_not_resolve_is_unavailable(
    client: Client, connect: Callable[..., Any], cognito: LocalCognito
) -> None:
    made = cognito.create_pool("gone")
    connect(made, endpoint_url="https://no-such-host.invalid")
    client.post("/login/", {"identifier": "ann@example.com"})
    event = JourneyEvent.objects.get()
    assert (event.step, event.outcome, event.cause) == ("sent", "failed", "unavailable")
    assert client.post("/login/code/", {"code": "12345678"}).status_code == 200
    assert nobody_came_in(client)


def test_when_the_pools_own_session_has_run_out_the_code_is_wrong_like_any_other(
    client: Client, ann: str, cognito: LocalCognito
) -> None:
    cognito.advance(3 * 60 + 1)
    assert answer(client, ann) == (200, "refused", "session_expired")
    assert nobody_came_in(client)


def test_a_resend_after_the_pools_session_has_run_out_gives_a_code_that_works(
    client: Client, ann: str, cognito: LocalCognito
) -> None:
    cognito.advance(3 * 60 + 1)
    ChallengeSession.objects.update(last_sent_at=ChallengeSession.objects.get().last_sent_at - timedelta(seconds=60))
    assert client.post("/login/code/resend/").status_code == 302
    code = cognito.last_code("ann@example.com")
    assert code != ann
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session


def test_a_person_disabled_after_the_code_was_sent_does_not_come_in(
    client: Client, ann: str, cognito: LocalCognito, pool: LocalPool, aws_identity: None
) -> None:
    connection = Connection(
        alias="admin", region=cognito.region, user_pool_id=pool.id, client_id=pool.client_id, endpoint_url=cognito.url
    )
    idp_client(connection, "directory").admin_disable_user(UserPoolId=pool.id, Username="ann@example.com")
    status, _outcome, cause = answer(client, ann)
    assert status == 200
    assert cause in {"disabled", "wrong_code"}  # a pool that hides who exists hides this too
    assert nobody_came_in(client)


def test_a_connection_retired_after_the_code_was_sent_is_not_called(
    client: Client, ann: str, cognito: LocalCognito, settings: Any
) -> None:
    (app,) = settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"]
    retired = {**app, "settings": {**app["settings"], "retired": True}}
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [retired]}}
    calls = len(cognito.calls)
    assert answer(client, ann) == (200, "failed", "no_connection")
    assert len(cognito.calls) == calls


@pytest.mark.parametrize(
    "change", [{"issuer": "https://elsewhere.example"}, {"endpoints": {"jwks_uri": "http://127.0.0.1:9/jwks.json"}}]
)
def test_tokens_that_cannot_be_verified_prove_nobody(
    client: Client, ann: str, settings: Any, change: dict[str, Any]
) -> None:
    (app,) = settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"]
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [{**app, "settings": {**app["settings"], **change}}]}}
    status, _outcome, cause = answer(client, ann)
    assert status == 200
    assert cause in {"token_invalid", "unavailable"}
    assert nobody_came_in(client)


def test_the_tokens_of_another_person_prove_nobody(client: Client, ann: str, pool: LocalPool) -> None:
    """Whatever made the pool answer for somebody else: the record of who was asked for says another sub."""
    MigratedUser.objects.create(connection="main", pool=pool.id, sub="another", username="ann@example.com")
    assert answer(client, ann)[2] == "another_person"
    ChallengeSession.objects.update(attempts=0, pool_username="bea@example.com")
    assert nobody_came_in(client)


def test_a_session_that_no_key_opens_any_more_is_a_wrong_code(client: Client, ann: str, settings: Any) -> None:
    settings.SECRET_KEY = "another key altogether, with the old one forgotten"
    assert answer(client, ann) == (200, "refused", "no_pool_session")


def test_a_code_sent_before_a_key_rotation_still_works(client: Client, ann: str, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the new key of this site, which is long enough"
    client.post("/login/code/", {"code": ann})
    assert "_auth_user_id" in client.session


def test_our_own_code_survives_a_key_rotation_and_is_resent_unchanged(
    client: Client, make_user: Callable[..., Any], sent_code: Callable[[], str], settings: Any
) -> None:
    make_user("bob@example.com")
    client.post("/login/", {"identifier": "bob@example.com"})
    code = sent_code()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the new key of this site, which is long enough"
    challenge = ChallengeSession.objects.get()
    ChallengeSession.objects.update(last_sent_at=challenge.last_sent_at - timedelta(seconds=60))
    client.post("/login/code/resend/")
    assert sent_code() == code
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session

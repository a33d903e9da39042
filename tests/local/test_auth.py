"""What every sign-in call is asked first."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

from .caller import Caller, boto, refusal

ANN = "ann@example.com"


def test_an_unknown_client_is_not_found(caller: Caller) -> None:
    unknown = refusal(caller.start, ANN, ClientId="unknown")
    assert unknown == ("ResourceNotFoundException", "User pool client unknown does not exist.")


def test_the_flow_must_be_enabled(cognito: LocalCognito) -> None:
    pool = cognito.create_pool("old", flows=["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    pool.add_user(ANN)
    answer = ("InvalidParameterException", "USER_AUTH flow not enabled for this client")
    assert refusal(Caller(cognito, pool).start, ANN) == answer


def test_the_plan_must_have_it(cognito: LocalCognito) -> None:
    pool = cognito.create_pool("cheap", plan="LITE")
    pool.add_user(ANN)
    kind, _ = refusal(Caller(cognito, pool).start, ANN)
    assert kind == "FeatureUnavailableInTierException"


@pytest.mark.parametrize("username", [ANN, "nobody@example.com"])
@pytest.mark.parametrize("admin", [False, True])
@pytest.mark.parametrize("digest", [None, "d3Jvbmc=", "of another name"])
def test_a_start_needs_the_secret_hash_of_its_own_user_name(
    caller: Caller, username: str, admin: bool, digest: str | None
) -> None:
    caller.pool.add_user(ANN)
    caller.admin = admin
    assert refusal(caller.start, username, AuthParameters=forged(caller, username, digest))[0] == (
        "NotAuthorizedException"
    )
    assert not caller.cognito.inbox or caller.cognito.inbox[-1].pool_id != caller.pool.id


@pytest.mark.parametrize("admin", [False, True])
@pytest.mark.parametrize("digest", [None, "d3Jvbmc=", "of another name"])
def test_an_answer_needs_it_too(caller: Caller, admin: bool, digest: str | None) -> None:
    caller.pool.add_user(ANN)
    caller.admin = admin
    started = caller.start(ANN)
    code = caller.cognito.last_code(ANN) or ""
    responses = {**forged(caller, ANN, digest), "EMAIL_OTP_CODE": code}
    kind, text = refusal(caller.answer, ANN, started, code, ChallengeResponses=responses)
    assert kind == "NotAuthorizedException"
    assert "SECRET_HASH" in text or "secret hash" in text
    assert "AuthenticationResult" in caller.answer(ANN, started, code)


def forged(caller: Caller, username: str, digest: str | None) -> dict[str, str]:
    if digest == "of another name":
        digest = caller.signed("ben@example.com")["SECRET_HASH"]
    given = {"USERNAME": username, "PREFERRED_CHALLENGE": "EMAIL_OTP"}
    return given if digest is None else {**given, "SECRET_HASH": digest}


def test_a_client_without_a_secret_wants_none(cognito: LocalCognito) -> None:
    pool = cognito.create_pool("public", client_secret=False)
    assert pool.client_secret is None
    pool.add_user(ANN)
    caller = Caller(cognito, pool)
    assert caller.sign_in(ANN)["IdToken"]
    given = {"USERNAME": ANN, "SECRET_HASH": "d3Jvbmc="}
    assert refusal(caller.start, ANN, AuthParameters=given)[0] == "NotAuthorizedException"


def test_flows_that_are_left_to_moto_are_checked_too(caller: Caller) -> None:
    given = {"USERNAME": ANN, "PASSWORD": "x"}
    refused = refusal(caller.start, ANN, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    assert "SECRET_HASH was not received" in refused[1]


@pytest.mark.parametrize("hides", [True, False])
def test_passwords_hide_unknown_people_as_the_client_says(cognito: LocalCognito, hides: bool) -> None:
    pool = cognito.create_pool("any", prevent_user_existence_errors=hides)
    caller = Caller(cognito, pool)
    given: dict[str, Any] = {**caller.signed(ANN), "PASSWORD": "x"}
    kind, _ = refusal(caller.start, ANN, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    assert kind == ("NotAuthorizedException" if hides else "UserNotFoundException")


def test_a_user_name_is_required(caller: Caller) -> None:
    answer = ("InvalidParameterException", "Missing required parameter USERNAME")
    assert refusal(caller.start, ANN, AuthParameters={"SECRET_HASH": "x"}) == answer


@pytest.mark.parametrize("same", [True, False])
def test_the_admin_forms_look_in_the_pool_they_name(cognito: LocalCognito, pool: LocalPool, same: bool) -> None:
    pool.add_user(ANN)
    caller = Caller(cognito, pool)
    other = cognito.create_pool("other").id if same else "eu-west-1_unknown"
    call = boto(cognito).admin_initiate_auth
    request = {"AuthFlow": "USER_AUTH", "ClientId": pool.client_id, "UserPoolId": other}
    kind, _ = refusal(call, AuthParameters=caller.signed(ANN), **request)
    assert kind == "ResourceNotFoundException"


def test_a_session_of_impossible_length_is_refused(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    started = {**caller.start(ANN), "Session": "x" * 5000}
    assert refusal(caller.answer, ANN, started, "1")[0] == "InvalidParameterException"

"""Who gets which challenge: states of people, and people who are not there."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

from .caller import Caller, refusal

MISMATCH = ("CodeMismatchException", "Invalid code or auth state for the user.")
DISABLED = ("NotAuthorizedException", "User is disabled.")
ANN = "ann@example.com"
TOLD = [
    ({"status": "UNCONFIRMED"}, ("UserNotConfirmedException", "User is not confirmed.")),
    (
        {"status": "RESET_REQUIRED"},
        ("PasswordResetRequiredException", "Password reset required for the user"),
    ),
    (
        {"status": "EXTERNAL_PROVIDER"},
        ("NotAuthorizedException", "Incorrect username or password."),
    ),
]


@pytest.fixture(params=[True, False], ids=["hides", "says"])
def any_caller(request: pytest.FixtureRequest, cognito: LocalCognito) -> Caller:
    pool = cognito.create_pool("any", prevent_user_existence_errors=request.param)
    return Caller(cognito, pool)


@pytest.mark.parametrize(("person", "answer"), TOLD)
def test_states_of_existing_people_are_told(
    any_caller: Caller, person: dict[str, Any], answer: tuple[str, str]
) -> None:
    any_caller.pool.add_user(ANN, **person)
    assert refusal(any_caller.start, ANN) == answer


@pytest.mark.parametrize("person", [{"enabled": False}, {"status": "ARCHIVED"}])
def test_a_disabled_person_is_told_so_where_the_pool_hides_nothing(
    open_caller: Caller, person: dict[str, Any]
) -> None:
    open_caller.pool.add_user(ANN, **person)
    assert refusal(open_caller.start, ANN) == DISABLED


@pytest.mark.parametrize(
    ("username", "person"),
    [
        ("nobody@example.com", None),
        (ANN, {"enabled": False}),
        (ANN, {"status": "ARCHIVED"}),
    ],
)
def test_who_is_hidden_gets_a_challenge_that_nobody_can_finish(
    caller: Caller, username: str, person: dict[str, Any] | None
) -> None:
    caller.pool.add_user("known@example.com")
    if person:
        caller.pool.add_user(username, **person)
    known = caller.start("known@example.com")
    sent = len(caller.cognito.inbox)
    started = caller.start(username)
    assert set(started) == set(known)
    assert len(started["Session"]) == len(known["Session"])
    for key in ("ChallengeName", "AvailableChallenges"):
        assert started[key] == known[key]
    assert set(started["ChallengeParameters"]) == set(known["ChallengeParameters"])
    assert started["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == f"{username[0]}***@e***"
    assert len(caller.cognito.inbox) == sent
    for code in ("", "00000000", "12345678"):
        assert refusal(caller.answer, username, started, code) == MISMATCH


def test_a_simulated_session_runs_out_like_any_other(caller: Caller) -> None:
    started = caller.start("nobody@example.com")
    caller.cognito.advance(180)
    _, text = refusal(caller.answer, "nobody@example.com", started, "12345678")
    assert text == "Invalid session for the user, session is expired."


def test_the_right_code_of_a_simulated_challenge_is_wrong(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    # The code of a challenge that is not sent anywhere can only be guessed: let the guess be right.
    monkeypatch.setattr("cognito_passwordless.local.sign_in.choice.new_code", lambda: "12345678")
    started = caller.start("nobody@example.com")
    assert refusal(caller.answer, "nobody@example.com", started, "12345678") == MISMATCH


def test_a_simulated_session_cannot_be_used_by_someone_real(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cognito_passwordless.local.sign_in.choice.new_code", lambda: "12345678")
    caller.pool.add_user(ANN)
    started = caller.start("nobody@example.com")
    assert refusal(caller.answer, ANN, started, "12345678")[0] == "NotAuthorizedException"
    caller.pool.add_user("nobody@example.com")
    assert refusal(caller.answer, "nobody@example.com", started, "12345678") == MISMATCH


@pytest.mark.parametrize(
    ("username", "preferred", "medium"),
    [
        ("+4915100000999", "SMS_OTP", "SMS"),
        ("somebody", "SMS_OTP", "SMS"),
        ("somebody", "EMAIL_OTP", "EMAIL"),
    ],
)
def test_what_is_simulated_is_the_same_each_time(caller: Caller, username: str, preferred: str, medium: str) -> None:
    first, second = caller.start(username, preferred), caller.start(username, preferred)
    assert first["ChallengeName"] == preferred
    assert first["ChallengeParameters"] == second["ChallengeParameters"]
    assert first["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == medium


def test_a_simulated_person_has_the_address_that_was_typed(caller: Caller) -> None:
    assert caller.start("nobody@example.com", "SMS_OTP")["ChallengeName"] == "SELECT_CHALLENGE"
    choice = caller.start("nobody@example.com", preferred=None)
    started = caller.answer("nobody@example.com", choice, "EMAIL_OTP")
    assert refusal(caller.answer, "nobody@example.com", started, "12345678") == MISMATCH


def test_an_unknown_person_is_told_where_the_pool_hides_nothing(open_caller: Caller) -> None:
    answer = ("UserNotFoundException", "User does not exist.")
    assert refusal(open_caller.start, "nobody@example.com") == answer


@pytest.mark.parametrize("preferred", ["EMAIL_OTP", None])
@pytest.mark.parametrize(
    "person", [{"status": "FORCE_CHANGE_PASSWORD"}, {"mfa": True, "phone_number": "+4915100000001"}]
)
def test_a_new_password_or_a_second_factor_rules_codes_out(
    any_caller: Caller, person: dict[str, Any], preferred: str | None
) -> None:
    any_caller.pool.add_user(ANN, **person)
    sent = len(any_caller.cognito.inbox)
    choice = any_caller.start(ANN, preferred)
    assert choice["ChallengeName"] == "SELECT_CHALLENGE"
    assert choice["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]
    assert refusal(any_caller.answer, ANN, choice, "EMAIL_OTP")[0] == "InvalidParameterException"
    assert len(any_caller.cognito.inbox) == sent


def test_a_pool_that_demands_two_factors_sends_no_codes(cognito: LocalCognito) -> None:
    caller = Caller(cognito, cognito.create_pool("strict", mfa="ON"))
    caller.pool.add_user(ANN)
    assert caller.start(ANN)["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]


def test_a_pool_sends_codes_only_if_it_allows_them(cognito: LocalCognito, pool: LocalPool) -> None:
    caller = Caller(cognito, pool)
    pool.add_user(ANN)
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "SMS_OTP"]}}
    caller.boto.update_user_pool(UserPoolId=pool.id, Policies=factors)
    assert caller.start(ANN)["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]


def test_an_unverified_address_gets_its_code_all_the_same(caller: Caller) -> None:
    caller.pool.add_user(ANN, email_verified=False)
    assert caller.sign_in(ANN)["IdToken"]

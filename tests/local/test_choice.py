"""Sign-in by code, as captures of Amazon Cognito show it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.sign_in.choice import new_code

from .caller import Caller, other_than, refusal

MISMATCH = ("CodeMismatchException", "Invalid code or auth state for the user.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
USED = (
    "NotAuthorizedException",
    "Invalid session for the user, session can only be used once.",
)
INVALID = ("NotAuthorizedException", "Invalid session for the user.")
ANN = "ann@example.com"


@pytest.fixture(params=[False, True], ids=["public", "admin"])
def either(request: pytest.FixtureRequest, cognito: LocalCognito, pool: LocalPool) -> Caller:
    return Caller(cognito, pool, admin=request.param)


def test_a_code_by_email_signs_in(either: Caller) -> None:
    sub = either.pool.add_user(ANN)
    started = either.start(ANN)
    assert started["ChallengeName"] == "EMAIL_OTP"
    # What is sent where, and nothing else: above all no USERNAME.
    assert started["ChallengeParameters"] == {
        "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
        "CODE_DELIVERY_DESTINATION": "a***@e***",
    }
    assert 20 <= len(started["Session"]) <= 4096
    message = either.cognito.inbox[-1]
    assert (message.medium, message.destination) == ("EMAIL", ANN)
    assert (message.username, message.pool_id) == (sub, either.pool.id)
    assert len(message.code) == 8
    assert message.code.isdigit()
    result = either.answer(ANN, started, message.code)["AuthenticationResult"]
    assert {"IdToken", "AccessToken", "RefreshToken"} <= set(result)
    assert (result["TokenType"], result["ExpiresIn"]) == ("Bearer", 3600)


def test_a_code_by_sms_signs_in(either: Caller) -> None:
    either.pool.add_user(phone_number="+4915100000123")
    started = either.start("+4915100000123", "SMS_OTP")
    assert started["ChallengeName"] == "SMS_OTP"
    assert started["ChallengeParameters"] == {
        "CODE_DELIVERY_DELIVERY_MEDIUM": "SMS",
        "CODE_DELIVERY_DESTINATION": "+*********0123",
    }
    message = either.cognito.inbox[-1]
    assert (message.medium, message.destination) == ("SMS", "+4915100000123")
    assert "AuthenticationResult" in either.answer("+4915100000123", started, message.code)


def test_a_wrong_code_leaves_the_same_session_usable_and_never_locks(either: Caller) -> None:
    either.pool.add_user(ANN)
    started = either.start(ANN)
    code = either.cognito.last_code(ANN)
    for _ in range(7):
        assert refusal(either.answer, ANN, started, other_than(code)) == MISMATCH
    assert "AuthenticationResult" in either.answer(ANN, started, code or "")


def test_success_is_once(either: Caller) -> None:
    either.pool.add_user(ANN)
    started = either.start(ANN)
    code = either.cognito.last_code(ANN) or ""
    either.answer(ANN, started, code)
    assert refusal(either.answer, ANN, started, code) == USED
    assert refusal(either.answer, ANN, started, other_than(code)) == USED


def test_of_many_right_answers_at_once_one_succeeds(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    started = caller.start(ANN)
    code = caller.cognito.last_code(ANN) or ""

    def succeeds(_: int) -> bool:
        try:
            caller.answer(ANN, started, code)
        except caller.boto.exceptions.NotAuthorizedException:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(succeeds, range(16))) == 1


def test_a_session_runs_out_whatever_the_answer(either: Caller) -> None:
    either.pool.add_user(ANN)
    started = either.start(ANN)
    code = either.cognito.last_code(ANN) or ""
    either.cognito.advance(180)
    assert refusal(either.answer, ANN, started, other_than(code)) == EXPIRED
    assert refusal(either.answer, ANN, started, code) == EXPIRED


def test_a_client_may_give_its_sessions_more_time(cognito: LocalCognito) -> None:
    pool = cognito.create_pool("slow", auth_session_validity=15)
    caller = Caller(cognito, pool)
    pool.add_user(ANN)
    started = caller.start(ANN)
    cognito.advance(15 * 60 - 5)
    assert "AuthenticationResult" in caller.answer(ANN, started, cognito.last_code(ANN) or "")


def test_only_the_newest_session_knows_the_newest_code(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    first = caller.start(ANN)
    old = caller.cognito.last_code(ANN) or ""
    second = caller.start(ANN)
    new = caller.cognito.last_code(ANN) or ""
    if old != new:
        assert refusal(caller.answer, ANN, first, new) == MISMATCH
        assert refusal(caller.answer, ANN, second, old) == MISMATCH
    assert "AuthenticationResult" in caller.answer(ANN, first, old)


def test_an_invented_session_is_invalid(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    started = {**caller.start(ANN), "Session": "x" * 900}
    assert refusal(caller.answer, ANN, started, "01234567") == INVALID


def test_a_session_is_of_one_client(cognito: LocalCognito, caller: Caller) -> None:
    caller.pool.add_user(ANN)
    started = caller.start(ANN)
    other = Caller(cognito, cognito.create_pool("other"))
    other.pool.add_user(ANN)
    code = cognito.last_code(ANN) or ""
    assert refusal(other.answer, ANN, started, code) == INVALID


def test_a_session_is_of_one_person(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    caller.pool.add_user("ben@example.com")
    started = caller.start(ANN)
    code = caller.cognito.last_code(ANN) or ""
    assert refusal(caller.answer, "ben@example.com", started, code) == INVALID
    assert refusal(caller.answer, "nobody@example.com", started, code) == INVALID


def test_a_session_is_of_one_challenge(caller: Caller) -> None:
    caller.pool.add_user(ANN, phone_number="+4915100000123")
    started = {**caller.start(ANN), "ChallengeName": "SMS_OTP"}
    code = caller.cognito.last_code(ANN) or ""
    assert refusal(caller.answer, ANN, started, code) == INVALID


def test_the_answer_may_use_another_name_of_the_same_person(caller: Caller) -> None:
    sub = caller.pool.add_user(ANN, phone_number="+4915100000123")
    started = caller.start(ANN)
    code = caller.cognito.last_code(ANN) or ""
    assert "AuthenticationResult" in caller.answer(sub, started, code)


def test_without_a_preference_one_may_choose(either: Caller) -> None:
    either.pool.add_user(ANN, phone_number="+4915100000123")
    sent = len(either.cognito.inbox)
    choice = either.start(ANN, preferred=None)
    assert choice["ChallengeName"] == "SELECT_CHALLENGE"
    offered = ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP", "SMS_OTP"]
    assert choice["AvailableChallenges"] == offered
    assert len(either.cognito.inbox) == sent
    started = either.answer(ANN, choice, "SMS_OTP")
    assert started["ChallengeName"] == "SMS_OTP"
    assert started["Session"] != choice["Session"]
    assert refusal(either.answer, ANN, choice, "SMS_OTP") == USED
    code = either.cognito.last_code("+4915100000123") or ""
    assert "AuthenticationResult" in either.answer(ANN, started, code)


def test_a_preference_that_is_not_available_leads_to_the_choice(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    choice = caller.start(ANN, "SMS_OTP")
    assert choice["ChallengeName"] == "SELECT_CHALLENGE"
    assert choice["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"]
    assert refusal(caller.answer, ANN, choice, "SMS_OTP")[0] == "InvalidParameterException"
    assert caller.answer(ANN, choice, "EMAIL_OTP")["ChallengeName"] == "EMAIL_OTP"


def test_the_only_challenge_there_is_comes_unasked(caller: Caller) -> None:
    caller.pool.add_user(ANN, passwordless=True)
    started = caller.start(ANN, preferred=None)
    assert started["ChallengeName"] == "EMAIL_OTP"
    assert started["AvailableChallenges"] == ["EMAIL_OTP"]


def test_a_password_may_be_chosen_and_has_to_be_right(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    choice = caller.start(ANN, preferred=None)
    given = {"ChallengeResponses": {**caller.signed(ANN), "ANSWER": "PASSWORD", "PASSWORD": "wrong"}}
    refused = refusal(caller.answer, ANN, choice, "PASSWORD", **given)
    assert refused == ("NotAuthorizedException", "Incorrect username or password.")


@pytest.mark.parametrize("name", ["EMAIL_OTP", "SELECT_CHALLENGE"])
def test_an_answer_without_its_parameter_is_refused(caller: Caller, name: str) -> None:
    caller.pool.add_user(ANN)
    started = caller.start(ANN, "EMAIL_OTP" if name == "EMAIL_OTP" else None)
    more = {"ChallengeResponses": caller.signed(ANN)}
    kind, text = refusal(caller.answer, ANN, started, "", **more)
    assert kind == "InvalidParameterException"
    assert text.startswith("Missing required parameter")


def test_someone_disabled_after_the_start_cannot_finish(open_caller: Caller) -> None:
    caller = open_caller
    sub = caller.pool.add_user(ANN)
    started = caller.start(ANN)
    caller.boto.admin_disable_user(UserPoolId=caller.pool.id, Username=sub)
    code = caller.cognito.last_code(ANN) or ""
    assert refusal(caller.answer, ANN, started, code) == (
        "NotAuthorizedException",
        "User is disabled.",
    )


def test_codes_have_eight_digits_and_use_all_of_them() -> None:
    codes = [new_code() for _ in range(500)]
    assert {len(code) for code in codes} == {8}
    for place in range(8):
        assert {code[place] for code in codes} == set("0123456789")

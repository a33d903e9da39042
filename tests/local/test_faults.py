"""Failures on demand, as boto3 sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from cognito_passwordless.local import LocalCognito, LocalPool

from .caller import Caller, boto, refusal

ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def nothing_left(cognito: LocalCognito) -> None:
    cognito.faults.clear()


def until(true: Callable[[], bool]) -> None:
    """Wait for another thread, for ten seconds at most."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ("throttle", "TooManyRequestsException", 400),
        ("500", "InternalErrorException", 500),
        ("InvalidEmailRoleAccessPolicyException", "InvalidEmailRoleAccessPolicyException", 400),
    ],
)
def test_an_error_happens_as_often_as_planned_and_sends_nothing(
    caller: Caller, error: str, kind: str, status: int
) -> None:
    caller.pool.add_user(ANN)
    sent = len(caller.cognito.inbox)
    caller.cognito.fail("InitiateAuth", error, times=2)
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            caller.start(ANN)
        assert caught.value.response["Error"]["Code"] == kind
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(caller.cognito.inbox) == sent
    assert caller.sign_in(ANN)["IdToken"]


def test_bad_json_reaches_the_client_as_it_is(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    caller.cognito.fail("InitiateAuth", "bad_json")
    # botocore takes what it can't read for an answer without any members.
    assert "Session" not in caller.start(ANN)


def test_only_that_operation_and_that_pool(cognito: LocalCognito, caller: Caller) -> None:
    other = Caller(cognito, cognito.create_pool("other"))
    for each in (caller, other):
        each.pool.add_user(ANN)
    cognito.fail("InitiateAuth", "throttle", pool_id=caller.pool.id)
    assert other.start(ANN)
    assert caller.boto.list_users(UserPoolId=caller.pool.id)["Users"]
    assert refusal(caller.start, ANN)[0] == "TooManyRequestsException"


def test_any_operation_can_fail(cognito: LocalCognito, pool: LocalPool) -> None:
    cognito.fail("*", "500")
    with pytest.raises(ClientError):
        boto(cognito).list_users(UserPoolId=pool.id)


def test_an_answer_that_times_out_was_not_processed(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    started = caller.start(ANN)
    code = caller.cognito.last_code(ANN) or ""
    caller.cognito.fail("RespondToAuthChallenge", "timeout")
    patient, caller.boto = caller.boto, boto(caller.cognito, read_timeout=0.2)
    with pytest.raises(ReadTimeoutError):
        caller.answer(ANN, started, code)
    caller.boto = patient
    assert "AuthenticationResult" in caller.answer(ANN, started, code)


def test_a_request_that_hangs_is_let_go(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    until(lambda: hanging_in(caller.cognito) == 0)  # those of an earlier test, whose clients have gone
    calls = len(caller.cognito.calls)
    caller.cognito.fail("InitiateAuth", "timeout", times=2)
    with ThreadPoolExecutor(2) as threads:
        hanging = [threads.submit(refusal, caller.start, ANN) for _ in range(2)]
        until(lambda: hanging_in(caller.cognito) == 2)
        assert len(caller.cognito.calls) == calls + 2
        assert not any(one.done() for one in hanging)
        caller.cognito.release()
        assert {one.result()[0] for one in hanging} == {"InternalErrorException"}


def test_a_request_that_hangs_ends_with_its_client(caller: Caller) -> None:
    caller.cognito.fail("InitiateAuth", "timeout")
    caller.boto = boto(caller.cognito, read_timeout=0.2)
    with pytest.raises(ReadTimeoutError):
        caller.start(ANN)
    caller.boto.close()
    until(lambda: hanging_in(caller.cognito) == 0)


def test_stopping_ends_the_requests_that_hang() -> None:
    with LocalCognito() as cognito:
        caller = Caller(cognito, cognito.create_pool("demo"))
        cognito.fail("InitiateAuth", "timeout")
        with ThreadPoolExecutor(1) as threads:
            hanging = threads.submit(refusal, caller.start, ANN)
            until(lambda: hanging_in(cognito) == 1)
            cognito.stop()
            assert hanging.result()[0] == "InternalErrorException"


def hanging_in(cognito: LocalCognito) -> int:
    return cognito.faults.hanging


@pytest.mark.parametrize(
    ("error", "times", "text"),
    [("nonsense", 1, "must be one of"), ("500", 0, "at least 1"), ("500", -1, "at least 1")],
)
def test_a_plan_that_makes_no_sense_is_refused(cognito: LocalCognito, error: str, times: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        cognito.fail("InitiateAuth", error, times=times)

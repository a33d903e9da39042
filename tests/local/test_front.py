from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from cognito_passwordless.local import LocalCognito

from .caller import Caller

ANN = "ann@example.com"


def test_every_call_is_written_down_with_its_target_and_its_user(caller: Caller) -> None:
    pool, before = caller.pool, len(caller.cognito.calls)
    sub = pool.add_user(ANN)
    started = caller.start(ANN)
    caller.answer(ANN, started, caller.cognito.last_code(ANN) or "")
    caller.boto.list_users(UserPoolId=pool.id)
    caller.boto.admin_get_user(UserPoolId=pool.id, Username=sub)
    assert caller.cognito.calls[before:] == [
        ("InitiateAuth", pool.client_id, ANN),
        ("RespondToAuthChallenge", pool.client_id, ANN),
        ("ListUsers", pool.id, None),
        ("AdminGetUser", pool.id, sub),
    ]


def test_the_list_of_calls_is_the_readers_own(caller: Caller) -> None:
    caller.start(ANN)
    calls = caller.cognito.calls
    caller.cognito.calls.clear()
    assert caller.cognito.calls == calls != []


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"'])
def test_nonsense_does_not_bring_it_down(caller: Caller, body: bytes) -> None:
    request = urllib.request.Request(
        caller.cognito.url,
        body,
        {
            "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    caught.value.close()
    caller.pool.add_user(ANN)
    assert caller.sign_in(ANN)["IdToken"]


def test_a_page_of_another_origin_may_call(cognito: LocalCognito) -> None:
    asked = urllib.request.Request(
        f"{cognito.url}/",
        method="OPTIONS",
        headers={
            "Origin": "http://127.0.0.1:8100",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-target",
        },
    )
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "x-amz-target" in answer.headers["Access-Control-Allow-Headers"]

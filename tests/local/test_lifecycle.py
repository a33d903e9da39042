"""Sign-up, confirmation, forgotten passwords and tokens over HTTP by boto3, with our own triggers around them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers.challenge import delivery, limits
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach

from .caller import Caller, refusal
from .test_custom import ANN, ENVIRONMENT, Custom

PASSWORD = "Correct-Horse-Battery-1"


@pytest.fixture
def caller(cognito: LocalCognito) -> Caller:
    delivery._experience[:] = [(0.0, False)]
    limits._begun.clear()
    return Caller(cognito, cognito.create_pool("web", client_secret=False))


def sign_up(caller: Caller, **more: Any) -> Any:
    return caller.boto.sign_up(
        ClientId=caller.pool.client_id,
        Username=ANN,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": ANN}],
        **more,
    )


def confirm(caller: Caller, code: str) -> Any:
    return caller.boto.confirm_sign_up(ClientId=caller.pool.client_id, Username=ANN, ConfirmationCode=code)


def payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def names(cognito: LocalCognito, pool: LocalPool) -> list[str]:
    return [name for name, event in cognito.triggers.calls() if event["userPoolId"] == pool.id]


def test_who_signs_up_proves_the_address_and_signs_in(caller: Caller, cognito: LocalCognito) -> None:
    attach(cognito, caller.pool, {**ENVIRONMENT, "DJANGO_URL": "http://127.0.0.1:9", "DJANGO_HMAC_KEY": "x"})
    signed_up = sign_up(caller)
    assert signed_up["UserConfirmed"] is False
    code = cognito.last_code(ANN) or ""
    assert refusal(confirm, caller, f"{(int(code) + 1) % 10**6:06d}")[0] == "CodeMismatchException"
    confirm(caller, code)
    sign_in = Custom(caller)
    sign_in.start()
    token = payload(sign_in.answer(sign_in.code)["AuthenticationResult"]["IdToken"])
    assert (token["sub"], token["email_verified"]) == (signed_up["UserSub"], True)
    called = names(cognito, caller.pool)
    assert called[:3] == ["PreSignUp", "CustomMessage", "PostConfirmation"]
    assert called[-1] == "PostAuthentication"


def test_who_is_not_invited_is_refused_with_a_fixed_sentence(caller: Caller, cognito: LocalCognito) -> None:
    attach(cognito, caller.pool, {**ENVIRONMENT, "INVITATION_CODES": "one"})
    kind, text = refusal(sign_up, caller)
    assert (kind, text) == ("UserLambdaValidationException", "PreSignUp failed with error This is not allowed..")
    assert sign_up(caller, ValidationData=[{"Name": "invitation", "Value": "one"}])["UserConfirmed"] is False


def test_a_pool_may_confirm_by_itself(caller: Caller, cognito: LocalCognito) -> None:
    chosen = {"PRE_SIGN_UP_CONFIRM": "true", "PRE_SIGN_UP_VERIFY": "email"}
    attach(cognito, caller.pool, {**ENVIRONMENT, **chosen})
    assert sign_up(caller)["UserConfirmed"] is True


def test_a_forgotten_password_needs_the_code_that_was_sent(caller: Caller, cognito: LocalCognito) -> None:
    attach(cognito, caller.pool, ENVIRONMENT)
    caller.pool.add_user(ANN)
    caller.boto.forgot_password(ClientId=caller.pool.client_id, Username=ANN)

    def reset(code: str) -> Any:
        return caller.boto.confirm_forgot_password(
            ClientId=caller.pool.client_id, Username=ANN, ConfirmationCode=code, Password=PASSWORD
        )

    assert refusal(reset, "000000x")[0] == "CodeMismatchException"
    reset(cognito.last_code(ANN) or "")


def test_tokens_carry_what_the_token_trigger_says(caller: Caller, cognito: LocalCognito) -> None:
    rules = {"add": {"plan": "gold"}, "suppress": ["email"], "access": {"add": {"rights": ["a"]}}}
    attach(cognito, caller.pool, {**ENVIRONMENT, "TOKEN_CLAIMS": json.dumps(rules)})
    caller.pool.add_user(ANN)
    sign_in = Custom(caller)
    sign_in.start()
    tokens = sign_in.answer(sign_in.code)["AuthenticationResult"]
    identity, access = payload(tokens["IdToken"]), payload(tokens["AccessToken"])
    assert (identity["plan"], "email" in identity, access["rights"]) == ("gold", False, ["a"])


class TestResend:
    def test_the_newer_code_replaces_the_older(self, caller: Caller, cognito: LocalCognito) -> None:
        attach(cognito, caller.pool, ENVIRONMENT)
        sign_up(caller)
        first = cognito.last_code(ANN) or ""
        told = caller.boto.resend_confirmation_code(ClientId=caller.pool.client_id, Username=ANN)
        assert told["CodeDeliveryDetails"]["AttributeName"] == "email"
        second = cognito.last_code(ANN) or ""
        if first != second:
            assert refusal(confirm, caller, first)[0] == "CodeMismatchException"
        confirm(caller, second)
        asked = [event for name, event in cognito.triggers.calls() if name == "CustomMessage"]
        assert asked[-1]["triggerSource"] == "CustomMessage_ResendCode"

    def test_who_is_confirmed_needs_none_and_nobody_is_told_who_exists(self, caller: Caller) -> None:
        caller.pool.add_user(ANN)
        client_id = caller.pool.client_id
        assert refusal(caller.boto.resend_confirmation_code, ClientId=client_id, Username=ANN)[0] == (
            "InvalidParameterException"
        )
        told = caller.boto.resend_confirmation_code(ClientId=client_id, Username="nobody@example.com")
        assert told["CodeDeliveryDetails"]["Destination"] == "n***@e***"


def test_an_administrators_user_passes_the_sign_up_trigger(caller: Caller, cognito: LocalCognito) -> None:
    attach(cognito, caller.pool, ENVIRONMENT)
    caller.boto.admin_create_user(UserPoolId=caller.pool.id, Username=ANN, MessageAction="SUPPRESS")
    assert [event["triggerSource"] for _, event in cognito.triggers.calls()][-1] == "PreSignUp_AdminCreateUser"
    assert cognito.last_code(ANN) is None or cognito.inbox[-1].pool_id != caller.pool.id


def test_a_rewritten_address_is_unverified_whoever_writes_it(caller: Caller, cognito: LocalCognito) -> None:
    caller.pool.add_user(ANN, username="ann")
    token = caller.answer("ann", caller.start("ann"), cognito.last_code(ANN) or "")["AuthenticationResult"][
        "AccessToken"
    ]

    def attributes() -> dict[str, str]:
        (user,) = caller.boto.list_users(UserPoolId=caller.pool.id)["Users"]
        return {row["Name"]: row["Value"] for row in user["Attributes"]}

    def write(**rows: str) -> Any:
        named = [{"Name": name, "Value": value} for name, value in rows.items()]
        return caller.boto.update_user_attributes(AccessToken=token, UserAttributes=named)

    def administer(**rows: str) -> Any:
        named = [{"Name": name, "Value": value} for name, value in rows.items()]
        return caller.boto.admin_update_user_attributes(
            UserPoolId=caller.pool.id, Username="ann", UserAttributes=named
        )

    write(**{"name": "Ann", "custom:age_verified": "yes"})
    assert attributes()["email_verified"] == "true"
    write(email="new@example.com")
    assert (attributes()["email"], attributes()["email_verified"]) == ("new@example.com", "false")
    assert refusal(write, email_verified="true")[0] == "NotAuthorizedException"
    assert attributes()["email_verified"] == "false"
    administer(email="third@example.com", email_verified="true")
    assert attributes()["email_verified"] == "true"
    administer(email="fourth@example.com")
    assert attributes()["email_verified"] == "false"
    assert (
        refusal(
            caller.boto.update_user_attributes,
            AccessToken="not-a-token",
            UserAttributes=[{"Name": "name", "Value": "Bob"}],
        )[0]
        == "NotAuthorizedException"
    )

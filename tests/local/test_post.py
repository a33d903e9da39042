"""The pool's own messages: by custom senders with encrypted codes, and in the words of the custom message."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.fernet import InvalidToken

from cognito_passwordless.lambda_triggers.messages.senders import Message as Sent
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.local.triggers.cipher import LocalKey

from .caller import Caller, refusal
from .test_custom import ANN, ENVIRONMENT
from .test_lifecycle import PASSWORD, confirm, sign_up

PHONE = "+4915100000777"


@pytest.fixture
def caller(cognito: LocalCognito) -> Caller:
    return Caller(cognito, cognito.create_pool("senders", client_secret=False))


def asked(cognito: LocalCognito, pool: LocalPool, name: str) -> list[dict[str, Any]]:
    return [event for called, event in cognito.triggers.calls() if called == name and event["userPoolId"] == pool.id]


def test_a_code_travels_encrypted_and_is_sent_by_ours(caller: Caller, cognito: LocalCognito) -> None:
    lines: list[str] = []
    attach(cognito, caller.pool, {**ENVIRONMENT, "OTP_APP_NAME": "Ours"}, custom_senders=True, write=lines.append)
    sign_up(caller)
    (event,) = asked(cognito, caller.pool, "CustomEmailSender")
    assert event["triggerSource"] == "CustomEmailSender_SignUp"
    assert event["request"]["type"] == "customEmailSenderRequestV1"
    message = cognito.inbox[-1]
    assert "Ours" in message.text
    assert message.code not in json.dumps(event)
    assert cognito.triggers.key.decrypt(base64.b64decode(event["request"]["code"])) == message.code
    assert message.code not in "".join(lines)
    # A custom sender writes the message itself.
    assert asked(cognito, caller.pool, "CustomMessage") == []
    assert confirm(caller, message.code)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_every_occasion_has_its_source(caller: Caller, cognito: LocalCognito) -> None:
    attach(cognito, caller.pool, ENVIRONMENT, custom_senders=True)
    pool = caller.pool
    sign_up(caller)
    caller.boto.resend_confirmation_code(ClientId=pool.client_id, Username=ANN)
    confirm(caller, cognito.last_code(ANN) or "")
    caller.boto.forgot_password(ClientId=pool.client_id, Username=ANN)
    caller.start(ANN)
    rows = [{"Name": "phone_number", "Value": PHONE}]
    caller.boto.admin_create_user(UserPoolId=pool.id, Username=PHONE, UserAttributes=rows)
    sources = [event["triggerSource"] for event in asked(cognito, pool, "CustomEmailSender")]
    occasions = ("SignUp", "ResendCode", "ForgotPassword", "Authentication")
    assert sources == [f"CustomEmailSender_{occasion}" for occasion in occasions]
    assert [event["triggerSource"] for event in asked(cognito, pool, "CustomSMSSender")] == [
        "CustomSMSSender_AdminCreateUser"
    ]


def test_a_first_password_arrives_as_it_is(caller: Caller, cognito: LocalCognito) -> None:
    attach(cognito, caller.pool, ENVIRONMENT, custom_senders=True)
    caller.boto.admin_create_user(UserPoolId=caller.pool.id, Username=ANN, TemporaryPassword="Aa1!<&>Aa1!")
    assert "Aa1!<&>Aa1!" in cognito.inbox[-1].text
    # Cognito escapes it before it is encrypted.
    (event,) = asked(cognito, caller.pool, "CustomEmailSender")
    assert cognito.triggers.key.decrypt(base64.b64decode(event["request"]["code"])) == "Aa1!&lt;&amp;&gt;Aa1!"
    assert refusal(caller.boto.admin_create_user, UserPoolId=caller.pool.id, Username=ANN)[0] == (
        "UsernameExistsException"
    )


def test_nobody_hears_of_a_sender_that_fails(
    caller: Caller, cognito: LocalCognito, caplog: pytest.LogCaptureFixture
) -> None:
    attach(cognito, caller.pool, {**ENVIRONMENT, "EMAIL_SENDERS": "nowhere.at_all"}, custom_senders=True)
    assert sign_up(caller)["UserConfirmed"] is False
    assert "CustomEmailSender" in caplog.text


def test_senders_of_the_environment_are_obeyed(caller: Caller, cognito: LocalCognito) -> None:
    SENT.clear()
    environment = {**ENVIRONMENT, "EMAIL_SENDERS": f"{__name__}.keep"}
    attach(cognito, caller.pool, environment, custom_senders=True)
    before = len(cognito.inbox)
    sign_up(caller)
    assert (len(SENT), len(cognito.inbox)) == (1, before)


SENT: list[Sent] = []


def keep(message: Sent, **_: Any) -> str:
    SENT.append(message)
    return "kept"


def test_one_key_does_not_open_what_another_has_locked() -> None:
    with pytest.raises(InvalidToken):
        LocalKey().decrypt(LocalKey().encrypt("123456"))


class TestCustomMessage:
    def test_its_words_are_those_of_the_message(self, caller: Caller, cognito: LocalCognito) -> None:
        words = {"SignUp": {"email": "{app}: {code}", "subject": "x"}}
        environment = {**ENVIRONMENT, "MESSAGES": json.dumps(words), "OTP_APP_NAME": "Ours"}
        attach(cognito, caller.pool, environment)
        sign_up(caller)
        message = cognito.inbox[-1]
        assert message.text == f"Ours: {message.code}"
        assert message.code not in repr(message)

    def test_an_invitation_names_the_user(self, caller: Caller, cognito: LocalCognito) -> None:
        attach(cognito, caller.pool, {**ENVIRONMENT, "OTP_LANGUAGE": "ar"})
        caller.boto.admin_create_user(UserPoolId=caller.pool.id, Username=ANN, TemporaryPassword=PASSWORD)
        message = cognito.inbox[-1]
        assert message.username in message.text
        assert PASSWORD in message.text

    @pytest.mark.parametrize("text", ["without a code", "{####}" + "x" * 20_000, 5])
    def test_what_cognito_could_not_send_is_refused(self, caller: Caller, cognito: LocalCognito, text: Any) -> None:
        def words(event: dict[str, Any], context: object) -> dict[str, Any]:
            return {**event, "response": {"emailMessage": text}}

        cognito.attach_triggers(caller.pool, {"CustomMessage": words})
        assert refusal(sign_up, caller)[0] == "InvalidLambdaResponseException"

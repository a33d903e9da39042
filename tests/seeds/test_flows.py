"""The rows of the seeds' table of flows, on the local Cognito with our triggers."""

from collections.abc import Iterator
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers.challenge import delivery, limits
from cognito_passwordless.lambda_triggers.deploy.template import template
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from tests.lambda_triggers.standin import provider
from tests.lambda_triggers.test_senders import Message, send
from tests.local.caller import Caller

NUMBER, CHANNEL = "+4915100000001", {"OTP_SECRET": "a secret of the tests, long enough", "OTP_CHANNEL": "sms"}
PASSWORD = "Correct-Horse-Battery-1"


@pytest.fixture(scope="module")
def cognito() -> Iterator[LocalCognito]:
    with LocalCognito() as running:
        yield running


@pytest.fixture
def pool(cognito: LocalCognito) -> LocalPool:
    return cognito.create_pool("seeds", client_secret=False)


@pytest.fixture
def caller(cognito: LocalCognito, pool: LocalPool) -> Iterator[Caller]:
    delivery._experience[:] = [(0.0, False)]
    yield Caller(cognito, pool)
    delivery._experience.clear()
    limits._begun.clear()


def begin(caller: Caller, **environment: str) -> Any:
    attach(caller.cognito, caller.pool, {**CHANNEL, **environment})
    return caller.start(NUMBER, None, AuthFlow="CUSTOM_AUTH")


def answer(caller: Caller, now: Any, text: str, **more: Any) -> Any:
    given = {"ChallengeResponses": {"USERNAME": NUMBER, "ANSWER": text}}
    return caller.answer(NUMBER, now, text, **given, **more)


def code(caller: Caller) -> str:
    return caller.cognito.last_code(NUMBER) or ""


def sent(caller: Caller) -> int:
    return sum(message.pool_id == caller.pool.id for message in caller.cognito.inbox)


def test_srp_then_otp(caller: Caller) -> None:
    from pycognito.aws_srp import AWSSRP

    caller.pool.add_user(phone_number=NUMBER)
    given = {"UserPoolId": caller.pool.id, "Username": NUMBER, "Password": PASSWORD, "Permanent": True}
    caller.boto.admin_set_user_password(**given)
    attach(caller.cognito, caller.pool, {**CHANNEL, "OTP_FIRST_FACTOR": "password"})
    client = AWSSRP(NUMBER, PASSWORD, caller.pool.id, caller.pool.client_id, client=caller.boto)
    parameters = {**client.get_auth_params(), "CHALLENGE_NAME": "SRP_A"}
    now = caller.start(NUMBER, None, AuthFlow="CUSTOM_AUTH", AuthParameters=parameters)
    assert now["ChallengeName"] == "PASSWORD_VERIFIER"
    proof = client.process_challenge(now["ChallengeParameters"], {"USERNAME": NUMBER})
    now = caller.answer(NUMBER, now, "", ChallengeResponses=proof)
    assert now["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert "AuthenticationResult" in answer(caller, now, code(caller))


@pytest.mark.parametrize("rounds", ["5", "3"])
def test_at_most_rounds(caller: Caller, rounds: str) -> None:
    caller.pool.add_user(phone_number=NUMBER)
    now = begin(caller, OTP_MAX_ATTEMPTS=rounds)
    wrong = f"{(int(code(caller)) + 1) % 10**6:06d}"
    for _ in range(int(rounds) - 1):
        now = answer(caller, now, wrong)
    with pytest.raises(caller.boto.exceptions.NotAuthorizedException):
        answer(caller, now, wrong)


def test_retries_have_a_new_session_and_no_second_message(caller: Caller) -> None:
    caller.pool.add_user(phone_number=NUMBER)
    first = begin(caller)
    right = code(caller)
    second = answer(caller, first, f"{(int(right) + 1) % 10**6:06d}")
    assert second["Session"] != first["Session"]
    with pytest.raises(caller.boto.exceptions.NotAuthorizedException):
        answer(caller, first, right)
    assert sent(caller) == 1
    assert "AuthenticationResult" in answer(caller, second, right)


def test_expiry_after_ten_minutes_and_a_new_code_in_the_same_sign_in(cognito: LocalCognito) -> None:
    caller = Caller(cognito, cognito.create_pool("slow", client_secret=False, auth_session_validity=15))
    delivery._experience[:] = [(0.0, False)]
    caller.pool.add_user(phone_number=NUMBER)
    now = begin(caller, OTP_ON_EXPIRY="renew")
    old = code(caller)
    cognito.advance(601)
    now = answer(caller, now, old)
    assert code(caller) != old
    assert "AuthenticationResult" in answer(caller, now, code(caller))


@pytest.mark.parametrize("way", ["metadata", "attribute"])
def test_resend(caller: Caller, way: str) -> None:
    sub = caller.pool.add_user(phone_number=NUMBER)
    now = begin(caller)
    caller.cognito.advance(31)
    more = {"ClientMetadata": {"action": "resend"}} if way == "metadata" else {}
    if way == "attribute":
        resend = [{"Name": "custom:resend", "Value": "true"}]
        caller.boto.admin_update_user_attributes(UserPoolId=caller.pool.id, Username=sub, UserAttributes=resend)
    now = answer(caller, now, "resend", **more)
    assert sent(caller) == 2
    assert "AuthenticationResult" in answer(caller, now, code(caller))


def test_sign_up_by_phone_is_confirmed_and_verified(caller: Caller) -> None:
    attach(caller.cognito, caller.pool, {**CHANNEL, "PRE_SIGN_UP_CONFIRM": "true", "PRE_SIGN_UP_VERIFY": "phone"})
    said = [{"Name": "phone_number", "Value": NUMBER}]
    given = {"ClientId": caller.pool.client_id, "Username": NUMBER, "Password": PASSWORD}
    assert caller.boto.sign_up(**given, UserAttributes=said)["UserConfirmed"] is True
    person = caller.boto.admin_get_user(UserPoolId=caller.pool.id, Username=NUMBER)
    assert {"Name": "phone_number_verified", "Value": "true"} in person["UserAttributes"]


SENT = Message(channel="sms", recipient=NUMBER, text="123456 is your code.")


def test_sms_by_sns_with_sender_id_and_type_transactional() -> None:
    with provider() as sns:
        sns.body = b"<PublishResponse><MessageId>1</MessageId></PublishResponse>"
        send(SENT, OTP_SENDERS="sns", AWS_ENDPOINT_URL=sns.url, SNS_SENDER_ID="Example")
        assert {"Example", "Transactional"} <= set(sns.form.values())


def test_sms_by_twilio_with_account_and_number_from_the_environment() -> None:
    account = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token", "TWILIO_FROM": "+15005550006"}
    with provider() as twilio:
        send(SENT, OTP_SENDERS="twilio", TWILIO_URL=twilio.url, **account)
        assert twilio.form == {"To": NUMBER, "Body": SENT.text, "From": account["TWILIO_FROM"]}


def test_one_stack_has_a_pool_functions_and_their_permissions() -> None:
    made = template("triggers.zip", "1")
    kinds = {resource["Type"] for resource in made["Resources"].values()}
    assert {"AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Lambda::Permission"} <= kinds
    assert {"ApplicationName", "UserPoolName"} <= made["Parameters"].keys()


def test_the_stacks_own_pool_can_run_user_migration() -> None:
    """It needs the password itself, and a recovery for the forgotten one."""
    made = template("triggers.zip", "1")["Resources"]
    flows = made["UserPoolClient"]["Properties"]["ExplicitAuthFlows"]
    assert {"Fn::If": ["WithDjango", "ALLOW_USER_PASSWORD_AUTH", {"Ref": "AWS::NoValue"}]} in flows
    recovery = made["UserPool"]["Properties"]["AccountRecoverySetting"]["RecoveryMechanisms"]
    assert recovery[0]["Fn::If"][1]["Name"] == {"Fn::Sub": "verified_${UsernameAttribute}"}

from typing import Any

import pytest

from cognito_passwordless.cognito import (
    Cause,
    CognitoError,
    Connection,
    OtpChallenge,
    answer_otp,
    secret_hash,
    start_otp,
)

from .conftest import make_connection
from .standin import HANG_UP, Reply, StandIn, challenge, error, reply

TOKENS = {
    "AuthenticationResult": {
        "IdToken": "id.token", "AccessToken": "access.token", "RefreshToken": "refresh.token",
    }
}  # fmt: skip


def started(connection: Connection) -> OtpChallenge:
    return OtpChallenge("s" * 40, "EMAIL_OTP", "ann@example.com", "EMAIL", "a***@e***")


def refused(connection: Connection, channel: Any = "email") -> CognitoError:
    with pytest.raises(CognitoError) as caught:
        start_otp(connection, "ann@example.com", channel)
    return caught.value


def rejected(connection: Connection, code: str = "12345678") -> CognitoError:
    with pytest.raises(CognitoError) as caught:
        answer_otp(connection, started(connection), code)
    return caught.value


def test_start_asks_for_the_wanted_code(standin: StandIn, connection: Connection) -> None:
    told = {"CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL", "CODE_DELIVERY_DESTINATION": "a***@e***"}
    standin.says("InitiateAuth", challenge("EMAIL_OTP", ChallengeParameters=told))
    sent = start_otp(connection, "ann@example.com", "email")
    assert sent == started(connection)
    assert standin.requests[0].body == {
        "ClientId": "client1",
        "AuthFlow": "USER_AUTH",
        "AuthParameters": {
            "USERNAME": "ann@example.com",
            "PREFERRED_CHALLENGE": "EMAIL_OTP",
            "SECRET_HASH": secret_hash(connection, "ann@example.com"),
        },
    }
    assert "Authorization" not in standin.requests[0].headers


def test_a_user_name_that_the_pool_gives_is_the_one_to_answer_with(standin: StandIn, connection: Connection) -> None:
    standin.says("InitiateAuth", challenge("SMS_OTP", ChallengeParameters={"USERNAME": "u-1"}))
    sent = start_otp(connection, "+4915112345678", "sms")
    standin.says("RespondToAuthChallenge", reply(TOKENS))
    answer_otp(connection, sent, "123456")
    assert (sent.challenge, sent.medium) == ("SMS_OTP", "SMS")
    assert standin.requests[1].body == {
        "ClientId": "client1",
        "ChallengeName": "SMS_OTP",
        "Session": "s" * 40,
        "ChallengeResponses": {
            "USERNAME": "u-1",
            "SMS_OTP_CODE": "123456",
            "SECRET_HASH": secret_hash(connection, "u-1"),
        },
    }


def test_secret_hash() -> None:
    # Computed with openssl: printf %s annclient1 | openssl dgst -sha256 -hmac hush -binary | base64
    known = "TnLdSlSpBa9ceV3ujigu9DdkXY6fsxpH73juUa8ZKAc="
    assert secret_hash(make_connection(client_secret="hush"), "ann") == known
    assert secret_hash(make_connection(), "ann") is None


def test_a_client_without_a_secret_sends_no_hash(standin: StandIn) -> None:
    standin.says("InitiateAuth", challenge("EMAIL_OTP"))
    start_otp(make_connection(endpoint_url=standin.url), "ann@example.com", "email")
    assert "SECRET_HASH" not in standin.requests[0].body["AuthParameters"]


def test_select_challenge_with_the_wanted_code_selects_it(standin: StandIn, connection: Connection) -> None:
    offer = challenge("SELECT_CHALLENGE", "a" * 40, AvailableChallenges=["PASSWORD", "EMAIL_OTP"])
    standin.says("InitiateAuth", offer)
    standin.says("RespondToAuthChallenge", challenge("EMAIL_OTP", "b" * 40))
    assert start_otp(connection, "ann@example.com", "email").session == "b" * 40
    asked = standin.requests[1].body
    assert asked["ChallengeName"] == "SELECT_CHALLENGE"
    assert asked["Session"] == "a" * 40
    assert asked["ChallengeResponses"]["ANSWER"] == "EMAIL_OTP"


def test_select_challenge_without_it_says_what_there_is(standin: StandIn, connection: Connection) -> None:
    offered = ["PASSWORD_SRP", "PASSWORD"]
    standin.says("InitiateAuth", challenge("SELECT_CHALLENGE", AvailableChallenges=offered))
    failure = refused(connection)
    assert failure.cause is Cause.otp_unavailable
    assert failure.available == ("PASSWORD_SRP", "PASSWORD")
    assert standin.operations() == ["InitiateAuth"]


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ("SOFTWARE_TOKEN_MFA", Cause.mfa_required),
        ("SMS_MFA", Cause.mfa_required),
        ("SELECT_MFA_TYPE", Cause.mfa_required),
        ("MFA_SETUP", Cause.mfa_required),
        ("DEVICE_SRP_AUTH", Cause.mfa_required),
        ("NEW_PASSWORD_REQUIRED", Cause.force_change_password),
        ("PASSWORD_SRP", Cause.otp_unavailable),
        ("WEB_AUTHN", Cause.otp_unavailable),
        ("CUSTOM_CHALLENGE", Cause.otp_unavailable),
        # A code went to the telephone: it would prove another address than the one typed.
        ("SMS_OTP", Cause.otp_unavailable),
        ("INVENTED_TOMORROW", Cause.otp_unavailable),
    ],
)
def test_a_pool_that_asks_for_something_else(
    standin: StandIn, connection: Connection, asked: str, cause: Cause
) -> None:
    standin.says("InitiateAuth", challenge(asked))
    assert refused(connection).cause is cause
    offer = challenge("SELECT_CHALLENGE", AvailableChallenges=["EMAIL_OTP"])
    standin.says("InitiateAuth", offer).says("RespondToAuthChallenge", challenge(asked))
    assert refused(connection).cause is cause


def test_tokens_without_a_code_prove_nothing(standin: StandIn, connection: Connection) -> None:
    standin.says("InitiateAuth", reply(TOKENS))
    assert refused(connection).cause is Cause.misconfigured


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "x" * 129, "a\u200bb"])
def test_what_cannot_be_a_user_name_is_not_sent(standin: StandIn, connection: Connection, name: str) -> None:
    with pytest.raises(CognitoError) as caught:
        start_otp(connection, name, "email")
    assert caught.value.cause is Cause.unknown_user
    assert standin.requests == []


def test_answer_gives_tokens_and_drops_the_refresh_token(standin: StandIn, connection: Connection) -> None:
    standin.says("RespondToAuthChallenge", reply(TOKENS))
    tokens = answer_otp(connection, started(connection), "12345678")
    assert (tokens.id_token, tokens.access_token) == ("id.token", "access.token")
    assert repr(tokens) == "Tokens()"
    assert vars(tokens).keys() == {"id_token", "access_token"}


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (error("CodeMismatchException", "Invalid code or auth state."), Cause.wrong_code),
        (error("ExpiredCodeException"), Cause.session_expired),
        (error("NotAuthorizedException", "... session is expired."), Cause.session_expired),
        (error("NotAuthorizedException", "... session can only be used once."), Cause.session_used),
        (error("NotAuthorizedException", "User is disabled."), Cause.disabled),
        (error("InvalidParameterException", "Invalid code"), Cause.wrong_code),
        (error("TooManyRequestsException"), Cause.throttled),
        (error("InternalErrorException", status=500), Cause.unavailable),
        (Reply(b"<html>502</html>", 502), Cause.unavailable),
        (Reply(b"<html>hotel wifi</html>"), Cause.unavailable),
        (Reply(b'{"AuthenticationResult": {"IdTo'), Cause.unavailable),
        (Reply(b""), Cause.unavailable),
        (Reply(b"\xff\xfe\x00"), Cause.unavailable),
        (Reply(b"[]"), Cause.unavailable),
        (Reply(b"[" * 100_000), Cause.unavailable),
        (Reply(b"null"), Cause.unavailable),
        (Reply(b'"text"'), Cause.unavailable),
        (Reply(b"[]", 400), Cause.unavailable),
        (Reply(b'{"__type": 5}', 400), Cause.unavailable),
        (Reply(b"", 302, {"Location": "http://127.0.0.1:1/"}), Cause.unavailable),
        (reply({"ChallengeParameters": "text"}), Cause.unavailable),
        (reply({"AuthenticationResult": []}), Cause.unavailable),
        (reply({"AuthenticationResult": {}}), Cause.unavailable),
        (reply({"AuthenticationResult": {"AccessToken": "a"}}), Cause.unavailable),
        (reply(TOKENS | {"ChallengeName": "SMS_MFA", "Session": "s" * 40}), Cause.unavailable),
        (HANG_UP, Cause.unavailable),
        (challenge("SMS_MFA"), Cause.mfa_required),
        (challenge("EMAIL_OTP"), Cause.mfa_required),
        (challenge("NEW_PASSWORD_REQUIRED"), Cause.force_change_password),
    ],
)
def test_every_way_an_answer_can_fail_and_none_is_tried_twice(
    standin: StandIn, connection: Connection, said: Reply, cause: Cause
) -> None:
    standin.says("RespondToAuthChallenge", said)
    assert rejected(connection).cause is cause
    assert standin.operations() == ["RespondToAuthChallenge"]


@pytest.mark.parametrize("code", ["", " ", "12 34", "abcdef", "١٢٣٤٥٦", "1" * 17, "123456\n"])
def test_what_no_pool_sends_is_wrong_without_a_call(standin: StandIn, connection: Connection, code: str) -> None:
    assert rejected(connection, code).cause is Cause.wrong_code
    assert standin.requests == []


@pytest.mark.parametrize("session", ["", "short", "x" * 4097, None])
def test_a_session_that_could_not_be_answered_is_no_challenge(
    standin: StandIn, connection: Connection, session: Any
) -> None:
    standin.says("InitiateAuth", challenge("EMAIL_OTP", Session=session))
    assert refused(connection).cause is Cause.unavailable


@pytest.mark.parametrize(
    ("fault", "cause"), [(error("TooManyRequestsException"), Cause.throttled), (HANG_UP, Cause.unavailable)]
)
def test_a_start_that_fails_is_not_repeated_behind_its_callers_back(
    standin: StandIn, connection: Connection, fault: Reply, cause: Cause
) -> None:
    """The pool may have sent a code before its answer was lost: the worker counts that, and then tries again."""
    standin.says("InitiateAuth", fault, challenge("EMAIL_OTP"))
    assert refused(connection).cause is cause
    assert len(standin.requests) == 1


def test_a_challenge_shows_nothing() -> None:
    assert repr(started(make_connection())) == "OtpChallenge(challenge='EMAIL_OTP', medium='EMAIL')"


def test_a_retired_pool_is_never_called(standin: StandIn) -> None:
    retired = make_connection(endpoint_url=standin.url, retired=True)
    assert refused(retired).aws_code == "ConnectionRetired"
    assert rejected(retired).aws_code == "ConnectionRetired"
    assert standin.requests == []

"""The proof of a password, at a pool that says what a test tells it to."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cognito_passwordless.cognito import (
    Cause,
    CognitoError,
    Connection,
    ConnectionConfigError,
    CustomChallenge,
    Password,
    secret_hash,
    start_with_password,
)
from cognito_passwordless.local.sign_in.srp import Exchange, public_value

from .conftest import make_connection
from .standin import HANG_UP, Reply, Request, StandIn, challenge, error, reply

TYPED = "Correct horse-battery staple 9!"
NOW = datetime(2026, 3, 5, 7, 8, 9, tzinfo=UTC)
TOKENS = {"AuthenticationResult": {"IdToken": "id.token", "AccessToken": "access.token"}}


class Pool:
    """The server's half: asks for the proof, and remembers the exchange."""

    def __init__(self, password: str = TYPED, **told: str) -> None:
        self.password = password
        self.told = told
        self.exchange: Exchange | None = None

    def begin(self, request: Request) -> Reply:
        value = public_value(request.body["AuthParameters"]["SRP_A"])
        assert value is not None
        self.exchange = Exchange.begin("eu-west-1_TestPool1", "u-1", self.password, value)
        told = {**self.exchange.parameters(), "USERNAME": "u-1", "USER_ID_FOR_SRP": "u-1", **self.told}
        return challenge("PASSWORD_VERIFIER", ChallengeParameters=told)

    def verify(self, request: Request) -> Reply:
        assert self.exchange is not None
        if not self.exchange.proves(request.body["ChallengeResponses"]):
            return error("NotAuthorizedException", "Incorrect username or password.")
        return challenge("CUSTOM_CHALLENGE", "t" * 40, ChallengeParameters={"USERNAME": "u-1", "medium": "EMAIL"})


def begin(connection: Connection, now: datetime = NOW) -> CustomChallenge:
    return start_with_password(connection, "ann@example.com", Password(TYPED), now=now)


def refused(connection: Connection) -> CognitoError:
    with pytest.raises(CognitoError) as caught:
        begin(connection)
    assert caught.value.__context__ is None
    return caught.value


def test_the_password_is_proven_and_never_sent(standin: StandIn) -> None:
    connection = make_connection(endpoint_url=standin.url, client_secret="client-secret", own_triggers=True)
    pool = Pool()
    standin.says("InitiateAuth", pool.begin).says("RespondToAuthChallenge", pool.verify)
    sent = begin(connection)
    assert (sent.session, sent.username, sent.medium) == ("t" * 40, "u-1", "EMAIL")
    first, second = (request.body for request in standin.requests)
    assert (first["AuthFlow"], first["AuthParameters"]["CHALLENGE_NAME"]) == ("CUSTOM_AUTH", "SRP_A")
    assert first["AuthParameters"]["SECRET_HASH"] == secret_hash(connection, "ann@example.com")
    assert (second["ChallengeName"], second["Session"]) == ("PASSWORD_VERIFIER", "s" * 40)
    assert second["ChallengeResponses"]["SECRET_HASH"] == secret_hash(connection, "u-1")
    assert second["ChallengeResponses"]["TIMESTAMP"] == "Thu Mar 5 07:08:09 UTC 2026"
    assert TYPED not in str(standin.requests)
    assert all("Authorization" not in request.headers for request in standin.requests)


def test_the_time_is_that_of_utc_wherever_the_site_is(standin: StandIn, connection: Connection) -> None:
    pool = Pool()
    standin.says("InitiateAuth", pool.begin).says("RespondToAuthChallenge", pool.verify)
    begin(connection, NOW.astimezone(timezone(timedelta(hours=9))))
    assert standin.requests[1].body["ChallengeResponses"]["TIMESTAMP"] == "Thu Mar 5 07:08:09 UTC 2026"


def test_a_wrong_password_has_a_cause_of_its_own(standin: StandIn, connection: Connection) -> None:
    pool = Pool("another")
    standin.says("InitiateAuth", pool.begin).says("RespondToAuthChallenge", pool.verify)
    assert refused(connection).cause is Cause.wrong_password


@pytest.mark.parametrize(
    ("first", "then", "cause"),
    [
        (challenge("CUSTOM_CHALLENGE"), None, Cause.misconfigured),
        (reply(TOKENS), None, Cause.misconfigured),
        (challenge("SELECT_CHALLENGE"), None, Cause.misconfigured),
        (challenge("PASSWORD_VERIFIER"), None, Cause.unavailable),
        (error("UserNotFoundException"), None, Cause.unknown_user),
        (error("NotAuthorizedException", "User is disabled."), None, Cause.disabled),
        (None, challenge("SOFTWARE_TOKEN_MFA"), Cause.mfa_required),
        (None, challenge("NEW_PASSWORD_REQUIRED"), Cause.otp_unavailable),
        (None, reply(TOKENS), Cause.misconfigured),
        (None, error("PasswordResetRequiredException"), Cause.reset_required),
        (None, error("NotAuthorizedException", "Password attempts exceeded"), Cause.limit_exceeded),
        (None, HANG_UP, Cause.unavailable),
    ],
)
def test_everything_else_is_refused(
    standin: StandIn, connection: Connection, first: Reply | None, then: Reply | None, cause: Cause
) -> None:
    standin.says("InitiateAuth", first or Pool().begin).says("RespondToAuthChallenge", then or HANG_UP)
    assert refused(connection).cause is cause
    assert standin.operations().count("RespondToAuthChallenge") == (0 if then is None else 1)


@pytest.mark.parametrize(
    "told", [{"SRP_B": "no number"}, {"SALT": "zz"}, {"SECRET_BLOCK": "no base64!"}, {"SRP_B": ""}]
)
def test_an_answer_of_another_shape_is_no_question(
    standin: StandIn, connection: Connection, told: dict[str, Any]
) -> None:
    standin.says("InitiateAuth", Pool(**told).begin)
    assert refused(connection).aws_code == "MalformedResponse"


def test_only_a_challenge_of_the_pools_own_can_have_one_before_it() -> None:
    with pytest.raises(ConnectionConfigError, match="otp_flow"):
        make_connection(first_factor="password")
    assert make_connection(first_factor="password", otp_flow="CUSTOM_AUTH").needs_password
    assert not make_connection(first_factor="password", otp_flow="CUSTOM_AUTH", routes=("oidc",)).needs_password

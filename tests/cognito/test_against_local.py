"""The room against the local Cognito: boto3, tokens and keys over HTTP, nothing scripted."""

import time
from collections.abc import Iterator

import pytest

from cognito_passwordless.cognito import (
    Cause,
    CognitoError,
    CognitoProfile,
    Connection,
    JwksCache,
    OtpChallenge,
    answer_otp,
    find_users,
    get_user,
    list_page,
    start_otp,
    verify_id_token,
)
from cognito_passwordless.identity import Channel

pytest.importorskip("moto", reason="needs the extra `local`")

from cognito_passwordless.local import LocalCognito, LocalPool

ANN = "ann@example.com"
PHONE = "+4915112345678"


@pytest.fixture(scope="module")
def cognito() -> Iterator[LocalCognito]:
    with LocalCognito() as server:
        yield server


def connect(cognito: LocalCognito, pool: LocalPool, **more: object) -> Connection:
    return Connection.from_settings(
        "main",
        "Local",
        pool.client_id,
        pool.client_secret,
        {
            "region": cognito.region,
            "user_pool_id": pool.id,
            "endpoint_url": cognito.url,
            "issuer": pool.issuer,
        }
        | more,
    )


@pytest.fixture
def pool(cognito: LocalCognito) -> LocalPool:
    return cognito.create_pool("test", prevent_user_existence_errors=False)


@pytest.fixture
def connection(cognito: LocalCognito, pool: LocalPool) -> Connection:
    return connect(cognito, pool)


def start_fails(connection: Connection, username: str = ANN) -> CognitoError:
    with pytest.raises(CognitoError) as caught:
        start_otp(connection, username, "email")
    return caught.value


def answer_fails(connection: Connection, challenge: OtpChallenge, code: str) -> Cause:
    with pytest.raises(CognitoError) as caught:
        answer_otp(connection, challenge, code)
    return caught.value.cause


def other_than(code: str | None) -> str:
    return f"{(int(code or 0) + 1) % 10**8:08d}"


@pytest.mark.parametrize(("channel", "address"), [("email", ANN), ("sms", PHONE)])
@pytest.mark.parametrize("secret", [True, False])
def test_a_whole_sign_in(cognito: LocalCognito, channel: str, address: str, secret: bool) -> None:
    pool = cognito.create_pool("whole", client_secret=secret)
    attributes = {"given_name": "Ann"}
    sub = pool.add_user(ANN, phone_number=PHONE, groups=["eu"], attributes=attributes)
    connection = connect(cognito, pool)
    sent = start_otp(connection, address, channel)  # type: ignore[arg-type]
    tokens = answer_otp(connection, sent, cognito.last_code(address) or "")
    claims = verify_id_token(connection, tokens.id_token, now=time.time(), jwks=JwksCache())
    scope = ["openid", "profile", "email", "phone"]
    profile = CognitoProfile.from_claims(claims, pool=connection.pool, scope=scope, proven=[address])
    assert (profile.pool, profile.sub, profile.email) == (pool.id, sub, ANN)
    assert profile.email_verified
    assert profile.phone_number == PHONE
    assert profile.groups == ("eu",)
    assert profile.attributes["given_name"] == "Ann"


def test_an_access_token_is_not_an_id_token(cognito: LocalCognito, pool: LocalPool, connection: Connection) -> None:
    pool.add_user(ANN)
    sent = start_otp(connection, ANN, "email")
    tokens = answer_otp(connection, sent, cognito.last_code(ANN) or "")
    with pytest.raises(CognitoError) as caught:
        verify_id_token(connection, tokens.access_token, now=time.time(), jwks=JwksCache())
    assert caught.value.cause is Cause.token_invalid


def test_the_token_of_another_pool_is_refused(cognito: LocalCognito, pool: LocalPool, connection: Connection) -> None:
    pool.add_user(ANN)
    sent = start_otp(connection, ANN, "email")
    tokens = answer_otp(connection, sent, cognito.last_code(ANN) or "")
    other = connect(cognito, cognito.create_pool("other"))
    with pytest.raises(CognitoError) as caught:
        verify_id_token(other, tokens.id_token, now=time.time(), jwks=JwksCache())
    assert caught.value.detail == "wrong issuer"


def test_wrong_codes_leave_the_session_and_success_ends_it(
    cognito: LocalCognito, pool: LocalPool, connection: Connection
) -> None:
    pool.add_user(ANN)
    sent = start_otp(connection, ANN, "email")
    code = cognito.last_code(ANN) or ""
    for _ in range(6):
        assert answer_fails(connection, sent, other_than(code)) is Cause.wrong_code
    answer_otp(connection, sent, code)
    assert answer_fails(connection, sent, code) is Cause.session_used


def test_a_session_runs_out(cognito: LocalCognito, pool: LocalPool, connection: Connection) -> None:
    pool.add_user(ANN)
    sent = start_otp(connection, ANN, "email")
    cognito.advance(3 * 60 + 1)
    assert answer_fails(connection, sent, cognito.last_code(ANN) or "") is Cause.session_expired


def test_unknown_people_are_told_or_hidden(cognito: LocalCognito, connection: Connection) -> None:
    assert start_fails(connection, "nobody@example.com").cause is Cause.unknown_user
    hiding = connect(cognito, cognito.create_pool("hiding", prevent_user_existence_errors=True))
    sent = start_otp(hiding, "nobody@example.com", "email")
    assert cognito.last_code("nobody@example.com") is None
    assert answer_fails(hiding, sent, "12345678") is Cause.wrong_code


@pytest.mark.parametrize(
    ("person", "cause"),
    [
        ({"enabled": False}, Cause.disabled),
        ({"status": "UNCONFIRMED"}, Cause.unconfirmed),
        ({"status": "RESET_REQUIRED"}, Cause.reset_required),
        ({"status": "FORCE_CHANGE_PASSWORD"}, Cause.otp_unavailable),
        ({"mfa": True}, Cause.otp_unavailable),
        ({"status": "EXTERNAL_PROVIDER"}, Cause.not_authorized),
    ],
)
def test_people_who_cannot(pool: LocalPool, connection: Connection, person: dict[str, object], cause: Cause) -> None:
    pool.add_user(ANN, **person)  # type: ignore[arg-type]
    failure = start_fails(connection)
    assert failure.cause is cause
    assert failure.cause.scope == "person"
    if cause is Cause.otp_unavailable:
        assert set(failure.available) == {"PASSWORD", "PASSWORD_SRP"}


@pytest.mark.parametrize(
    ("person", "obstacle"),
    [
        ({}, None),
        ({"enabled": False}, Cause.disabled),
        ({"status": "ARCHIVED"}, Cause.archived),
        ({"status": "FORCE_CHANGE_PASSWORD"}, Cause.force_change_password),
        ({"mfa": True}, Cause.mfa_required),
    ],
)
def test_the_directory_tells_apart_what_a_start_does_not(
    pool: LocalPool, connection: Connection, person: dict[str, object], obstacle: Cause | None
) -> None:
    sub = pool.add_user(ANN, **person)  # type: ignore[arg-type]
    user = get_user(connection, sub)
    assert (user.sub, user.email, user.obstacle) == (sub, ANN, obstacle)


def test_a_person_without_a_telephone_has_no_code_by_sms(pool: LocalPool, connection: Connection) -> None:
    pool.add_user(ANN)
    with pytest.raises(CognitoError) as caught:
        start_otp(connection, ANN, "sms")
    assert caught.value.cause is Cause.otp_unavailable
    assert "EMAIL_OTP" in caught.value.available


def test_mistakes_of_the_setup(cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user(ANN)
    wrong_secret = LocalPool(pool.id, pool.client_id, "wrong", pool.issuer, None)
    no_secret = LocalPool(pool.id, pool.client_id, None, pool.issuer, None)
    no_client = LocalPool(pool.id, "nobody", None, pool.issuer, None)
    lite = cognito.create_pool("lite", plan="LITE")
    no_flow = cognito.create_pool("no flow", flows=["ALLOW_CUSTOM_AUTH"])
    for mistaken in (wrong_secret, no_secret, no_client, lite, no_flow):
        assert start_fails(connect(cognito, mistaken)).cause is Cause.misconfigured


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("throttle", Cause.throttled),
        ("500", Cause.unavailable),
        ("bad_json", Cause.unavailable),
        ("UnexpectedLambdaException", Cause.lambda_failed),
        ("UserLambdaValidationException", Cause.lambda_refused),
    ],
)
def test_faults(cognito: LocalCognito, pool: LocalPool, connection: Connection, fault: str, cause: Cause) -> None:
    pool.add_user(ANN)
    cognito.fail("InitiateAuth", fault, times=2, pool_id=pool.id)
    try:
        assert start_fails(connection).cause is cause
    finally:
        cognito.faults.clear()
    sent = start_otp(connection, ANN, "email")
    cognito.fail("RespondToAuthChallenge", fault, pool_id=pool.id)
    assert answer_fails(connection, sent, "12345678") is cause
    answer_otp(connection, sent, cognito.last_code(ANN) or "")


def test_walking_and_searching_the_directory(pool: LocalPool, connection: Connection) -> None:
    subs = {pool.add_user(f"user{number}@example.com") for number in range(7)}
    page = list_page(connection)
    assert {row["Username"] for row in page.rows} == subs
    (found,) = find_users(connection, attribute="email", value="user3@example.com")
    assert found.email == "user3@example.com"
    assert found.created_at
    assert find_users(connection, attribute="email", value="nobody@example.com") == []
    with pytest.raises(CognitoError) as caught:
        get_user(connection, "nobody@example.com")
    assert caught.value.cause is Cause.unknown_user


def metadata(connection: Connection, operation: str) -> dict[str, str]:
    return {"site": connection.alias, "operation": operation}


def failing(connection: Connection, operation: str) -> dict[str, str]:
    raise RuntimeError("of the site")


def test_what_the_site_says_reaches_the_pools_triggers(cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user(ANN)
    seen = []
    cognito.attach_triggers(pool, {"PostAuthentication": lambda event, context: seen.append(event) or event})
    connection = connect(cognito, pool, client_metadata=f"{__name__}.metadata")
    challenge = start_otp(connection, ANN, Channel.EMAIL)
    answer_otp(connection, challenge, cognito.last_code(ANN) or "")
    assert seen[0]["request"]["clientMetadata"] == {"site": "main", "operation": "RespondToAuthChallenge"}


@pytest.mark.parametrize("path", [f"{__name__}.failing", f"{__name__}.nowhere", "no.such.module"])
def test_metadata_that_cannot_be_had_is_a_mistake_of_the_setup(
    cognito: LocalCognito, pool: LocalPool, path: str
) -> None:
    with pytest.raises(CognitoError) as caught:
        start_otp(connect(cognito, pool, client_metadata=path), ANN, Channel.EMAIL)
    assert caught.value.cause is Cause.misconfigured

import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_passwordless.cognito import (
    Cause,
    CognitoError,
    Connection,
    OtpChallenge,
    answer_otp,
    get_user,
    idp_client,
    start_otp,
)
from cognito_passwordless.cognito.client import MAX_CLIENTS, replace_clients, silence

from .conftest import make_connection
from .standin import HANG, HANG_UP, Reply, StandIn, challenge, error, reply

SESSION = "session-secret-" * 4
CODE = "31415926"
TOKEN = "eyJ.token-secret.sig"
SECRETS = (SESSION, CODE, TOKEN, "hush-hush", "ann@example.com")


class Everything(logging.Handler):
    """Keeps what every record holds, formatted and raw."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.texts: list[str] = []
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.names.append(record.name)
        self.texts.append(f"{record.getMessage()} {record.args!r} {vars(record)!r} {trace}")


@pytest.fixture
def records() -> Iterator[Everything]:
    root, handler = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def sign_in(connection: Connection) -> None:
    sent = start_otp(connection, "ann@example.com", "email")
    answer_otp(connection, sent, CODE)


@pytest.mark.parametrize(
    "last",
    [
        reply({"AuthenticationResult": {"IdToken": TOKEN, "AccessToken": TOKEN}}),
        error("CodeMismatchException", f"{CODE} {SESSION}"),
        error("InternalErrorException", CODE, 500),
        Reply(b'{"AuthenticationResult": {"IdToken": "' + TOKEN.encode()),
        Reply(b"\xff" + TOKEN.encode()),
        HANG_UP,
    ],
)
def test_at_debug_no_record_holds_a_secret(standin: StandIn, records: Everything, last: Reply) -> None:
    connection = make_connection(endpoint_url=standin.url, client_secret="hush-hush")
    standin.says("InitiateAuth", challenge("EMAIL_OTP", SESSION))
    standin.says("RespondToAuthChallenge", last)
    try:
        sign_in(connection)
    except CognitoError as failure:
        records.texts.append("".join(traceback.format_exception(failure)))
    assert standin.requests[-1].body["ChallengeResponses"]["EMAIL_OTP_CODE"] == CODE
    for secret in SECRETS:
        assert [text for text in records.texts if secret in text] == []


def test_the_search_would_have_found_them(standin: StandIn, records: Everything) -> None:
    """The same call past our door: botocore does log the body."""
    standin.says("RespondToAuthChallenge", error("CodeMismatchException"))
    client = idp_client(make_connection(endpoint_url=standin.url), "answer")
    with pytest.raises(client.exceptions.CodeMismatchException):
        client.respond_to_auth_challenge(
            ClientId="c",
            ChallengeName="EMAIL_OTP",
            Session=SESSION,
            ChallengeResponses={"EMAIL_OTP_CODE": CODE},
        )
    assert any(CODE in text for text in records.texts)
    assert any(SESSION in text for text in records.texts)


def test_only_this_thread_is_silent_and_only_below_info(records: Everything) -> None:
    logger = logging.getLogger("botocore.endpoint")

    def other() -> None:
        logger.debug("from another thread")

    with silence():
        logger.debug("held back")
        logger.info("let through")
        logging.getLogger("site").debug("not AWS's")
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    logger.debug("afterwards")
    said = [text.split(" ()")[0] for text in records.texts]
    assert said == ["let through", "not AWS's", "from another thread", "afterwards"]


def test_a_logger_that_appears_later_is_silent_too(records: Everything) -> None:
    logger = logging.getLogger("botocore.module_of_tomorrow")
    with silence():
        logger.debug("held back")
    assert records.texts == []
    assert len(logger.filters) == 1
    with silence():
        assert len(logger.filters) == 1


def frames(failure: BaseException) -> Iterator[str]:
    """What an error report that shows local variables would show, of our own frames."""
    for frame, _line in traceback.walk_tb(failure.__traceback__):
        if "cognito_passwordless" in frame.f_code.co_filename:
            for value in frame.f_locals.values():
                yield repr(value)


HALF = reply({"AuthenticationResult": {"IdToken": TOKEN}})
MORE = challenge("SMS_MFA", SESSION)
WRONG = error("CodeMismatchException", CODE)


@pytest.mark.parametrize("said", [WRONG, HANG_UP, Reply(b"[]"), MORE, HALF])
def test_an_error_of_the_answer_leads_to_no_secret(standin: StandIn, connection: Connection, said: Reply) -> None:
    standin.says("RespondToAuthChallenge", said)
    waiting = OtpChallenge(SESSION, "EMAIL_OTP", "ann@example.com", "EMAIL", "")
    with pytest.raises(CognitoError) as caught:
        answer_otp(connection, waiting, CODE)
    no_secret(caught.value)


OFFER = challenge("SELECT_CHALLENGE", SESSION, AvailableChallenges=["EMAIL_OTP"])
NO_OFFER = challenge("SELECT_CHALLENGE", SESSION, AvailableChallenges=["PASSWORD"])


@pytest.mark.parametrize(
    ("first", "second"),
    [(MORE, MORE), (NO_OFFER, MORE), (HALF, MORE), (OFFER, MORE), (OFFER, WRONG), (OFFER, HALF)],
)
def test_an_error_of_the_start_leads_to_no_secret(
    standin: StandIn, connection: Connection, first: Reply, second: Reply
) -> None:
    standin.says("InitiateAuth", first).says("RespondToAuthChallenge", second)
    with pytest.raises(CognitoError) as caught:
        start_otp(connection, "ann@example.com", "email")
    no_secret(caught.value)


def no_secret(failure: CognitoError) -> None:
    assert failure.__context__ is None
    assert failure.__cause__ is None
    shown = list(frames(failure))
    assert shown
    for secret in (CODE, SESSION, TOKEN):
        assert [text for text in shown if secret in text] == []


def test_one_client_for_each_place_and_purpose(standin: StandIn) -> None:
    here = make_connection(endpoint_url=standin.url)
    assert idp_client(here) is idp_client(make_connection(alias="b", endpoint_url=standin.url))
    assert idp_client(here) is not idp_client(here, "answer")
    assert idp_client(here) is not idp_client(make_connection())


@pytest.mark.slow
def test_the_number_of_clients_is_bounded() -> None:
    before = replace_clients({})
    for number in range(MAX_CLIENTS + 1):
        idp_client(make_connection(endpoint_url=f"http://127.0.0.1:{40_000 + number}"))
    assert len(replace_clients(before)) == MAX_CLIENTS


def test_many_threads_build_one_client(standin: StandIn) -> None:
    here, built = make_connection(endpoint_url=standin.url), []
    barrier = threading.Barrier(8)

    def build() -> None:
        barrier.wait()
        built.append(idp_client(here, "directory"))

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in built}) == 1


@pytest.mark.parametrize(
    ("purpose", "attempts", "signed"),
    [("start", 1, False), ("answer", 1, False), ("directory", 2, True)],
)
def test_limits_of_each_client(purpose: Any, attempts: int, signed: bool) -> None:
    config: Any = idp_client(make_connection(), purpose).meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries["total_max_attempts"] == attempts
    assert (config.signature_version == "v4") is signed


def test_an_environment_that_wants_more_attempts_does_not_get_them(
    standin: StandIn, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    standin.says("RespondToAuthChallenge", error("InternalErrorException", status=500))
    with pytest.raises(CognitoError):
        answer_otp(connection, OtpChallenge(SESSION, "EMAIL_OTP", "a", "EMAIL", ""), CODE)
    assert len(standin.requests) == 1


@pytest.mark.slow
def test_an_answer_that_hangs_spends_one_attempt_and_five_seconds(standin: StandIn, connection: Connection) -> None:
    standin.says("RespondToAuthChallenge", HANG)
    begun = time.monotonic()
    with pytest.raises(CognitoError) as caught:
        answer_otp(connection, OtpChallenge(SESSION, "EMAIL_OTP", "a", "EMAIL", ""), CODE)
    assert caught.value.cause is Cause.timeout
    assert 4.5 < time.monotonic() - begun < 9.5
    assert len(standin.requests) == 1


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize("host", ["127.0.0.1", "pool-that-is-nowhere.internal"])
def test_refused_and_unknown_hosts_are_outages(host: str) -> None:
    with pytest.raises(CognitoError) as caught:
        start_otp(make_connection(endpoint_url=f"http://{host}:{closed_port()}"), "ann@example.com", "email")
    assert caught.value.cause is Cause.unavailable
    assert caught.value.aws_code == "EndpointConnectionError"


def test_a_site_without_an_aws_identity_signs_people_in_but_reads_no_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    # A server of its own: a client keeps the identity with which it was built.
    with StandIn().says("InitiateAuth", challenge("EMAIL_OTP")) as standin:
        connection = make_connection(endpoint_url=standin.url)
        start_otp(connection, "ann@example.com", "email")
        with pytest.raises(CognitoError) as caught:
            get_user(connection, "ann@example.com")
    assert caught.value.cause is Cause.misconfigured
    assert caught.value.aws_code == "NoCredentialsError"

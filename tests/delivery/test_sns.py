import io
from collections.abc import Iterator
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.sns.models import SNSBackend, sns_backends

from cognito_passwordless.delivery import Failure, Message, SendFailed, aws
from cognito_passwordless.delivery.sns import SnsSender

from .conftest import CODE, NUMBER, TEXT
from .provider import Answer, Provider, closed_port

REGION = "eu-west-1"
SENT = Answer(
    body="<PublishResponse><PublishResult><MessageId>id-1</MessageId></PublishResult></PublishResponse>",
    content_type="text/xml",
)


def refusal(status: int, code: str, text: str = "no") -> Answer:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
    return Answer(status, body, "text/xml")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(SENT) as running:
        yield running


def failure_of(message: Message, url: str) -> SendFailed:
    with pytest.raises(SendFailed) as failed:
        SnsSender(region=REGION, endpoint_url=url).send(message)
    assert failed.value.__context__ is None  # the frames of botocore hold the message
    return failed.value


def test_moto_gets_the_message_with_sender_id_type_and_origin(sms: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    publish = SNSBackend.publish

    def look(self: SNSBackend, *args: Any, **options: Any) -> str:
        seen.append(options["message_attributes"])
        return publish(self, *args, **options)

    monkeypatch.setattr(SNSBackend, "publish", look)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        sender = SnsSender(
            sender_id="Example",
            sms_type="Transactional",
            origination_number="+12065550100",
            region=REGION,
            endpoint_url=f"http://{host}:{port}",
        )
        message_id = sender.send(sms)
    finally:
        server.stop()
    kept = sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages
    assert kept[message_id] == (NUMBER, TEXT)
    attributes = {name: (value["Type"], value["Value"]) for name, value in seen[0].items()}
    assert attributes == {
        "AWS.SNS.SMS.SenderID": ("String", "Example"),
        "AWS.SNS.SMS.SMSType": ("String", "Transactional"),
        "AWS.MM.SMS.OriginationNumber": ("String", "+12065550100"),
    }


@pytest.mark.parametrize(
    ("answer", "failure", "cause"),
    [
        (refusal(400, "Throttling"), Failure.LATER, "sns_Throttling"),
        (refusal(429, "TooManyRequestsException"), Failure.LATER, "sns_TooManyRequestsException"),
        (refusal(500, "InternalError"), Failure.LATER, "sns_InternalError"),
        (refusal(503, "ServiceUnavailable"), Failure.LATER, "sns_ServiceUnavailable"),
        (
            refusal(400, "InvalidParameter", f"Invalid parameter: PhoneNumber Reason: {NUMBER} is not valid"),
            Failure.RECIPIENT,
            "sns_InvalidParameter",
        ),
        (refusal(400, "OptedOut"), Failure.RECIPIENT, "sns_OptedOut"),
        (refusal(400, "InvalidParameter", "Invalid parameter: SenderID"), Failure.REFUSED, "sns_InvalidParameter"),
        (refusal(403, "AuthorizationError"), Failure.REFUSED, "sns_AuthorizationError"),
        (refusal(403, "InvalidClientTokenId"), Failure.REFUSED, "sns_InvalidClientTokenId"),
        (Answer(502, "<html>bad gateway</html>", "text/html"), Failure.LATER, "sns_502"),
        (Answer(drops=True), Failure.UNKNOWN, "ConnectionClosedError"),
    ],
)
def test_what_sns_says_is_understood(
    provider: Provider, sms: Message, answer: Answer, failure: Failure, cause: str
) -> None:
    provider.script.append(answer)
    failed = failure_of(sms, provider.url)
    assert (failed.failure, failed.cause) == (failure, cause)
    assert len(provider.requests) == 1, "botocore asked again by itself"


@pytest.mark.usefixtures("_impatient")
def test_a_message_that_is_not_answered_may_be_out(provider: Provider, sms: Message) -> None:
    provider.script.append(Answer(hangs=True))
    assert failure_of(sms, provider.url).failure is Failure.UNKNOWN
    assert len(provider.requests) == 1


@pytest.mark.usefixtures("_impatient")
def test_a_service_that_cannot_be_reached_has_sent_nothing(sms: Message) -> None:
    assert failure_of(sms, closed_port()).failure is Failure.LATER


def test_a_site_without_credentials_is_not_set_up(
    provider: Provider, sms: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    aws.forget_clients()
    assert failure_of(sms, provider.url).failure is Failure.REFUSED
    assert not provider.requests


def test_nothing_of_the_message_is_logged(provider: Provider, sms: Message, everything_logged: io.StringIO) -> None:
    provider.script.append(refusal(500, "InternalError", TEXT))
    failed = failure_of(sms, provider.url)
    SnsSender(region=REGION, endpoint_url=provider.url).send(sms)
    assert CODE in provider.requests[1].form["Message"]
    for place in (everything_logged.getvalue(), repr(failed), str(failed), repr(sms)):
        assert CODE not in place
        assert NUMBER not in place


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, ""),
        ({"sender_id": "Example"}, ""),
        ({"sender_id": "An Example"}, "sender_id"),
        ({"sender_id": "12345"}, "sender_id"),
        ({"sender_id": "ExampleExample"}, "sender_id"),
        ({"origination_number": "0151 123"}, "origination_number"),
        ({"sms_type": "transactional"}, "sms_type"),
        ({"region": None}, "region"),
    ],
)
def test_it_checks_its_options(options: dict[str, Any], complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    found = SnsSender(**{"region": REGION, **options}).check()
    assert [complaint in text for text in found] == ([True] if complaint else [])

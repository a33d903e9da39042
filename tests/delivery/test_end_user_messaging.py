import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_passwordless.delivery import Failure, Message, SendFailed
from cognito_passwordless.delivery.end_user_messaging import EndUserMessagingSender

from .conftest import CODE, NUMBER, TEXT
from .provider import Answer, Provider

REGION = "eu-west-1"
SENT = Answer(body=json.dumps({"MessageId": "id-1"}), content_type="application/x-amz-json-1.0")


def refusal(status: int, name: str, **members: Any) -> Answer:
    body = {"__type": name, "Message": "no", **members}
    return Answer(status, json.dumps(body), "application/x-amz-json-1.0")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(SENT) as running:
        yield running


def send(message: Message, provider: Provider, **options: Any) -> str:
    return EndUserMessagingSender(region=REGION, endpoint_url=provider.url, **options).send(message)


def test_the_request_names_origin_type_reference_and_how_long_the_code_is_valid(
    provider: Provider, sms: Message
) -> None:
    message_id = send(sms, provider, origination_identity="pool-1", configuration_set="codes", max_price="0.20")
    assert message_id == "id-1"
    (request,) = provider.requests
    assert request.headers["X-Amz-Target"] == "PinpointSMSVoiceV2.SendTextMessage"
    assert request.json == {
        "DestinationPhoneNumber": NUMBER,
        "MessageBody": TEXT,
        "MessageType": "TRANSACTIONAL",
        "OriginationIdentity": "pool-1",
        "ConfigurationSetName": "codes",
        "MaxPrice": "0.20",
        "Context": {"reference": "challenge-1"},
        "TimeToLive": 540,
    }


@pytest.mark.parametrize(
    ("answer", "failure", "cause"),
    [
        (refusal(400, "ThrottlingException"), Failure.LATER, "eum_ThrottlingException"),
        (refusal(500, "InternalServerException"), Failure.LATER, "eum_InternalServerException"),
        (
            refusal(400, "ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"),
            Failure.RECIPIENT,
            "eum_DESTINATION_PHONE_NUMBER_OPTED_OUT",
        ),
        (
            refusal(
                400,
                "ValidationException",
                Reason="FIELD_VALIDATION_FAILED",
                Fields=[{"Name": "DestinationPhoneNumber", "Message": "no"}],
            ),
            Failure.RECIPIENT,
            "eum_FIELD_VALIDATION_FAILED",
        ),
        (
            refusal(400, "ValidationException", Reason="SENDER_ID_NOT_REGISTERED"),
            Failure.REFUSED,
            "eum_ValidationException",
        ),
        (
            refusal(400, "ServiceQuotaExceededException", Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            Failure.REFUSED,
            "eum_ServiceQuotaExceededException",
        ),
        (refusal(400, "AccessDeniedException"), Failure.REFUSED, "eum_AccessDeniedException"),
        (Answer(drops=True), Failure.UNKNOWN, "ConnectionClosedError"),
    ],
)
def test_what_aws_says_is_understood(
    provider: Provider, sms: Message, answer: Answer, failure: Failure, cause: str
) -> None:
    provider.script.append(answer)
    with pytest.raises(SendFailed) as failed:
        send(sms, provider)
    assert (failed.value.failure, failed.value.cause) == (failure, cause)
    assert failed.value.__context__ is None
    assert len(provider.requests) == 1


@pytest.mark.usefixtures("_impatient")
def test_a_message_that_is_not_answered_may_be_out(provider: Provider, sms: Message) -> None:
    provider.script.append(Answer(hangs=True))
    with pytest.raises(SendFailed) as failed:
        send(sms, provider)
    assert failed.value.failure is Failure.UNKNOWN


def test_nothing_of_the_message_is_logged(provider: Provider, sms: Message, everything_logged: io.StringIO) -> None:
    send(sms, provider)
    assert CODE not in everything_logged.getvalue()
    assert NUMBER not in everything_logged.getvalue()


def test_it_checks_its_options() -> None:
    assert EndUserMessagingSender(region=REGION).check() == []
    (complaint,) = EndUserMessagingSender(region=REGION, message_type="Transactional").check()
    assert "message_type" in complaint

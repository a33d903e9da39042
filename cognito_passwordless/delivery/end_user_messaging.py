"""SMS through AWS End User Messaging, which AWS calls ``pinpoint-sms-voice-v2`` in its API."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.views.decorators.debug import sensitive_variables

from ..cognito.client import silence
from . import aws
from .base import Failure, Message, SendFailed

MESSAGE_TYPES = ("TRANSACTIONAL", "PROMOTIONAL")
LEAST_TIME_TO_LIVE = 5  # seconds; the API takes no less

# The reasons of a ConflictException that are about the recipient:
# https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_ConflictException.html
_ABOUT_THE_NUMBER = frozenset(
    {"DESTINATION_PHONE_NUMBER_OPTED_OUT", "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"}
)


class EndUserMessagingSender:
    """Sends a text message from a pool, a number or a sender id.

    ``origination_identity``: a pool, phone number or sender id, by id or ARN; AWS chooses where it is empty.
    ``message_type``: ``TRANSACTIONAL`` or ``PROMOTIONAL``. ``configuration_set``, ``protect_configuration``: by name
    or ARN. ``max_price``: US dollars for one part. ``region``, ``endpoint_url`` as for boto3. ``rate``: what the
    origination identity may send, as in ``"10/1s"``, kept by all workers together.

    The message carries its reference as context and the seconds that its code is valid as its time to live, so that
    AWS does not deliver it later than that.
    """

    def __init__(
        self,
        *,
        origination_identity: str | None = None,
        message_type: str = "TRANSACTIONAL",
        configuration_set: str | None = None,
        protect_configuration: str | None = None,
        max_price: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        rate: str | None = None,
    ) -> None:
        self.region = region
        self.endpoint_url = endpoint_url
        self.rate = rate
        chosen = {
            "OriginationIdentity": origination_identity,
            "MessageType": message_type,
            "ConfigurationSetName": configuration_set,
            "ProtectConfigurationId": protect_configuration,
            "MaxPrice": max_price,
        }
        self._parameters = {name: value for name, value in chosen.items() if value}

    def check(self) -> list[str]:
        """What is wrong with the options."""
        found = aws.problems_of_origin(self.region, {})
        if self._parameters.get("MessageType") not in MESSAGE_TYPES:
            found.append(f"'message_type' must be one of {', '.join(MESSAGE_TYPES)}")
        return found

    @sensitive_variables()
    def send(self, message: Message) -> str:
        parameters: dict[str, Any] = {
            **self._parameters,
            "DestinationPhoneNumber": message.recipient,
            "MessageBody": message.text,
        }
        if message.reference:
            parameters["Context"] = {"reference": message.reference}
        if message.valid_for:
            parameters["TimeToLive"] = max(LEAST_TIME_TO_LIVE, message.valid_for)
        try:
            with silence():
                client = aws.client("pinpoint-sms-voice-v2", self.region, self.endpoint_url)
                return str(client.send_text_message(**parameters)["MessageId"])
        except ClientError as error:
            failure = _answered(error)
        except BotoCoreError as error:
            failure = aws.failed(error, "eum")
        raise failure


def _answered(error: ClientError) -> SendFailed:
    reason, fields = str(error.response.get("Reason", "")), error.response.get("Fields")
    names = [field.get("Name") for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []
    if reason in _ABOUT_THE_NUMBER or "DestinationPhoneNumber" in names:
        return SendFailed(f"eum_{reason or 'INVALID_DESTINATION'}", Failure.RECIPIENT)
    return aws.failed(error, "eum")

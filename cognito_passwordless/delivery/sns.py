"""SMS through Amazon SNS."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from django.views.decorators.debug import sensitive_variables

from ..cognito.client import silence
from . import aws
from .base import Failure, Message, SendFailed

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, "Errors". The same codes tell of any other parameter, so
# the text has to name the number: "Invalid parameter: PhoneNumber Reason: +4915… is not valid to publish to".
_INVALID = frozenset({"InvalidParameter", "ParameterValueInvalid", "InvalidParameterValue"})
SMS_TYPES = ("Transactional", "Promotional")


class SnsSender:
    """Publishes to a phone number.

    ``sender_id`` (up to 11 letters and digits), ``sms_type`` (``Transactional`` or ``Promotional``),
    ``origination_number`` (E.164), ``region`` and ``endpoint_url`` are as in
    https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html. ``rate`` is the account's quota, kept by all
    workers together; SNS begins with 20 messages a second.

    SNS cannot drop a repeat by itself: a copy that follows a time-out may arrive twice.
    """

    def __init__(
        self,
        *,
        sender_id: str | None = None,
        sms_type: str = "Transactional",
        origination_number: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        rate: str | None = "20/1s",
    ) -> None:
        self.region = region
        self.endpoint_url = endpoint_url
        self.rate = rate
        self._origin = {"sender_id": sender_id, "origination_number": origination_number}
        self._sms_type = sms_type
        chosen = {
            "AWS.SNS.SMS.SenderID": sender_id,
            "AWS.SNS.SMS.SMSType": sms_type,
            "AWS.MM.SMS.OriginationNumber": origination_number,
        }
        self.attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value} for name, value in chosen.items() if value
        }

    def check(self) -> list[str]:
        """What is wrong with the options."""
        found = aws.problems_of_origin(self.region, self._origin)
        if self._sms_type not in SMS_TYPES:
            found.append(f"'sms_type' must be one of {', '.join(SMS_TYPES)}")
        return found

    @sensitive_variables()
    def send(self, message: Message) -> str:
        try:
            with silence():
                answer = aws.client("sns", self.region, self.endpoint_url).publish(
                    PhoneNumber=message.recipient, Message=message.text, MessageAttributes=self.attributes
                )
            return str(answer["MessageId"])
        except (ClientError, BotoCoreError) as error:
            failure = aws.failed(error, "sns")
            details = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
            code = details.get("Code", "")
            if code == "OptedOut" or (code in _INVALID and "PhoneNumber" in details.get("Message", "")):
                failure = SendFailed(f"sns_{code}", Failure.RECIPIENT)
        # Outside the except block: no __context__, so no frame of botocore with the message.
        raise failure

"""SMS by Amazon SNS. https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html

``SNS_SENDER_ID``, ``SNS_SMS_TYPE`` (Transactional or Promotional), ``SNS_ORIGINATION_NUMBER``, ``SNS_REGION``.
"""

from ...aws.client import CallFailed, query_call
from ...core.deadline import Deadline
from ...core.environment import Settings
from ...errors import Unavailable
from . import Message

# What SNS says about a number rather than about itself: it does not take it, or its owner wants no messages.
_PERSONAL = frozenset({"InvalidParameter", "InvalidParameterValue", "OptedOut"})


def send(message: Message, *, settings: Settings, deadline: Deadline) -> str:
    parameters = {
        "Action": "Publish",
        "Version": "2010-03-31",
        "PhoneNumber": message.recipient,
        "Message": message.text,
    }
    chosen = {
        "AWS.SNS.SMS.SenderID": settings.text("SNS_SENDER_ID"),
        "AWS.SNS.SMS.SMSType": settings.choice("SNS_SMS_TYPE", "Transactional", "Promotional"),
        "AWS.MM.SMS.OriginationNumber": settings.text("SNS_ORIGINATION_NUMBER"),
    }
    for number, (name, value) in enumerate(((n, v) for n, v in chosen.items() if v), start=1):
        entry = f"MessageAttributes.entry.{number}"
        parameters |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
    try:
        query_call("sns", parameters, settings=settings, deadline=deadline, region=settings.text("SNS_REGION"))
    except CallFailed as error:
        raise Unavailable(error.cause, personal=error.code in _PERSONAL) from None
    return "sns"

"""E-mail by Amazon SES. https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html

``EMAIL_FROM``, ``SES_REGION``, ``SES_CONFIGURATION_SET``.
"""

from ...aws.client import CallFailed, query_call
from ...core.deadline import Deadline
from ...core.environment import Settings
from ...errors import Misconfigured, Unavailable
from . import Message


def send(message: Message, *, settings: Settings, deadline: Deadline) -> str:
    source = settings.text("EMAIL_FROM")
    if not source:
        raise Misconfigured("EMAIL_FROM must be set")
    parameters = {
        "Action": "SendEmail",
        "Version": "2010-12-01",
        "Source": source,
        "Destination.ToAddresses.member.1": message.recipient,
        "Message.Subject.Data": message.subject,
        "Message.Subject.Charset": "UTF-8",
        "Message.Body.Text.Data": message.text,
        "Message.Body.Text.Charset": "UTF-8",
    }
    if message.html:
        parameters |= {"Message.Body.Html.Data": message.html, "Message.Body.Html.Charset": "UTF-8"}
    if settings.text("SES_CONFIGURATION_SET"):
        parameters["ConfigurationSetName"] = settings.text("SES_CONFIGURATION_SET")
    try:
        query_call("ses", parameters, settings=settings, deadline=deadline, region=settings.text("SES_REGION"))
    except CallFailed as error:
        # In the sandbox, and after a bounce, SES refuses single addresses this way.
        raise Unavailable(error.cause, personal=error.code == "InvalidParameterValue") from None
    return "ses"

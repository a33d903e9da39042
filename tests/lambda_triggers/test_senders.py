"""Messages through real clients to stand-ins on loopback: moto for AWS, aiosmtpd for SMTP."""

import base64
import json
import smtplib
import socket
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aiosmtpd.controller import Controller

from cognito_passwordless.lambda_triggers.core.deadline import BUDGET, Deadline
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Unavailable
from cognito_passwordless.lambda_triggers.messages.senders import Message, deliver

from .aws import AWS, moto_server
from .rounds import COGNITO_WAITS, PHONE, UNHURRIED
from .standin import Provider, hanging, provider

SMS = Message(channel="sms", recipient=PHONE, text="123456 is your code & more: ü €")
MAIL = Message(channel="email", recipient="ann@example.com", text="123456 ü\n", subject="Your code für €")


@pytest.fixture
def stand_in() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


def send(message: Message, *, seconds: float = UNHURRIED, **environment: str) -> str:
    return deliver(message, settings=Settings({**AWS, **environment}), deadline=Deadline(seconds))


def test_sns_publishes_to_the_number(stand_in: Provider) -> None:
    stand_in.body = b"<PublishResponse><MessageId>1</MessageId></PublishResponse>"
    sent = send(SMS, OTP_SENDERS="sns", AWS_ENDPOINT_URL=stand_in.url, SNS_SENDER_ID="Example", SNS_REGION="us-east-1")
    assert sent == "sns"
    form = stand_in.form
    assert (form["Action"], form["PhoneNumber"], form["Message"]) == ("Publish", PHONE, SMS.text)
    attributes = {
        form[f"MessageAttributes.entry.{n}.Name"]: form[f"MessageAttributes.entry.{n}.Value.StringValue"]
        for n in (1, 2)
    }
    assert attributes == {"AWS.SNS.SMS.SenderID": "Example", "AWS.SNS.SMS.SMSType": "Transactional"}
    assert "/us-east-1/sns/aws4_request" in stand_in.asked[-1][1]["Authorization"]


def test_motos_sns_and_ses_take_our_calls(moto: str) -> None:
    assert send(SMS, OTP_SENDERS="sns", AWS_ENDPOINT_URL=moto) == "sns"
    ses = boto3.client(
        "ses", endpoint_url=moto, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    ses.verify_email_identity(EmailAddress="from@example.com")
    mail = {"OTP_CHANNEL": "email", "OTP_SENDERS": "ses", "AWS_ENDPOINT_URL": moto}
    assert send(MAIL, **mail, EMAIL_FROM="from@example.com") == "ses"
    assert ses.get_send_quota()["SentLast24Hours"] == 1
    with pytest.raises(Unavailable, match="ses_MessageRejected"):
        send(MAIL, **mail, EMAIL_FROM="unverified@example.com")


@pytest.mark.parametrize(
    ("status", "body", "cause", "personal"),
    [
        (400, b"<Code>OptedOut</Code>", "sns_OptedOut", True),
        (400, b"<Code>InvalidParameter</Code>", "sns_InvalidParameter", True),
        (400, b"<Code>Throttled</Code>", "sns_Throttled", False),
        (403, b"<Code>AuthorizationError</Code>", "sns_AuthorizationError", False),
        (500, b"", "sns_http_500", False),
    ],
)
def test_a_refusal_of_sns_is_named(stand_in: Provider, status: int, body: bytes, cause: str, personal: bool) -> None:
    stand_in.status, stand_in.body = status, body
    with pytest.raises(Unavailable, match=cause) as caught:
        send(SMS, OTP_SENDERS="sns", AWS_ENDPOINT_URL=stand_in.url)
    assert caught.value.personal is personal


def test_twilio(stand_in: Provider) -> None:
    account = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token", "TWILIO_FROM": "+15005550006"}
    assert send(SMS, OTP_SENDERS="twilio", TWILIO_URL=stand_in.url, **account) == "twilio"
    path, headers, _ = stand_in.asked[-1]
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"AC1:token").decode()
    assert stand_in.form == {"To": PHONE, "Body": SMS.text, "From": "+15005550006"}
    stand_in.status, stand_in.body = 400, json.dumps({"code": 21610, "message": f"to {PHONE}"}).encode()
    with pytest.raises(Unavailable, match="twilio_21610") as caught:
        send(SMS, OTP_SENDERS="twilio", TWILIO_URL=stand_in.url, **account)
    assert caught.value.personal
    assert PHONE not in str(caught.value)


class Mailbox:
    def __init__(self) -> None:
        self.received: list[Any] = []

    async def handle_DATA(  # noqa: N802  # the name that aiosmtpd calls
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.received.append(envelope)
        return "250 OK"


@pytest.fixture
def smtp() -> Iterator[tuple[Mailbox, dict[str, str]]]:
    mailbox = Mailbox()
    # aiosmtpd visits itself at the port that it is told, so it has to be told a real one.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield (
        mailbox,
        {
            "OTP_CHANNEL": "email",
            "OTP_SENDERS": "smtp",
            "EMAIL_FROM": "Example <from@example.com>",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(port),
            "SMTP_SECURITY": "none",
        },
    )
    controller.stop()


def test_smtp(smtp: tuple[Mailbox, dict[str, str]]) -> None:
    mailbox, environment = smtp
    assert send(MAIL, **environment) == "smtp"
    envelope = mailbox.received[0]
    assert envelope.rcpt_tos == ["ann@example.com"]
    assert b"From: Example <from@example.com>" in envelope.content


def test_nobody_adds_a_header_to_a_mail(smtp: tuple[Mailbox, dict[str, str]]) -> None:
    mailbox, environment = smtp
    evil = Message(channel="email", recipient="ann@example.com\nBcc: eve@example.com", text="x", subject="y")
    with pytest.raises(Unavailable):
        send(evil, **environment)
    assert mailbox.received == []


def test_a_server_without_tls_gets_no_mail_and_its_connection_is_closed(
    smtp: tuple[Mailbox, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, environment = smtp
    closed: list[smtplib.SMTP] = []
    close = smtplib.SMTP.close
    monkeypatch.setattr(smtplib.SMTP, "close", lambda server: (closed.append(server), close(server)))
    with pytest.raises(Unavailable, match="smtp_SMTPNotSupportedError"):
        send(MAIL, **environment | {"SMTP_SECURITY": "starttls"})
    assert closed
    assert mailbox.received == []


@pytest.mark.parametrize("name", ["sns", "ses", "twilio", "smtp", "nowhere", "no.such.sender"])
def test_a_sender_that_is_not_set_up_is_named_in_the_log_only(name: str) -> None:
    with pytest.raises(Unavailable):
        deliver(SMS, settings=Settings({"OTP_SENDERS": name}), deadline=Deadline())


@pytest.mark.parametrize("url", ["http://sns.example.com", "ftp://127.0.0.1", "https://"])
def test_nothing_secret_goes_where_it_could_be_read(url: str) -> None:
    with pytest.raises(Unavailable, match="https"):
        send(SMS, OTP_SENDERS="sns", AWS_ENDPOINT_URL=url)


def test_plain_smtp_is_for_loopback_only() -> None:
    with pytest.raises(Unavailable, match="loopback"):
        send(MAIL, OTP_SENDERS="smtp", SMTP_HOST="mail.example.com", SMTP_SECURITY="none", EMAIL_FROM="a@example.com")


def test_the_next_sender_gets_the_same_message(stand_in: Provider) -> None:
    account = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+1"}
    with provider() as broken:
        broken.status = 500
        where = {"AWS_ENDPOINT_URL": broken.url, "TWILIO_URL": stand_in.url}
        assert send(SMS, OTP_SENDERS="sns,twilio", **where, **account) == "twilio"
        assert broken.form["Message"] == stand_in.form["Body"] == SMS.text


@pytest.mark.parametrize("dripping", [False, True])
def test_one_that_hangs_leaves_time_for_the_next(stand_in: Provider, dripping: bool) -> None:
    account = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+1"}
    with hanging(dripping=dripping) as address:
        began = time.monotonic()
        where = {"AWS_ENDPOINT_URL": address, "TWILIO_URL": stand_in.url}
        assert send(SMS, seconds=BUDGET, OTP_SENDERS="sns,twilio", **where, **account) == "twilio"
    assert time.monotonic() - began < COGNITO_WAITS

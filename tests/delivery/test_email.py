import io
import logging
import socket
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from cognito_passwordless.delivery import Failure, Message, SendFailed
from cognito_passwordless.delivery import email as module
from cognito_passwordless.delivery.email import DjangoEmailSender

from .conftest import CODE
from .mail_server import MailServer

SMTP = "django.core.mail.backends.smtp.EmailBackend"
ANN = "ann@example.com"


@pytest.fixture
def message() -> Message:
    return Message(
        channel="email",
        recipient=ANN,
        subject=f"{CODE} is your code",
        text=f"Your code: {CODE}\n",
        html=f"<p>{CODE}</p>",
        reference="challenge-1",
    )


def sender(port: int, **options: Any) -> DjangoEmailSender:
    return DjangoEmailSender(backend=SMTP, host="127.0.0.1", port=port, **options)


def failure_of(message: Message, port: int, **options: Any) -> SendFailed:
    with pytest.raises(SendFailed) as failed:
        sender(port, **options).send(message)
    assert failed.value.__context__ is None
    assert failed.value.__cause__ is None
    return failed.value


def test_a_mail_server_gets_text_html_and_the_sign_of_a_machine(message: Message) -> None:
    with MailServer() as server:
        sender(server.port, from_email="sign-in@example.com").send(message)
    (received,) = server.behaviour.messages
    assert (received["To"], received["From"], received["Subject"]) == (ANN, "sign-in@example.com", message.subject)
    assert received["Auto-Submitted"] == "auto-generated"
    text, html = received.get_body(("plain",)), received.get_body(("html",))
    assert text
    assert html
    assert text.get_content().split() == message.text.split()
    assert html.get_content().strip() == message.html


@pytest.mark.parametrize(
    ("behaviour", "failure", "cause"),
    [
        ({"recipient": "550 no such person"}, Failure.RECIPIENT, "smtp_550"),
        ({"recipient": "451 come back later"}, Failure.LATER, "smtp_451"),
        ({"data": "451 not now"}, Failure.LATER, "smtp_451"),
        ({"data": "554 not from you"}, Failure.REFUSED, "smtp_554"),
        ({"drops": "data"}, Failure.UNKNOWN, "SMTPServerDisconnected"),
    ],
)
def test_what_a_mail_server_says_is_understood(
    message: Message, behaviour: dict[str, Any], failure: Failure, cause: str
) -> None:
    with MailServer(**behaviour) as server:
        failed = failure_of(message, server.port)
    assert (failed.failure, failed.cause) == (failure, cause)
    assert not server.behaviour.messages


def test_a_server_that_is_slow_with_its_last_word_may_have_taken_the_message(message: Message) -> None:
    with MailServer(delay=1.5) as server:
        assert failure_of(message, server.port, timeout=0.5).failure is Failure.UNKNOWN


def test_what_has_been_accepted_is_sent_however_the_server_says_goodbye(message: Message) -> None:
    with MailServer(drops="end") as server:
        sender(server.port).send(message)
    assert len(server.behaviour.messages) == 1


def test_a_server_that_cannot_be_reached_has_sent_nothing(message: Message) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    failed = failure_of(message, port)
    assert (failed.failure, failed.cause) == (Failure.LATER, "ConnectionRefusedError")


def test_a_server_that_never_says_hello_is_given_up(message: Message) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        failed = failure_of(message, mute.getsockname()[1], timeout=0.2)
    assert failed.failure is Failure.LATER


def test_no_server_is_waited_for_without_end(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[float | None] = []
    monkeypatch.setattr(EmailBackend, "open", lambda self: opened.append(self.timeout))
    monkeypatch.setattr(EmailBackend, "send_messages", lambda self, messages: len(messages))
    sender(25).send(message)
    sender(25, timeout=3).send(message)
    assert opened == [module.TIMEOUT, 3]


def test_without_options_it_is_the_sites_own_mail(message: Message) -> None:
    DjangoEmailSender().send(message)
    assert mail.outbox[-1].to == [ANN]


class HttpError(Exception):
    """As anymail raises it, with the provider's answer, and the message for whoever prints it."""

    def __init__(self, status_code: int) -> None:
        super().__init__(f"{status_code} for {CODE}")
        self.status_code = status_code


class HttpBackend(BaseEmailBackend):
    """As anymail and django-ses are: nothing to open, one request per message."""

    raises: Exception | None = None

    def send_messages(self, email_messages: Any) -> int:
        if self.raises:
            raise self.raises
        email_messages[0].anymail_status = type("Status", (), {"message_id": "id-7"})
        return 1


@pytest.mark.parametrize(
    ("raised", "failure", "cause"),
    [
        (HttpError(429), Failure.LATER, "http_429"),
        (HttpError(503), Failure.LATER, "http_503"),
        (HttpError(401), Failure.REFUSED, "http_401"),
        (TimeoutError(), Failure.UNKNOWN, "TimeoutError"),
        (ConnectionResetError(), Failure.UNKNOWN, "ConnectionResetError"),
        (ValueError(CODE), Failure.REFUSED, "ValueError"),
    ],
)
def test_a_backend_that_speaks_http_is_understood(
    message: Message,
    raised: Exception,
    failure: Failure,
    cause: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(HttpBackend, "raises", raised)
    with caplog.at_level(logging.DEBUG), pytest.raises(SendFailed) as failed:
        DjangoEmailSender(backend=f"{__name__}.HttpBackend").send(message)
    assert (failed.value.failure, failed.value.cause) == (failure, cause)
    assert CODE not in caplog.text


def test_anymails_message_id_is_kept(message: Message) -> None:
    assert DjangoEmailSender(backend=f"{__name__}.HttpBackend").send(message) == "id-7"


def test_nothing_of_the_message_is_logged(message: Message, everything_logged: io.StringIO) -> None:
    with MailServer() as server:
        sender(server.port).send(message)
    with MailServer(data="554 no") as server:
        failed = failure_of(message, server.port)
    ours = [line for line in everything_logged.getvalue().splitlines() if not line.startswith(("mail.", "asyncio"))]
    for place in ("\n".join(ours), repr(failed), repr(message)):
        assert CODE not in place
        assert ANN not in place


def test_options_of_no_backend_are_refused() -> None:
    with pytest.raises(TypeError, match="timeout"):
        DjangoEmailSender(timeout=5)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, ""),
        ({"backend": SMTP, "host": "mail.example.com"}, ""),
        ({"backend": "nowhere.Backend"}, "backend"),
        ({"mailer": "codes"}, "MAILERS"),
    ],
)
def test_it_checks_its_options(options: dict[str, Any], complaint: str) -> None:
    found = DjangoEmailSender(**options).check()
    assert [complaint in text for text in found] == ([True] if complaint else [])

"""The inbox: complete, newest first, and only where it was asked for."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client, override_settings

from cognito_passwordless.delivery import Message
from example_project import mail
from example_project.checks import inbox_is_closed
from example_project.inbox import InboxMessage, append, read
from example_project.senders import InboxSmsSender


def send_email(directory: Path, text: str) -> None:
    with override_settings(**mail.settings(f"filemail://{directory}")):
        email = EmailMultiAlternatives("Your cöde", text, "from@example.com", ["ann@example.com"])
        email.attach_alternative(f"<p>{text}</p>", "text/html")
        email.send()


def test_emails_and_text_messages_are_read_newest_first(tmp_path: Path) -> None:
    send_email(tmp_path, "123456 ist Ihr Prüfcode")
    os.utime(next(tmp_path.glob("*.log")), (0, 0))
    InboxSmsSender(str(tmp_path)).send(Message(channel="sms", recipient="+4915100000002", text="654321"))
    sms, email = read(tmp_path)
    assert (sms.channel, sms.sender, sms.recipient, sms.text) == ("sms", "site", "+4915100000002", "654321")
    assert (email.channel, email.recipient, email.subject) == ("email", "ann@example.com", "Your cöde")
    assert email.text == "123456 ist Ihr Prüfcode"


def test_only_the_owner_can_read_what_is_kept(tmp_path: Path) -> None:
    append(tmp_path / "sms.jsonl", InboxMessage("2026-01-01", "site", "sms", "+491511", "654321"))
    assert (tmp_path / "sms.jsonl").stat().st_mode & 0o077 == 0


def test_a_message_does_not_show_its_text() -> None:
    assert "654321" not in repr(InboxMessage("2026-01-01", "site", "sms", "+491511", "654321"))


def test_there_is_no_inbox_unless_it_is_asked_for(client: Client, settings: Any) -> None:
    settings.INBOX_DIR = ""
    assert client.get("/inbox/").status_code == 404
    assert inbox_is_closed() == []


def test_the_inbox_says_what_it_is(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.INBOX_DIR = str(tmp_path)
    append(tmp_path / "cognito.jsonl", InboxMessage("2026-01-01T00:00:00", "cognito", "email", "<b>@x", "12345678"))
    page = client.get("/inbox/")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    text = page.content.decode()
    assert "12345678" in text
    assert "&lt;b&gt;@x" in text
    assert "Never set it on a site that real people use" in text
    (finding,) = inbox_is_closed()
    assert finding.id == "example_project.E001"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_inbox_only_shows(client: Client, settings: Any, tmp_path: Path, method: str) -> None:
    settings.INBOX_DIR = str(tmp_path)
    assert getattr(client, method)("/inbox/").status_code == 405

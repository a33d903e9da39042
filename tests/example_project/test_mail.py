"""`EMAIL_URL`, read for the Django that is installed."""

from pathlib import Path
from typing import Any

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.test import override_settings

from example_project import mail


def plain(url: str) -> dict[str, Any]:
    """The chosen options by their lower-case names, whichever way this Django is told."""
    chosen = mail.settings(url)
    if django.VERSION >= (6, 1):
        default = chosen["MAILERS"]["default"]
        return {"backend": default["BACKEND"].split(".")[-2], **default["OPTIONS"]}
    names = {setting: option for option, setting in mail._SETTINGS.items()}
    options = {names[name]: value for name, value in chosen.items() if name in names}
    return {"backend": chosen["EMAIL_BACKEND"].split(".")[-2], **options}


def test_the_directory_of_filemail_is_absolute(tmp_path: Path) -> None:
    directory = tmp_path / "a directory"
    url = f"filemail://{directory}".replace(" ", "%20")
    with override_settings(**mail.settings(url)):
        EmailMessage("Subject", "Text", "from@example.com", ["to@example.com"]).send()
    (written,) = directory.glob("*.log")
    assert "Subject: Subject" in written.read_text()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("consolemail://", {"backend": "console"}),
        ("memorymail://", {"backend": "locmem"}),
        ("smtp://127.0.0.1:2525", {"backend": "smtp", "host": "127.0.0.1", "port": 2525, "use_tls": False}),
        ("smtp://mail.example.com", {"port": 25, "use_ssl": False, "timeout": mail.TIMEOUT}),
        ("smtp+tls://me%40x:p%2Fw@mail.example.com", {"port": 587, "use_tls": True, "username": "me@x"}),
        ("smtps://me:p%2Fw@mail.example.com", {"port": 465, "use_ssl": True, "password": "p/w"}),
    ],
)
def test_a_url_chooses_the_backend_and_its_options(url: str, expected: dict[str, Any]) -> None:
    assert plain(url).items() >= expected.items()


@pytest.mark.parametrize("url", ["", "https://mail.example.com", "smtp://", "mail.example.com"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        mail.settings(url)

from typing import Any

import pytest
from django.conf import settings as site
from django.utils import translation

from cognito_passwordless.delivery import Message, code_message, unknown_address_message
from cognito_passwordless.otp import Code, read_code

from .septets import parts, septets
from .wicg import OriginBound, parse

CODE = Code("048213")
LANGUAGES = ["en", "de", "fr", "es", "ar"]


def message(channel: str = "sms", language: str = "en", **chosen: Any) -> Message:
    recipient = "+4915112345678" if channel == "sms" else "ann@example.com"
    values = {"code": CODE, "seconds_left": 600.0, "reference": "r", "recipient": recipient, **chosen}
    return code_message(channel=channel, language=language, **values)


def configure(settings: Any, **chosen: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **chosen}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_browser_reads_the_code_of_every_sms(language: str) -> None:
    text = message(language=language).text
    assert parse(text) == OriginBound("www.example.com", "048213")
    assert text.count("048213") == 2
    assert read_code(text) == CODE


@pytest.mark.parametrize("code", ["0482137", "0482137951"])
def test_and_of_longer_codes(code: str) -> None:
    assert parse(message(code=Code(code)).text) == OriginBound("www.example.com", code)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com", "example.com"),
        ("https://login.example.com:8443", "login.example.com"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_the_line_names_the_host_of_the_site(settings: Any, url: str, host: str) -> None:
    configure(settings, PUBLIC_URL=url)
    assert parse(message().text) == OriginBound(host, "048213")


def test_without_a_public_url_there_is_no_such_line(settings: Any) -> None:
    configure(settings, PUBLIC_URL="")
    assert parse(message().text) is None
    assert "@" not in message().text


def test_the_name_of_a_site_adds_no_line_of_its_own(settings: Any) -> None:
    configure(settings, APP_NAME="Example\n@evil.example #111111")
    assert parse(message().text) == OriginBound("www.example.com", "048213")
    assert len(message().text.splitlines()) == 3
    assert len(message("email").subject.splitlines()) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_sms_is_one_part(settings: Any, language: str) -> None:
    configure(settings, APP_NAME="Twelve chars")
    text = message(language=language, code=Code("0482137951")).text
    assert parts(text) == 1, (septets(text), len(text))


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_latin_languages_stay_in_the_small_alphabet(language: str) -> None:
    assert septets(message(language=language).text) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_email_has_its_code_in_subject_text_and_html(language: str) -> None:
    email = message("email", language)
    for part in (email.subject, email.text, email.html):
        assert "048213" in part
    assert "10" in email.text
    assert f'lang="{language}"' in email.html
    assert ('dir="rtl"' in email.html) is (language == "ar")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_subject_can_be_without_the_code(settings: Any, language: str) -> None:
    configure(settings, CODE_IN_SUBJECT=False)
    email = message("email", language)
    assert "048213" not in email.subject
    assert "Example" in email.subject
    assert "048213" in email.text


def test_the_language_is_the_persons_and_leaves_the_process_alone() -> None:
    with translation.override("fr"):
        assert message("email", "de").text != message("email", "en").text
        assert translation.get_language() == "fr"
    assert message("email", "tlh").text == message("email", "en").text  # a language that nobody has translated


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (600, "for 10 minutes"),
        (178, "for 3 minutes"),
        (61, "for 1 minute."),
        (40, "less than a minute"),
        (1, "less than a minute"),
    ],
)
def test_the_time_that_a_message_promises_is_the_time_that_is_left(seconds: float, said: str) -> None:
    written = message("email", seconds_left=seconds)
    assert said in written.text
    assert said in written.html


def test_a_provider_learns_how_long_the_code_is_valid() -> None:
    assert message(seconds_left=42.7).valid_for == 42
    assert message(seconds_left=0.2).valid_for == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_address_is_told_so_without_any_code(language: str) -> None:
    email = unknown_address_message(recipient="nobody@example.com", language=language, reference="r")
    assert email.recipient == "nobody@example.com"
    for part in (email.subject, email.text, email.html):
        assert "Example" in part
        assert read_code(part) is None


def test_a_site_overrides_a_template_the_django_way(settings: Any, tmp_path: Any) -> None:
    directory = tmp_path / "cognito_passwordless" / "messages"
    directory.mkdir(parents=True)
    (directory / "code_sms.txt").write_text("{{ app_name }}: {{ code }}\n\n@{{ host }} #{{ code }}\n")
    settings.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    assert message().text == "Example: 048213\n\n@www.example.com #048213"

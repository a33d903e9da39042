"""What messages say, in every language that the app itself speaks."""

import re
from pathlib import Path

import pytest

import cognito_passwordless
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Misconfigured
from cognito_passwordless.lambda_triggers.messages import cognito, otp
from cognito_passwordless.lambda_triggers.messages.otp import code_message
from cognito_passwordless.otp import Key, derive

CATALOGUES = Path(cognito_passwordless.__file__).parent / "locale"
LANGUAGES = ("en", "de", "fr", "es", "ar")
CODE = derive(Key.from_secret("a key of the tests"), "1", purpose="test", generation=1, length=6)


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_they_are_the_languages_of_the_app() -> None:
    catalogues = {path.name for path in CATALOGUES.iterdir() if path.is_dir()}
    assert {"en", *catalogues} == set(LANGUAGES) == otp.WORDS.keys() == cognito.WORDS.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_says_what_the_english_one_does_in_its_own_words(language: str) -> None:
    english, here = cognito.WORDS["en"], cognito.WORDS[language]
    assert here.keys() == english.keys()
    pairs = [(english[occasion][part], here[occasion][part]) for occasion in english for part in cognito.PARTS]
    pairs += [(otp.WORDS["en"][part], otp.WORDS[language][part]) for part in cognito.PARTS]
    for first, other in pairs:
        assert places(first) == places(other)
        assert (first == other) is (language == "en")


@pytest.mark.parametrize("language", [*LANGUAGES, "de-AT", "AR"])
def test_a_code_is_sent_in_the_language_of_the_environment(language: str) -> None:
    chosen = {"OTP_LANGUAGE": language, "OTP_APP_NAME": "Example", "OTP_ORIGIN": "www.example.com"}
    sms = code_message(CODE, "+49", seconds_left=590, settings=Settings(chosen))
    mail = code_message(CODE, "a@b", seconds_left=590, settings=Settings({**chosen, "OTP_CHANNEL": "email"}))
    for text in (sms.text, mail.text):
        assert CODE.reveal() in text
        assert "Example" in text
        assert "10" in text
        assert "{" not in text
    assert sms.text.endswith(f"\n\n@www.example.com #{CODE.reveal()}")
    assert "Example" in mail.subject
    own = otp.WORDS[language[:2].lower()]["subject"].replace("{app}", "Example")
    assert mail.subject == own


def test_an_unknown_language_is_english_and_own_words_go_over_all() -> None:
    text = code_message(CODE, "+49", seconds_left=60, settings=Settings({"OTP_LANGUAGE": "tlh"})).text
    assert "is your code" in text
    own = {"OTP_TEMPLATE_SMS": "{app} {code} {other}\\n{minutes}", "OTP_APP_NAME": "Example"}
    text = code_message(CODE, "+49", seconds_left=60, settings=Settings(own)).text
    assert text == f"Example {CODE.reveal()} {{other}}\n1"
    with pytest.raises(Misconfigured):
        code_message(CODE, "+49", seconds_left=60, settings=Settings({"OTP_TEMPLATE_SMS": "hello"}))


def variables() -> set[str]:
    """Every variable that a trigger reads: the name that it gives to one of the readers of the settings."""
    room = Path(cognito_passwordless.__file__).parent / "lambda_triggers"
    read = re.compile(r'(?:text|number|flag|choice|words|table|function|secret|limit)\(\s*f?"([A-Z][A-Z0-9_]{2,})')
    return {
        name for path in room.rglob("*.py") if "deploy" not in path.parts for name in read.findall(path.read_text())
    }


@pytest.mark.parametrize("name", sorted(variables()))
def test_every_variable_that_is_read_is_documented(name: str) -> None:
    page = (Path(cognito_passwordless.__file__).parents[1] / "docs" / "lambda-triggers.md").read_text()
    _, _, table = page.partition("## Variables")
    assert f"`{name}" in table

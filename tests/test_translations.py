"""Every text is translated into every language, with the placeholders of the original, and compiled."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

import cognito_passwordless

from . import services

PACKAGE = Path(cognito_passwordless.__file__).parent
LANGUAGES = ["ar", "de", "es", "fr"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+[^>]*>")


def catalogue(language: str, root: Path = PACKAGE) -> polib.POFile:
    return polib.pofile(str(root / "locale" / language / "LC_MESSAGES" / "django.po"))


def key(entry: polib.POEntry) -> tuple[str | None, str, str]:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def test_these_are_the_languages() -> None:
    assert sorted(path.name for path in (PACKAGE / "locale").iterdir()) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_out_or_doubtful(language: str) -> None:
    for entry in catalogue(language):
        assert not entry.fuzzy, entry.msgid
        assert all(texts(entry)), entry.msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_tags_are_those_of_the_original(language: str) -> None:
    for entry in catalogue(language):
        for text in texts(entry):
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(entry.msgid)), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    compiled = polib.mofile(str(PACKAGE / "locale" / language / "LC_MESSAGES" / "django.mo"))
    assert {key(entry): texts(entry) for entry in compiled} == {
        key(entry): texts(entry) for entry in catalogue(language)
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_names_its_own_language_for_html(language: str) -> None:
    (named,) = [entry for entry in catalogue(language) if entry.msgid == "en"]
    assert named.msgstr == language


def test_every_text_of_the_package_is_in_the_catalogues(tmp_path: Path) -> None:
    """Extracts them again, into a copy."""
    if shutil.which("xgettext") is None:
        services.missing("`xgettext` (the package gettext) is not on the PATH")
    copy = tmp_path / "cognito_passwordless"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "migrations"))
    command = ["makemessages", "--no-location", *(part for name in LANGUAGES for part in ("-l", name))]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "django", *command],
        cwd=copy,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for language in LANGUAGES:
        extracted = {key(entry) for entry in catalogue(language, copy) if not entry.obsolete}
        assert extracted == {key(entry) for entry in catalogue(language)}, language

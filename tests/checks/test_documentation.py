"""The table of the checks is true, every id has a test, and the example project makes no mistake."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cognito_passwordless import checks

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(checks.__file__).parent
ID = re.compile(r'"([EW]\d{3})"')


def ids_in(folder: Path) -> list[str]:
    found = [number for file in sorted(folder.glob("*.py")) for number in ID.findall(file.read_text())]
    assert found, folder
    return found


def test_every_id_is_in_the_documentation_once() -> None:
    documented = re.findall(r"^\| ([EW]\d{3}) \|", (ROOT / "docs/checks.md").read_text(), re.MULTILINE)
    assert documented == sorted(documented, key=lambda number: number[1:])
    assert sorted(documented) == sorted({*ids_in(PACKAGE)})


def test_every_id_is_tested() -> None:
    tested = {number for name in ("checks", "custom_user", "phone_user") for number in ids_in(ROOT / "tests" / name)}
    assert {*ids_in(PACKAGE)} <= tested


def test_an_id_says_one_thing() -> None:
    """E203 alone is told in two places: the readers know some types, the check the others."""
    told = ids_in(PACKAGE)
    assert {number for number in told if told.count(number) > 1} <= {"E203"}


def check(*arguments: str, **environment: str) -> set[str]:
    """The ids that `manage.py check` prints for the example project."""
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    run = subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in run.stderr, run.stderr
    return set(re.findall(r"cognito_passwordless\.([EW]\d{3})", run.stdout + run.stderr))


@pytest.mark.slow
def test_the_example_project_makes_no_mistake() -> None:
    assert check() == set()


@pytest.mark.slow
def test_the_example_project_in_production_makes_none() -> None:
    assert (
        check(
            "--deploy",
            SECRET_KEY="long-enough-for-django-and-not-one-that-anybody-uses-anywhere",
            PUBLIC_URL="https://www.example.com",
            REDIS_URL="redis://127.0.0.1:6379",
            EMAIL_URL="smtp://127.0.0.1:25",
            COOKIES_SECURE="1",
            COGNITO_USER_POOL_ID="eu-west-1_Example",
            COGNITO_CLIENT_ID="client",
            COGNITO_DOMAIN="https://login.example.com",
        )
        == set()
    )


def test_what_is_true_of_the_example_project_is_told() -> None:
    assert check("--deploy") == {"W701", "W703", "W704", "W705", "W707", "W708"}

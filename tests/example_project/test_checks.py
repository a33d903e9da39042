"""`manage.py check --deploy` of the example project, configured as in production."""

import os
import subprocess
import sys

from example_project.demo.stage import ROOT

PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!?",
    "ALLOWED_HOSTS": "www.example.com",
    "PUBLIC_URL": "https://www.example.com",
    "COOKIES_SECURE": "true",
    "DATABASE_URL": "postgres://site@127.0.0.1:5432/site",
    "REDIS_URL": "redis://127.0.0.1:6379/5",
    "EMAIL_URL": "smtp://mail.example.com",
}
POOL = {
    "COGNITO_USER_POOL_ID": "eu-west-1_AbCdEfGhI",
    "COGNITO_CLIENT_ID": "client",
    "COGNITO_CLIENT_SECRET": "secret",
    "COGNITO_DOMAIN": "https://login.example.com",
    "COGNITO_PASSWORDLESS_JSON": '{"SMS_COUNTRIES": ["DE"]}',
}


def deploy(**changed: str) -> str:
    inherited = {
        name: text for name, text in os.environ.items() if not name.startswith(("COGNITO_", "DJANGO_", "AWS_"))
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env=inherited | PRODUCTION | changed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_our_checks_have_nothing_to_say() -> None:
    said = deploy()
    assert "System check identified" in said
    assert "cognito_passwordless" not in said


def test_nor_with_a_pool() -> None:
    said = deploy(**POOL)
    assert "System check identified" in said
    assert "cognito_passwordless" not in said, said


def test_they_speak_when_something_is_missing() -> None:
    assert "cognito_passwordless" in deploy(PUBLIC_URL="", COOKIES_SECURE="false")

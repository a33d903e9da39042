"""The example of a mobile app, over real HTTP: local, the pool's code, a wrong code, another message."""

import importlib.util
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from cognito_passwordless.delivery import Message
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "app_client.py"
_spec = importlib.util.spec_from_file_location("app_client", EXAMPLE)
assert _spec
assert _spec.loader
app_client: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(app_client)
pytestmark = pytest.mark.django_db(transaction=True)


def run(site: Any, address: str, *typed: Callable[[], str] | str) -> tuple[Any, list[str]]:
    answers, told = iter(typed), []

    def ask(prompt: str) -> str:
        given = next(answers)
        return given() if callable(given) else given

    return app_client.sign_in(app_client.App(site.url), address, ask=ask, tell=told.append), told


def test_a_local_user_after_a_wrong_code(
    live_server: Any, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    make_user("ann@example.com")
    user, told = run(live_server, "ann@example.com", "00000000", sent_code)
    assert user["email"] == "ann@example.com"
    assert told == ["That code is not right, or no longer valid. Check it, or send a new code."]


def test_a_person_of_the_pool(live_server: Any, pool: LocalPool, cognito: LocalCognito) -> None:
    pool.add_user("ann@example.com")
    user, _ = run(live_server, "ann@example.com", lambda: cognito.last_code("ann@example.com") or "")
    assert user["email"] == "ann@example.com"


def test_an_empty_line_asks_for_another_message(
    live_server: Any, make_user: Callable[..., User], outbox: list[Message], sent_code: Callable[[], str]
) -> None:
    make_user("ann@example.com")

    def later() -> str:
        for challenge in ChallengeSession.objects.all():
            challenge.last_sent_at -= timedelta(minutes=1)
            challenge.save()
        return ""

    user, told = run(live_server, "ann@example.com", "", later, sent_code)
    assert (user["email"], len(outbox)) == ("ann@example.com", 2)
    assert re.match(r"You can ask for another code in \d+ seconds", told[0])


def test_what_is_no_address_is_said(live_server: Any) -> None:
    user, told = run(live_server, "nonsense")
    assert user is None
    assert told[-1] == "Start again."

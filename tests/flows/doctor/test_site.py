"""What the diagnosis of the site finds: its checks, tables, cache, broker, workers, keys and late messages."""

import time
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth import get_user_model
from django.core.cache.backends.locmem import LocMemCache
from kombu.exceptions import OperationalError

from cognito_passwordless import keys
from cognito_passwordless.flows.doctor import Finding, diagnose_site, site
from cognito_passwordless.flows.limits import budgets
from cognito_passwordless.flows.sending import workers
from cognito_passwordless.models import ChallengeSession, Delivery

from ..started import NOW, after, held

pytestmark = pytest.mark.django_db


def findings() -> dict[str, Finding]:
    return {finding.name: finding for finding in diagnose_site(now=NOW) if finding.area == "site"}


def test_a_sound_site() -> None:
    assert {name: finding for name, finding in findings().items() if finding.state != "ok"} == {}


def test_the_system_checks_are_in_the_list(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sends": "0/1h"}, "NONSENSE": 1}
    found = {finding.name: finding for finding in site.system_checks()}
    assert {name: found[name].state for name in ("E202", "E207")} == {"E202": "problem", "E207": "problem"}
    assert all(finding.fix for finding in found.values() if finding.state != "ok")
    settings.SILENCED_SYSTEM_CHECKS = ["cognito_passwordless.E202"]
    assert "E202" not in {finding.name for finding in site.system_checks()}


def test_a_site_with_broken_settings_is_diagnosed_all_the_same(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {"DISPATCH": 7, "LIMITS": "none", "OTP": {"TTL": -1}}
    assert "problem" in {finding.state for finding in diagnose_site(now=NOW)}


class Forgetful(LocMemCache):
    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return default


class Down(LocMemCache):
    def set(self, *args: Any, **kwargs: Any) -> None:
        raise ConnectionError("redis://user:password@host is down")


@pytest.mark.parametrize("backend", [Forgetful, Down])
def test_a_cache_that_does_not_work(settings: Any, backend: type) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.{backend.__name__}"}}
    found = findings()["cache"]
    assert found.state == "problem"
    assert "password" not in found.text


def test_a_cache_in_a_table_is_not_written_to(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "nowhere"}}
    assert findings()["cache"].state == "ok"


def worker(name: str = "a", fingerprint: str = "", queues: tuple[str, ...] = ("cognito_email", "cognito_sms")) -> Any:
    return workers.Worker(name, frozenset({fingerprint or keys.keyring().current.fingerprint}), frozenset(queues))


def broken(seconds: float) -> list[workers.Worker]:
    raise OperationalError("redis://:password@host refused")


def hanging(seconds: float) -> list[workers.Worker]:
    time.sleep(1)
    return []


@pytest.mark.parametrize(
    ("ask", "state", "told"),
    [
        (lambda seconds: [worker()], "ok", "1 workers answer"),
        (lambda seconds: [], "problem", "no worker answers"),
        (lambda seconds: [worker(), worker("b", "another")], "problem", "b has another SECRET_KEY"),
        (lambda seconds: [worker(queues=("cognito_email",))], "problem", "cognito_sms"),
        (broken, "problem", "the broker cannot be asked: OperationalError"),
        (hanging, "problem", "no answer in time"),
    ],
)
def test_broker_and_workers(settings: Any, monkeypatch: pytest.MonkeyPatch, ask: Any, state: str, told: str) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "celery"}
    monkeypatch.setattr(workers, "find_running", ask)
    monkeypatch.setattr(site, "BROKER_SECONDS", 0.2)
    found = findings()["workers"]
    assert (found.state, told in found.text) == (state, True), found
    assert "password" not in found.text


def test_a_broker_that_is_down_is_told_within_seconds(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "celery"}
    monkeypatch.setitem(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(site, "BROKER_SECONDS", 1.0)
    began = time.monotonic()
    assert findings()["workers"].state == "problem"
    assert time.monotonic() - began < 10


def test_messages_that_no_worker_takes() -> None:
    held(last_sent_at=after(-61))
    held("bob@example.com", last_sent_at=after(-59))
    held("eve@example.com", last_sent_at=after(-700), expires_at=after(-100))
    assert findings()["messages waiting"].text == "1 messages wait for a worker for more than 60 seconds"


def test_sign_ins_that_were_begun_with_another_key() -> None:
    held(key_fingerprint="another")
    assert findings()["keys in use"].state == "problem"
    ChallengeSession.objects.update(expires_at=after(-1))
    assert findings()["keys in use"].state == "ok"


@pytest.mark.parametrize(
    ("statuses", "down", "state"),
    [
        (["sent", "sent"], False, "ok"),
        (["sent", "failed"], True, "problem"),
        (["failed", "sent"], True, "warning"),
        (["sent", "failed"], False, "warning"),
        (["skipped"], False, "ok"),
    ],
)
def test_the_latest_messages(statuses: list[str], down: bool, state: str) -> None:
    """Oldest first."""
    _, challenge = held()
    for number, status in enumerate(statuses, start=1):
        Delivery.objects.create(
            challenge=challenge,
            number=number,
            generation=1,
            channel="email",
            status=status,
            cause="smtp_550" if status == "failed" else "",
            provider_down=down and status == "failed",
            started_at=after(-60 + number),
            finished_at=after(-60 + number),
        )
    found = findings()["latest messages, email"]
    assert found.state == state
    assert ("smtp_550" in found.fix) is (state != "ok")


def test_the_days_budgets(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sms_per_day": "5/24h"}}
    states = []
    for _ in range(5):
        budgets.spend("sms_per_day", "", NOW)
        states.append(findings()["sms_per_day"].state)
    assert states == ["ok", "ok", "ok", "warning", "problem"]
    assert site._budget("sms_per_day", NOW + timedelta(days=1)).text == "0 of 5 used"


def test_existing_users_who_would_lose_something(settings: Any) -> None:
    get_user_model().objects.create_user("ann", "ann@example.com", "a long password")
    found = findings()["existing users"]
    assert (found.state, "1 users" in found.text, "1 a password" in found.text) == ("warning", True, True)
    assert "cognito_adopt" in found.fix
    assert "W243" not in {finding.name for finding in site.system_checks()}, "it is told once"
    settings.SILENCED_SYSTEM_CHECKS = ["cognito_passwordless.W243"]
    assert findings()["existing users"].state == "ok"

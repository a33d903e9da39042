"""Each setting has a test in which its value matters: a default compared with a default would hide one without effect.

`TESTED` says where. The tests below are of settings that no room's own test chooses.
"""

import ast
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from cognito_passwordless.conf import DEFAULT_LIMITS, DEFAULT_RETENTION, KEYS
from cognito_passwordless.conf.defaults import LAMBDA_KEYS
from cognito_passwordless.delivery import Message
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.flows.purge import purge_expired
from cognito_passwordless.flows.sending.send_code import send
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, Delivery, JourneyEvent, Route
from cognito_passwordless.otp import Policy

from ..flows.started import ANN, NOW, after, held

pytestmark = pytest.mark.django_db(transaction=True)
TESTS = Path(__file__).parents[1]
GROUPS = {
    "OTP": {name.upper() for name in Policy.__annotations__},
    "LIMITS": set(DEFAULT_LIMITS),
    "RETENTION": set(DEFAULT_RETENTION),
    "LAMBDA": set(LAMBDA_KEYS),
}
HERE = "conf/test_every_setting.py"
BUDGETS = "flows/limits/test_limits_over_http.py"
TESTED = {
    "APP_NAME": "delivery/test_messages.py",
    "PUBLIC_URL": "delivery/test_messages.py",
    "REFUSAL_FLOOR": "test_one_answer.py",
    "DISPATCH": "test_one_answer.py",
    "SIGNUP": "flows/sending/test_routing.py",
    "UNKNOWN_ADDRESS_MESSAGE": BUDGETS,
    "ALLAUTH_PAGES": "test_entrances.py",
    "USERNAMES": "flows/sending/test_user_names.py",
    "STAFF_SIGN_IN": "flows/migration/test_flow.py",
    "SENDERS": "delivery/test_failover.py",
    "SMS_COUNTRIES": BUDGETS,
    "MATCH_USER": "flows/importing/test_activation.py",
    "GROUPS": "flows/migration/test_flow.py",
    "ATTRIBUTES": "flows/accounts/test_new_users.py",
    "UPDATE_ON_RETURN": "flows/migration/test_flow.py",
    "DELETED_USER_RETURNS": "flows/migration/test_flow.py",
    "EVENT_DATA": "flows/events/test_payload.py",
    "CAPTCHA": BUDGETS,
    "CODE_IN_SUBJECT": "delivery/test_messages.py",
    "REVIEW_CODES": "flows/sending/test_review_codes.py",
    "OTP.LENGTH": HERE,
    "OTP.TTL": HERE,
    "OTP.MAX_ATTEMPTS": HERE,
    "OTP.MAX_SENDS": HERE,
    "OTP.RESEND_COOLDOWN": HERE,
    "OTP.ON_RESEND": "flows/challenges/test_attempts.py",
    "LIMITS.failures": HERE,
    "LIMITS.failures_known_browser": "flows/challenges/test_attempts.py",
    "LIMITS.sends": "flows/limits/test_budgets.py",
    "LIMITS.sends_per_recipient": BUDGETS,
    "LIMITS.sends_known_browsers": "flows/limits/test_budgets.py",
    "LIMITS.sms_per_prefix": BUDGETS,
    "LIMITS.sms_per_country": BUDGETS,
    "LIMITS.sms_per_day": BUDGETS,
    "LIMITS.emails_per_day": HERE,
    "LIMITS.unknown_messages": HERE,
    "LIMITS.unknown_messages_per_day": BUDGETS,
    "LIMITS.starts_per_ip": BUDGETS,
    "LIMITS.cognito_starts": HERE,
    "LIMITS.cognito_changes": "flows/limits/test_pool_quota.py",
    "RETENTION.challenges": HERE,
    "RETENTION.events": HERE,
    "RETENTION.deliveries": HERE,
    "LAMBDA.HMAC_KEYS": "lambda_endpoints/test_endpoints.py",
    "LAMBDA.NEW_DEVICE_MAIL": "lambda_endpoints/test_endpoints.py",
    "LAMBDA.TOKEN_RULES": "lambda_endpoints/test_endpoints.py",
    "LAMBDA.USER_MIGRATION": "lambda_endpoints/test_endpoints.py",
    "LAMBDA.WELCOME": "lambda_endpoints/test_endpoints.py",
}


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    def choose(**chosen: object) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **chosen}

    return choose


def test_every_setting_is_in_the_table() -> None:
    names = {f"{group}.{name}" for group, members in GROUPS.items() for name in members}
    assert names | (KEYS - GROUPS.keys()) == set(TESTED)


@pytest.mark.parametrize("setting", TESTED)
def test_a_test_chooses_it(setting: str) -> None:
    """In a dict or as a keyword of a test's code: the tables of this module do not count."""
    name = setting.rpartition(".")[2]
    chosen = set()
    for node in ast.walk(ast.parse((TESTS / TESTED[setting]).read_text())):
        if isinstance(node, ast.keyword):
            chosen.add(node.arg)
        elif isinstance(node, ast.Constant):
            chosen.add(node.value)
    assert name in chosen


def start(identifier: str = ANN, client: Client | None = None) -> ChallengeSession:
    (client or Client()).post("/login/", {"identifier": identifier})
    return ChallengeSession.objects.latest("created_at")


class TestOtp:
    def test_length_ttl_and_cool_down_are_those_of_the_challenge(self, configure: Any, make_user: Any) -> None:
        make_user(ANN)
        configure(OTP={"LENGTH": 8, "TTL": 120, "RESEND_COOLDOWN": 17})
        client = Client()
        challenge = start(client=client)
        assert challenge.code_length == 8
        assert challenge.expires_at - challenge.created_at == timedelta(seconds=120)
        assert 15 <= int(client.get("/login/code/status/").json()["seconds_to_resend"]) <= 17

    @pytest.mark.parametrize("tries", [1, 2])
    def test_no_more_attempts_than_max_attempts(
        self, configure: Any, make_user: Any, sent_code: Callable[[], str], tries: int
    ) -> None:
        make_user(ANN)
        configure(OTP={"MAX_ATTEMPTS": tries})
        client = Client()
        start(client=client)
        right = sent_code()
        for _ in range(tries):
            client.post("/login/code/", {"code": str((int(right) + 1) % 10**6).zfill(6)})
        client.post("/login/code/", {"code": right})
        assert "_auth_user_id" not in client.session

    def test_no_more_messages_of_a_challenge_than_max_sends(self, configure: Any, make_user: Any) -> None:
        """What is asked for after them is another challenge."""
        make_user(ANN)
        configure(OTP={"MAX_SENDS": 2})
        client = Client()
        start(client=client)
        for _ in range(3):
            ChallengeSession.objects.update(last_sent_at=F("last_sent_at") - timedelta(hours=1))
            client.post("/login/code/resend/")
        assert list(ChallengeSession.objects.order_by("created_at").values_list("sends", flat=True)) == [2, 2]


class TestLimits:
    def test_failures_end_the_attempts_of_an_identifier(
        self, configure: Any, make_user: Any, sent_code: Callable[[], str]
    ) -> None:
        make_user(ANN)
        configure(LIMITS={"failures": "1"})
        first, second = Client(), Client()
        start(client=first)
        first.post("/login/code/", {"code": str((int(sent_code()) + 1) % 10**6).zfill(6)})
        start(client=second)
        # No code that could be compared: a link.
        assert "/login/link/" in MemorySender.outbox[-1].text

    def test_emails_per_day(self, configure: Any, make_user: Callable[..., User], outbox: list[Message]) -> None:
        configure(LIMITS={"emails_per_day": "1/24h"})
        for name in ("ann", "bob"):
            make_user(f"{name}@example.com")
            send(held(f"{name}@example.com")[1].pk, 1, now=NOW)
        assert [message.recipient for message in outbox] == [ANN]

    @pytest.mark.parametrize(("limit", "calls"), [("1/1m", 1), ("100/1s", 2)])
    def test_cognito_starts(
        self, configure: Any, pool: LocalPool, cognito: LocalCognito, limit: str, calls: int
    ) -> None:
        configure(LIMITS={"cognito_starts": limit})
        before = len(cognito.calls)
        for name in ("ann", "bob"):
            pool.add_user(f"{name}@example.com")
            start(f"{name}@example.com")
        assert len(cognito.calls) - before == calls

    @pytest.mark.parametrize(("limit", "sent"), [("1/24h", 1), ("2/24h", 2)])
    def test_unknown_messages_per_address(self, configure: Any, outbox: list[Message], limit: str, sent: int) -> None:
        configure(UNKNOWN_ADDRESS_MESSAGE=True, LIMITS={"unknown_messages": limit})
        for _ in range(3):
            send(held("unknown@example.com")[1].pk, 1, now=NOW)
        assert len(outbox) == sent


@pytest.mark.parametrize("name", ["challenges", "events", "deliveries"])
def test_a_row_is_kept_for_its_own_days_alone(configure: Any, name: str) -> None:
    configure(RETENTION={"challenges": 90, "events": 90, "deliveries": 90} | {name: 3})
    _, challenge = held()
    Delivery.objects.create(challenge=challenge, number=1, generation=1, channel="email", started_at=NOW)
    JourneyEvent.objects.create(attempt=challenge.pk, at=NOW, step="started", outcome="ok", route=Route.LOCAL)
    day = 24 * 3600
    purge_expired(after(2 * day))
    assert (ChallengeSession.objects.count(), Delivery.objects.count(), JourneyEvent.objects.count()) == (1, 1, 1)
    purge_expired(after(4 * day))
    there = {
        "challenges": ChallengeSession.objects.exists(),
        "deliveries": Delivery.objects.exists(),
        "events": JourneyEvent.objects.exists(),
    }
    # A challenge takes its deliveries along.
    gone = {name} | ({"deliveries"} if name == "challenges" else set())
    assert {kind for kind, is_there in there.items() if not is_there} == gone

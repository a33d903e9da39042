"""The conversion guard on the tables: what it reads, closes, probes and opens."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless.flows.limits import guard
from cognito_passwordless.flows.limits.budgets import OverLimit, spend_for_message
from cognito_passwordless.models import ChallengeSession, Delivery, NumberBlock, PhoneNumber
from cognito_passwordless.signals import sms_block_closed

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()
LATER = NOW + timedelta(hours=2)


def number(last: int) -> str:
    return f"+49151123400{last:02}"


def sent(to: str, at: datetime, *, entered: bool = False) -> ChallengeSession:
    challenge = ChallengeSession.objects.create(
        handle_hash=uuid4().hex,
        identifier=to,
        recipient=to,
        channel="sms",
        outcome="verified" if entered else "open",
        code_length=6,
        created_at=at,
        last_sent_at=at,
        expires_at=at + timedelta(minutes=10),
    )
    Delivery.objects.create(
        challenge=challenge, number=1, generation=1, channel="sms", status="sent", started_at=at, finished_at=at
    )
    return challenge


@pytest.fixture
def closed(caplog: pytest.LogCaptureFixture) -> NumberBlock:
    """A block that an attacker has closed."""
    told: list[Any] = []

    def hear(**arguments: Any) -> None:
        told.append(arguments["key"])

    sms_block_closed.connect(hear)
    for last in range(40):
        sent(number(last), NOW - timedelta(hours=1) + timedelta(seconds=last))
    assert guard.look(NOW) == told == ["block +491511234"]
    sms_block_closed.disconnect(hear)
    assert "SMS to block +491511234 have stopped" in caplog.text
    assert number(1) not in caplog.text
    return NumberBlock.objects.get(key="block +491511234")


def refused(to: str, at: datetime, **also: Any) -> bool:
    try:
        guard.admit(to, at, **also)
    except OverLimit as over:
        return over.cause == "limit_conversion"
    return False


def test_a_closed_block_gets_none_and_its_neighbour_does(closed: NumberBlock) -> None:
    assert closed.closed_at
    assert refused(number(50), NOW, attempt=uuid4())
    assert not refused("+4915199999999", NOW)
    assert guard.look(NOW) == guard.look(NOW) == []


def test_a_number_that_a_user_has_verified_still_gets_its_codes(
    closed: NumberBlock, make_user: Callable[..., User]
) -> None:
    PhoneNumber.objects.create(user=make_user("ann@example.com"), number=number(50), verified=True)
    assert not refused(number(50), NOW)


def test_one_probe_at_a_time_and_two_that_are_entered_open_it(closed: NumberBlock) -> None:
    probes = [sent(number(last), LATER) for last in (60, 61)]
    assert refused(number(60), LATER)  # allauth's own codes are no probes
    assert not refused(number(60), LATER, attempt=probes[0].pk)
    assert refused(number(61), LATER, attempt=probes[1].pk)
    ChallengeSession.objects.update(outcome="verified")
    guard.look(LATER)
    assert not refused(number(61), LATER, attempt=probes[1].pk)
    guard.look(LATER)
    assert NumberBlock.objects.get(pk=closed.pk).closed_at is None
    assert not refused(number(62), LATER)


def test_a_probe_that_is_lost_puts_off_the_next(closed: NumberBlock) -> None:
    assert not refused(number(60), LATER, attempt=uuid4())
    guard.look(LATER + timedelta(minutes=11))
    assert refused(number(61), LATER + timedelta(hours=1), attempt=uuid4())
    assert not refused(number(61), LATER + timedelta(hours=3), attempt=uuid4())


def test_codes_that_are_entered_and_one_person_in_trouble_close_nothing() -> None:
    for last in range(60):
        sent(number(last), NOW - timedelta(hours=1) + timedelta(seconds=last), entered=last % 4 > 0)
    for again in range(20):
        sent("+4916012345678", NOW - timedelta(hours=1) + timedelta(seconds=again))
    assert guard.look(NOW) == []


def test_nothing_is_counted_twice_nor_before_its_time() -> None:
    sent(number(1), NOW - timedelta(hours=1))
    sent(number(2), NOW - timedelta(minutes=5))
    guard.look(NOW)
    guard.look(NOW)
    assert NumberBlock.objects.get(key="block +491511234").sent == 1
    guard.look(NOW + timedelta(minutes=6))
    assert 1.9 < NumberBlock.objects.get(key="block +491511234").sent <= 2


def test_the_page_of_a_refused_number_is_that_of_any_other(
    client: Client, settings: Any, closed: NumberBlock, outbox: list[Any]
) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "SIGNUP": True,
        "SMS_COUNTRIES": ["DE"],
        "SENDERS": {"sms": [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}]},
    }
    pages = []
    for each in (number(70), "+4915199999999", "+499001123456"):
        browser = Client()
        assert browser.post("/login/", {"identifier": each}).status_code == 302
        page = browser.get("/login/code/")
        pages.append((page.status_code, page.context["state"]))
    assert len(set(pages)) == 1
    assert [message.recipient for message in outbox] == ["+4915199999999"]
    assert set(Delivery.objects.filter(status="skipped").values_list("cause", flat=True)) == {
        "limit_conversion",
        "limit_number_type",
    }


def test_a_pagers_number_costs_no_budget(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SMS_COUNTRIES": ["DE"]}
    with pytest.raises(OverLimit, match="number_type"):
        spend_for_message("sms", "+499001123456", NOW)


def test_an_operator_sees_why_and_may_open_it(admin_client: Client, closed: NumberBlock) -> None:
    page = admin_client.get("/admin/cognito_passwordless/numberblock/?closed_at__isempty=0").content.decode()
    assert "block +491511234" in page
    assert "country DE" not in page

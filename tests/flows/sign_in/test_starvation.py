"""Law 3, replayed with simulated time: strangers start and guess at the top of every hour, for ever, and the owner
gets in within the hour all the same."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User

from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.challenges import attempts, links
from cognito_passwordless.flows.sending import execute
from cognito_passwordless.flows.sending.routing import identifier_of
from cognito_passwordless.flows.sending.send_code import send
from cognito_passwordless.flows.sign_in import login
from cognito_passwordless.flows.sign_in.context import Visitor
from cognito_passwordless.flows.sign_in.errors import Wrong
from cognito_passwordless.identifiers import parse
from cognito_passwordless.models import ChallengeSession, Delivery, FailureCount, JourneyEvent, PhoneNumber
from cognito_passwordless.otp import Code

from ..started import ANN, NOW

pytestmark = pytest.mark.django_db(transaction=True)
HOURS = 8
NUMBER = "+4915112345678"
NETWORKS = count(1)


def to_nobody(challenge_id: str, generation: int, channel: str) -> None:
    """A broker that nobody reads from; the tests work themselves."""


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    memory = [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}]
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "DISPATCH": f"{__name__}.to_nobody",
        "PUBLIC_URL": "https://www.example.com",
        "SMS_COUNTRIES": ["DE"],
        "SENDERS": {"email": memory, "sms": memory},
    }


def start(identifier: str, now: datetime, *, browser: str = "", channel: str | None = None) -> login.Started:
    visitor = Visitor(ip=f"2001:db8:{next(NETWORKS):x}::1", known_browser=browser)
    started = login.start(parse(identifier), visitor, now=now, channel=channel)
    send(started.challenge.pk, 1, now=now, final=True)
    return started


def answer(started: login.Started, code: str, now: datetime) -> bool:
    try:
        login.answer(Visitor(handle=started.handle), Code(code), now=now)
    except Wrong:
        return False
    return True


def attack(hour: int, *identifiers: str, starts: int = 11) -> None:
    """Starts, and three guesses on each; no guess is ever the right one."""
    now = NOW + timedelta(hours=hour)
    for identifier in identifiers:
        for _ in range(starts):
            started = start(identifier, now)
            for _ in range(3):
                assert not answer(started, "000000x", now)


def code_in(messages: list[Message]) -> str:
    found = re.search(r"(?<!\d)\d{6}(?!\d)", messages[-1].text)
    assert found, messages[-1].text
    return found.group()


def link_in(messages: list[Message], now: datetime) -> ChallengeSession:
    """The newest link in a mailbox, as its page finds it."""
    tokens = [token for message in messages for token in re.findall(r"/login/link/([\w-]+)/", message.text)]
    challenge = links.find(tokens[-1], now)
    assert challenge is not None
    return challenge


def get_in(identifier: str, now: datetime, browser: str, outbox: list[Message]) -> bool:
    before = len(outbox)
    started = start(identifier, now, browser=browser)
    assert len(outbox) == before + 1
    return answer(started, code_in(outbox), now)


@pytest.mark.parametrize("starts", [10, 11, 30])
@pytest.mark.parametrize("identifier", [ANN, NUMBER])
def test_a_known_browser_gets_a_code_each_hour_and_gets_in(
    make_user: Callable[..., User], outbox: list[Message], starts: int, identifier: str
) -> None:
    PhoneNumber.objects.create(user=make_user(ANN), number=NUMBER, verified=True)
    for hour in range(HOURS):
        attack(hour, identifier, starts=starts)
        assert get_in(identifier, NOW + timedelta(hours=hour, minutes=1), "mine", outbox)


@pytest.mark.parametrize("minutes", [0, 1, 59])
@pytest.mark.parametrize("starts", [11, 30])
@pytest.mark.parametrize("identifier", [ANN, NUMBER])
def test_another_browser_gets_in_each_hour_by_the_link_that_the_owner_has_received(
    make_user: Callable[..., User], outbox: list[Message], starts: int, identifier: str, minutes: int
) -> None:
    PhoneNumber.objects.create(user=make_user(ANN), number=NUMBER, verified=True)
    for hour in range(HOURS):
        attack(hour, identifier, starts=starts)
        now = NOW + timedelta(hours=hour, minutes=minutes)
        challenge = link_in(outbox, now)
        assert links.use(challenge, f"new{hour}", now)
        assert get_in(identifier_of(challenge).value, now, f"new{hour}", outbox)


def test_an_owner_who_comes_after_a_week_of_it_gets_in(make_user: Callable[..., User], outbox: list[Message]) -> None:
    make_user(ANN)
    for hour in range(7 * 24):
        attack(hour, ANN, starts=4)
    now = NOW + timedelta(days=7, minutes=30)
    messages = len(outbox)
    start(ANN, now)  # strangers made no start in this hour: the owner's own brings the link
    assert len(outbox) == messages + 1
    assert links.use(link_in(outbox, now), "new", now)
    assert get_in(ANN, now, "new", outbox)
    assert set(FailureCount.objects.filter(browser="").values_list("count", flat=True)) == {0}


def test_strangers_who_go_on_for_ever_send_one_message_an_hour(
    make_user: Callable[..., User], outbox: list[Message]
) -> None:
    make_user(ANN)
    attack(0, ANN, starts=17)
    del outbox[:]
    for hour in range(1, HOURS):
        attack(hour, ANN, starts=30)
    assert len(outbox) == HOURS - 1
    assert all("/login/link/" in message.text for message in outbox)


def test_816_wrong_answers_over_four_identifiers_of_one_account(
    make_user: Callable[..., User], outbox: list[Message], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sends": "60/1h"}}
    user = make_user(ANN)
    addresses = [ANN, *(f"ann{number}@example.com" for number in range(3))]
    for address in addresses[1:]:
        EmailAddress.objects.create(user=user, email=address, verified=True)
    for hour in range(17):
        attack(hour, *addresses, starts=4)
    answered = JourneyEvent.objects.filter(step="answered")
    assert answered.count() == 816
    assert answered.filter(cause="wrong_code").count() == 50
    now = NOW + timedelta(hours=17, minutes=5)
    start(addresses[2], now)
    assert links.use(link_in(outbox, now), "new", now)
    assert get_in(addresses[2], now, "new", outbox)


def test_wrong_answers_in_two_channels_of_one_account_are_counted_together(make_user: Callable[..., User]) -> None:
    PhoneNumber.objects.create(user=make_user(ANN), number=NUMBER, verified=True)
    for hour in range(20):
        attack(hour, ANN, NUMBER, starts=1)
    assert JourneyEvent.objects.filter(step="answered", cause="wrong_code").count() == 50


def test_days_that_strangers_have_used_up_are_not_those_of_owners(
    make_user: Callable[..., User], outbox: list[Message], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"emails_per_day": "3/24h"}}
    make_user(ANN)
    make_user("bob@example.com")
    attack(0, "bob@example.com", starts=5)
    assert len(outbox) == 3
    assert get_in(ANN, NOW, "mine", outbox)
    start(ANN, NOW)
    assert len(outbox) == 4


def test_a_stranger_who_ends_the_sign_in_at_the_right_moment_does_not_cost_the_owner_the_link(
    make_user: Callable[..., User], outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(ANN)
    attack(0, ANN, starts=17)
    del outbox[:]

    def message(*to: str, **given: Any) -> Message:
        attempts.supersede(handles[-1])
        return real(*to, **given)

    real, handles = execute.link_message, []
    now = NOW + timedelta(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(execute, "link_message", message)
        started = login.start(parse(ANN), Visitor(), now=now)
        handles.append(started.handle)
        send(started.challenge.pk, 1, now=now, final=True)
    assert not outbox
    start(ANN, now)
    assert "/login/link/" in outbox[-1].text


def test_starts_by_a_channel_that_reaches_nobody_do_not_cost_the_owner_the_link(
    make_user: Callable[..., User], outbox: list[Message]
) -> None:
    make_user(ANN)  # who has no number
    for hour in range(HOURS):
        now = NOW + timedelta(hours=hour)
        for _ in range(30):
            start(ANN, now, channel="sms")
        messages = len(outbox)
        start(ANN, now)
        assert len(outbox) == messages + 1
        assert links.use(link_in(outbox, now), f"new{hour}", now)


def test_a_link_is_repeated_by_no_resend(make_user: Callable[..., User], outbox: list[Message]) -> None:
    make_user(ANN)
    attack(0, ANN, starts=17)
    del outbox[:]
    now = NOW + timedelta(hours=1)
    started = start(ANN, now)
    for minute in range(1, 4):
        at = now + timedelta(minutes=minute)
        assert login.resend(Visitor(handle=started.handle), now=at).sent
        send(started.challenge.pk, 1, now=at, final=True)
    assert len(outbox) == 1
    assert set(Delivery.objects.filter(challenge=started.challenge, number__gt=1).values_list("cause", flat=True)) == {
        "limit_sends"
    }


def test_nobody_is_sent_a_link_who_has_no_account(outbox: list[Message]) -> None:
    for hour in range(3):
        attack(hour, "zoe@example.com", starts=30)
    assert not outbox

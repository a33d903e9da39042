"""What stops somebody who makes our site send: prefixes, countries, days, unknown addresses, and providers' quotas."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from cognito_passwordless.conf import Limit
from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.limits import budgets
from cognito_passwordless.flows.sending.send_code import send
from cognito_passwordless.flows.sign_in import errors, login
from cognito_passwordless.flows.sign_in.context import Visitor
from cognito_passwordless.identifiers import Identifier
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, Delivery, JourneyEvent, SendCount
from cognito_passwordless.signals import budget_nearly_spent

from ..started import ANN, NOW, after, held

pytestmark = pytest.mark.django_db(transaction=True)
MANY = "1000000/1h"


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    def choose(**chosen: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **chosen}

    return choose


@pytest.fixture
def told() -> Iterator[list[tuple[str, str, int]]]:
    """What the alarm said."""
    heard: list[tuple[str, str, int]] = []

    def listen(name: str, key: str, used: int, **_: Any) -> None:
        heard.append((name, key, used))

    budget_nearly_spent.connect(listen)
    yield heard
    budget_nearly_spent.disconnect(listen)


def start_from_everywhere(numbers: range, prefix: str) -> None:
    """One start for each number, each from a network of its own."""
    for number in numbers:
        visitor = Visitor(ip=f"2001:db8:{number:x}::1")
        login.start(Identifier(f"{prefix}{number:04d}", "sms"), visitor, now=timezone.now())


@pytest.mark.parametrize(
    ("starts", "chosen", "sent", "cause"),
    [
        (1000, {"sms_per_prefix": "20/1h"}, 20, "limit_sms_per_prefix"),
        (100, {"sms_per_country": "15/24h"}, 15, "limit_sms_per_country"),
        (100, {"sms_per_day": "10/24h"}, 10, "limit_sms_per_day"),
    ],
)
@pytest.mark.slow
def test_a_thousand_consecutive_numbers_from_a_thousand_networks_stop_at_the_budget(
    configure: Callable[..., None],
    outbox: list[Message],
    starts: int,
    chosen: dict[str, str],
    sent: int,
    cause: str,
) -> None:
    wide = {"sms_per_prefix": MANY, "sms_per_country": MANY, "sms_per_day": MANY}
    configure(SIGNUP=True, LIMITS=wide | chosen)
    start_from_everywhere(range(starts), "+491511234")
    assert len(outbox) == sent
    assert Delivery.objects.filter(cause=cause).count() == starts - sent
    assert JourneyEvent.objects.filter(cause=cause, outcome="refused").count() == starts - sent
    assert set(ChallengeSession.objects.values_list("sending", flat=True)) == {"done"}


def test_the_budgets_of_all_are_refused_to_all_and_the_others_look_as_if_sent(
    configure: Callable[..., None], outbox: list[Message]
) -> None:
    configure(SIGNUP=True, LIMITS={"sms_per_prefix": "1/1h"})
    start_from_everywhere(range(2), "+491511234")
    assert [row.provider_down for row in Delivery.objects.all()] == [False, False]
    configure(SIGNUP=True, LIMITS={"sms_per_day": "1/24h"})
    start_from_everywhere(range(1), "+491521234")  # the second one of this day
    latest = Delivery.objects.latest("pk")
    assert (latest.status, latest.provider_down) == ("failed", True)


def test_one_recipient_is_not_reached_by_two_names(
    configure: Callable[..., None], make_user: Callable[..., User], outbox: list[Message]
) -> None:
    from cognito_passwordless.models import PhoneNumber

    number = "+4915112345678"
    PhoneNumber.objects.create(user=make_user(ANN), number=number, verified=True)
    configure(LIMITS={"sends_per_recipient": "2/1h"})
    for identifier in (ANN, number, ANN, number):
        send(held(identifier, channel="sms")[1].pk, 1, now=NOW)
    assert {message.recipient for message in outbox} == {number}
    # And one link in an hour for each name, so that strangers who know both do not keep the owner out.
    assert ["/login/link/" in message.text for message in outbox] == [False, False, True, True]


def test_people_who_do_not_exist_use_up_nobodys_day(configure: Callable[..., None], outbox: list[Message]) -> None:
    start_from_everywhere(range(5), "+491511234")
    assert not outbox
    assert not SendCount.objects.filter(scope__startswith="sms_").exists()


@pytest.mark.parametrize(("countries", "served"), [(["DE"], True), (["AT", "US"], False), ([], False)])
def test_sms_go_to_the_countries_on_the_list_and_nowhere_else(
    configure: Callable[..., None], countries: list[str], served: bool
) -> None:
    configure(SIGNUP=True, SMS_COUNTRIES=countries)
    number = Identifier("+4915112345678", "sms")
    if served:
        login.start(number, Visitor(), now=NOW)
    else:
        with pytest.raises(errors.NotServed):
            login.start(number, Visitor(), now=NOW)
        if countries:
            login.start(number, Visitor(), now=NOW, channel="email")  # which is no SMS
        else:  # a site without SMS asks nobody for a number
            with pytest.raises(login.NotServed):
                login.start(number, Visitor(), now=NOW, channel="email")


def test_the_worker_holds_the_list_too(
    configure: Callable[..., None], make_user: Callable[..., User], outbox: list[Message]
) -> None:
    """A number that the request did not see."""
    from cognito_passwordless.models import PhoneNumber

    PhoneNumber.objects.create(user=make_user(ANN), number="+12065550100", verified=True)
    send(held(ANN, channel="sms")[1].pk, 1, now=NOW)
    assert not outbox
    assert Delivery.objects.get().cause == "limit_sms_country"


def test_the_list_holds_for_cognitos_sms(
    pool: LocalPool, cognito: LocalCognito, configure: Callable[..., None]
) -> None:
    configure(SMS_COUNTRIES=[])
    calls = len(cognito.calls)
    send(held(ANN, channel="sms")[1].pk, 1, now=NOW)
    assert len(cognito.calls) == calls
    assert Delivery.objects.get().cause == "limit_sms_country"


def test_the_country_is_told_on_the_first_page_whoever_it_is(client: Client) -> None:
    response = client.post("/login/", {"identifier": "+12065550100"})
    assert response.status_code == 200
    assert "phone numbers of this country" in response.content.decode()
    assert not ChallengeSession.objects.exists()


def test_the_alarm_rings_at_four_fifths_and_at_the_end_once_in_a_window(
    configure: Callable[..., None], told: list[tuple[str, str, int]], caplog: pytest.LogCaptureFixture
) -> None:
    configure(LIMITS={"sms_per_country": "10/1h"})
    for moment in (0, 3600):
        for _ in range(13):
            try:
                budgets.spend("sms_per_country", "DE", after(moment))
            except budgets.OverLimit:
                continue
    assert told == [("sms_per_country", "DE", 8), ("sms_per_country", "DE", 10)] * 2
    assert "The budget sms_per_country of DE has 8 of 10 used" in caplog.text


def test_a_refused_start_says_when_to_come_back_and_is_written_down_once(configure: Callable[..., None]) -> None:
    configure(LIMITS={"starts_per_ip": "2/1h"})
    waits = []
    for second in range(6):
        try:
            login.start(Identifier(ANN, "email"), Visitor(ip="192.0.2.1"), now=after(100 * second))
        except errors.TooMany as error:
            waits.append(error.retry_after)
    assert waits == [3400, 3300, 3200, 3100]
    assert list(JourneyEvent.objects.filter(step="started").values_list("outcome", "cause")) == [
        ("refused", "limit_starts_per_ip")
    ]


def test_a_captcha_is_asked_before_every_send_and_only_true_is_a_yes(
    configure: Callable[..., None], client: Client, outbox: list[Message]
) -> None:
    configure(SIGNUP=True, CAPTCHA=f"{__name__}.captcha", OTP={"RESEND_COOLDOWN": 1})
    for answer in ("no", "almost"):
        response = client.post("/login/", {"identifier": ANN, "robot": answer})
        assert "not a robot" in response.content.decode()
    assert not outbox
    client.post("/login/", {"identifier": ANN, "robot": "never"})
    assert len(outbox) == 1
    ChallengeSession.objects.update(last_sent_at=NOW - timedelta(days=1))
    for step in ("resend", "retry"):
        response = client.post(f"/login/code/{step}/")
        assert response.status_code == 400
    assert len(outbox) == 1
    assert [step for step, _ in seen] == ["start"] * 3 + ["resend", "retry"]


seen: list[tuple[str, str]] = []


def captcha(request: Any, step: str) -> object:
    answer = request.POST.get("robot", "")
    seen.append((step, answer))
    return {"never": True, "almost": 1}.get(answer, False)


def test_an_unknown_address_is_told_once_a_day_and_looks_like_a_sent_code(
    configure: Callable[..., None], outbox: list[Message]
) -> None:
    configure(UNKNOWN_ADDRESS_MESSAGE=True)
    for _ in range(3):
        send(held("nobody@example.com")[1].pk, 1, now=NOW)
    assert [message.recipient for message in outbox] == ["nobody@example.com"]
    assert "no account" in outbox[0].text
    assert list(Delivery.objects.order_by("pk").values_list("status", "cause")) == [
        ("sent", "unknown"),
        ("skipped", "unknown"),
        ("skipped", "unknown"),
    ]
    assert set(ChallengeSession.objects.values_list("sending", flat=True)) == {"done"}


def test_unknown_addresses_are_not_told_by_the_thousand(configure: Callable[..., None], outbox: list[Message]) -> None:
    configure(UNKNOWN_ADDRESS_MESSAGE=True, LIMITS={"unknown_messages_per_day": "3/24h"})
    for number in range(6):
        send(held(f"nobody{number}@example.com")[1].pk, 1, now=NOW)
    assert len(outbox) == 3


@pytest.mark.parametrize("identifier", ["+4915112345678", "staff@example.com"])
def test_only_unknown_email_addresses_are_told(
    configure: Callable[..., None], make_user: Callable[..., User], outbox: list[Message], identifier: str
) -> None:
    make_user("staff@example.com", is_staff=True)
    configure(UNKNOWN_ADDRESS_MESSAGE=True)
    channel = "email" if "@" in identifier else "sms"
    send(held(identifier, channel=channel)[1].pk, 1, now=NOW)
    assert not outbox


def test_turns_come_evenly_and_a_long_queue_is_not_joined() -> None:
    quota = Limit.parse("20/1s")
    turns = [budgets.reserve_slot("sns", quota, NOW) for _ in range(60)]
    granted = [turn.wait for turn in turns if turn.granted]
    assert granted == pytest.approx([number * 0.05 for number in range(41)], abs=1e-5)
    assert budgets.reserve_slot("sns", quota, after(10)).wait == 0
    assert budgets.reserve_slot("another", quota, NOW).wait == 0


def test_many_workers_share_one_quota() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("threads share SQLite's memory database badly; the races run on PostgreSQL")
    quota, turns = Limit.parse("20/1s"), []

    def work() -> None:
        try:
            turns.extend(budgets.reserve_slot("sns", quota, NOW) for _ in range(5))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(turn.granted for turn in turns)
    waits = sorted(turn.wait for turn in turns)
    assert waits == pytest.approx([number * 0.05 for number in range(30)], abs=1e-5)

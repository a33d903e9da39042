"""Pages offer the channels that exist: without a country and a sender, nothing speaks of SMS."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from cognito_passwordless import steps
from cognito_passwordless.conf import conf
from cognito_passwordless.local import LocalPool
from cognito_passwordless.models import ChallengeSession, SendCount
from cognito_passwordless.steps import StepError

pytestmark = pytest.mark.django_db(transaction=True)
MEMORY = [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}]
NO_SMS = "We don't send codes to phone numbers. Enter your e-mail address instead."
ABOUT_SMS = re.compile(r"\bSMS\b|phone|\bText message", re.IGNORECASE)
NUMBERS = [
    "+4915123456789", "015123456789", "+33 6 12 34 56 78", "(0151) 234-567-89", "0049 151 23456789",
    "tel:+4915123456789", "12345", "+99999999999999", "+٤٩١٥١٢٣٤٥٦٧٨٩",
]  # fmt: skip


@pytest.fixture(params=[{"SMS_COUNTRIES": []}, {"SENDERS": {"email": MEMORY, "sms": []}}], ids=["country", "sender"])
def without_sms(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = settings.COGNITO_PASSWORDLESS | request.param
    assert not conf.offers_sms


def visible(response: Any) -> str:
    return html.unescape(response.content.decode())


@pytest.mark.usefixtures("without_sms")
@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_has_one_answer_before_anything_is_stored(client: Client, number: str, make_user: Any) -> None:
    for by in ({}, {"by": "code"}, {"channel": "email"}, {"channel": "sms"}):
        response = client.post("/login/", {"identifier": number} | by)
        assert response.status_code == 200
        assert response.context["form"].errors["identifier"] == [NO_SMS]
    assert not ChallengeSession.objects.exists()
    assert not SendCount.objects.exists()


@pytest.mark.usefixtures("without_sms")
@pytest.mark.parametrize("typed", ["ann", "ann@", "ann12345", "+1"])
def test_what_is_no_address_is_not_said_to_be_no_number(client: Client, typed: str) -> None:
    page = client.post("/login/", {"identifier": typed})
    assert page.context["form"].errors["identifier"] == [
        "That is not an e-mail address. Check it for a typing mistake."
    ]


@pytest.mark.usefixtures("without_sms")
def test_no_page_speaks_of_sms(client: Client, make_user: Callable[..., Any], monkeypatch: Any) -> None:
    make_user("ann@example.com")
    login = client.get("/login/")
    assert 'autocomplete="email"' in visible(login)
    assert "E-mail address" in visible(login)
    pages = [login, client.post("/login/", {"identifier": ""})]
    client.post("/login/", {"identifier": "ann@example.com"})
    pages += [client.get("/login/code/"), client.post("/login/code/", {"code": "00000000"})]
    for page in pages:
        assert not ABOUT_SMS.search(re.sub(r'data-channel="\w+"', "", visible(page)))


@pytest.mark.usefixtures("without_sms")
def test_another_channel_that_is_not_offered_cannot_be_chosen(client: Client, make_user: Callable[..., Any]) -> None:
    make_user("ann@example.com")
    client.post("/login/", {"identifier": "ann@example.com"})
    before = ChallengeSession.objects.get()
    ChallengeSession.objects.update(last_sent_at=before.created_at.replace(year=2020))
    cache.clear()
    assert client.post("/login/code/retry/", {"channel": "sms"}).status_code == 503
    kept = ChallengeSession.objects.get()
    assert (kept.outcome, kept.channel) == ("open", "email")


def test_with_a_country_and_a_sender_both_are_offered(client: Client, make_user: Callable[..., Any]) -> None:
    login = visible(client.get("/login/"))
    assert "E-mail address or phone number" in login
    assert 'autocomplete="username"' in login
    make_user("ann@example.com")
    client.post("/login/", {"identifier": "ann@example.com"})
    assert "Send it by SMS instead" in visible(client.get("/login/code/"))


def test_a_step_says_the_same(pool: LocalPool, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = settings.COGNITO_PASSWORDLESS | {"SMS_COUNTRIES": []}
    for number in ("+4915123456789", "015123456789"):
        output = steps.generate("main", number)
        assert isinstance(output, StepError)
        assert (output.code, output.message) == ("not_served", NO_SMS)

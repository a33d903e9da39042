"""What `code.js` and `once.js` add: the same that the server would say, sooner."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect

from cognito_passwordless.flows.sending.send_code import send
from cognito_passwordless.models import ChallengeSession, Delivery, PhoneNumber

from . import dispatching
from .conftest import Complaints, Look
from .person import (
    ask_for_code,
    ask_for_code_in_any_language,
    code_field,
    enter,
    expect_refused,
    expect_signed_in,
    other,
)

WITHOUT_JAVASCRIPT = pytest.mark.parametrize("look", [Look(javascript=False)], indirect=True, ids=str)
BY_SMS = """
    // Stands in for the phone, which no test has: hands over the code of the next message.
    window.OTPCredential ??= class {};
    navigator.credentials.get = ({ otp, signal }) => new Promise((resolve, reject) => {
        window.receiveSms = (code) => resolve({ code });
        window.asked = otp.transport;
        signal.addEventListener("abort", () => { window.aborted = true; reject(signal.reason); });
    });
"""


@pytest.fixture
def bob(site: str, make_user: Callable[..., User]) -> User:
    return make_user("bob@example.com")


def status(page: Page) -> Locator:
    return page.locator("[data-cpw-status]")


def come_back(page: Page) -> None:
    """As if another tab or program had been in front meanwhile."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_page_says_when_the_message_has_gone(page: Page, bob: User, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "DISPATCH": "tests.browser.dispatching.later",
    }
    ask_for_code(page, "bob@example.com")
    expect(status(page)).to_have_text("Sending…")
    challenge = ChallengeSession.objects.get()
    send(challenge.pk, challenge.generation, now=timezone.now(), final=True)
    expect(status(page)).to_have_text("Now look in your inbox, and in the spam folder.")


@WITHOUT_JAVASCRIPT
def test_without_javascript_nothing_is_said_that_stops_being_true(page: Page, bob: User) -> None:
    ask_for_code(page, "bob@example.com")
    expect(status(page)).to_have_text("It can take a minute to arrive. Look in the spam folder too.")
    expect(page.get_by_role("button", name="Send a new code")).to_be_enabled()


def test_a_provider_in_trouble_is_told_to_everybody_who_waits(page: Page, bob: User) -> None:
    ask_for_code(page, "nobody@example.com")
    Delivery.objects.update(status=Delivery.Status.FAILED, for_everybody=True, finished_at=timezone.now())
    come_back(page)
    expect(status(page)).to_have_text(re.compile("We have trouble sending e-mail at the moment. Choose SMS"))


def test_the_wait_for_another_code_is_counted_down(page: Page, bob: User) -> None:
    page.clock.install()
    ask_for_code(page, "bob@example.com")
    button = page.get_by_role("button", name="Send a new code")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.clock.fast_forward(21_000)
    expect(button).to_have_accessible_description(re.compile(r"^You can ask for another code in [789] seconds\.$"))
    page.clock.fast_forward(9_000)
    expect(button).to_have_attribute("aria-disabled", "false")
    expect(button).to_have_accessible_description("")


def test_the_time_left_is_counted_down_to_a_new_code(page: Page, bob: User) -> None:
    page.clock.install()
    ask_for_code(page, "bob@example.com")
    left = page.locator("[data-cpw-left]")
    expect(left).to_have_text("Enter it within 10 minutes.")
    page.clock.fast_forward("05:00")
    expect(left).to_have_text("Enter it within 5 minutes.")
    page.clock.fast_forward("04:20")
    expect(left).to_have_text(re.compile(r"^Enter it within (3\d|40) seconds\.$"))
    page.clock.fast_forward("00:40")
    expect(left).to_have_text("")
    expect(status(page)).to_have_text("This code can no longer be used. Send a new one.")


@pytest.mark.parametrize("look", [Look(locale="de")], indirect=True, ids=str)
def test_the_countdown_speaks_the_pages_language(page: Page, bob: User) -> None:
    ask_for_code_in_any_language(page, "bob@example.com")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("[data-cpw-left]")).to_have_text("Geben Sie ihn innerhalb von 10 Minuten ein.")


@pytest.mark.parametrize("look", [Look(locale="ja")], indirect=True, ids=str)
def test_a_language_that_nobody_has_translated_is_not_mixed_in(page: Page, bob: User) -> None:
    """Django's own catalogues must not answer for our texts, nor the browser for our numbers."""
    ask_for_code(page, "bob@example.com")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("[data-cpw-left]")).to_have_text("Enter it within 10 minutes.")
    assert not re.search("[\u3040-\u30ff\u4e00-\u9fff]", page.title() + page.locator("body").inner_text())


def test_a_sign_in_that_ended_elsewhere_is_said_so(
    page: Page, context: BrowserContext, bob: User, complaints: Complaints
) -> None:
    complaints.expect("404")
    ask_for_code(page, "bob@example.com")
    context.clear_cookies()
    come_back(page)
    expect(status(page)).to_have_text("This sign-in has ended. Use the link below to start again.")


def press_twice(page: Page, name: str, reached: Callable[[], bool]) -> None:
    """Presses a button, and again once the server is at work but before it has answered."""
    box = page.get_by_role("button", name=name).bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # The mouse itself: a locator's click would wait for the page to come.
    page.mouse.click(*middle)
    while not reached():
        page.wait_for_timeout(20)
    page.mouse.click(*middle)


def test_pressing_twice_spends_one_attempt(page: Page, bob: User, sent_code: Callable[[], str]) -> None:
    ask_for_code(page, "bob@example.com")
    ChallengeSession.objects.update(refusal_floor=2)
    code_field(page).fill(other(sent_code()))
    press_twice(page, "Sign in", ChallengeSession.objects.filter(attempts=1).exists)
    expect_refused(page)
    assert ChallengeSession.objects.get().attempts == 1


def test_a_page_that_the_browser_brings_back_can_be_sent_again(page: Page, bob: User) -> None:
    """As Firefox and Safari keep pages: with the state they were left in."""
    ask_for_code(page, "bob@example.com")
    form = page.locator("form[data-cpw-answer]")
    page.route("**/login/code/", lambda route: route.fulfill(status=204))
    code_field(page).fill("123456")
    page.get_by_role("button", name="Sign in").click()
    expect(form).to_have_attribute("data-cpw-pending", "")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert form.get_attribute("data-cpw-pending") is None


def test_pressing_twice_starts_one_sign_in(page: Page, bob: User, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "DISPATCH": "tests.browser.dispatching.held",
    }
    dispatching.begun.clear()
    dispatching.go_on.clear()
    page.goto("/login/")
    page.get_by_label("E-mail address or phone number").fill("bob@example.com")
    press_twice(page, "Send code", dispatching.begun.is_set)
    dispatching.go_on.set()
    page.wait_for_url("**/login/code/")
    assert ChallengeSession.objects.count() == 1


def test_the_code_of_an_sms_is_taken_from_the_phone(
    page: Page, context: BrowserContext, bob: User, sent_code: Callable[[], str]
) -> None:
    PhoneNumber.objects.create(user=bob, number="+4915112345678", verified=True)
    context.add_init_script(BY_SMS)
    ask_for_code(page, "+49 151 12345678")
    assert page.evaluate("window.asked") == ["sms"]
    page.evaluate("(code) => { receiveSms(code); }", sent_code())
    expect_signed_in(page)


def test_no_sms_is_waited_for_where_none_was_asked_for(page: Page, context: BrowserContext, bob: User) -> None:
    context.add_init_script(BY_SMS)
    ask_for_code(page, "bob@example.com")
    expect(status(page)).to_have_text(re.compile("^Now look"))
    assert page.evaluate("window.asked") is None


def test_a_phone_that_hands_over_nothing_leaves_the_field_to_the_person(
    page: Page, context: BrowserContext, bob: User, sent_code: Callable[[], str]
) -> None:
    PhoneNumber.objects.create(user=bob, number="+4915112345678", verified=True)
    context.add_init_script(
        "window.OTPCredential ??= class {};"
        "navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError'));"
    )
    ask_for_code(page, "+49 151 12345678")
    enter(page, sent_code())
    expect_signed_in(page)

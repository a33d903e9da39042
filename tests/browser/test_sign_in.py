"""Every way through the pages, as a person goes it: on both widths, in both schemes, with and without JavaScript."""

import re
from collections.abc import Callable

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from cognito_passwordless.delivery import Message
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import MigratedUser, PhoneNumber

from .conftest import BOTH, LOOKS, Complaints, Look
from .person import ask_for_code, code_field, enter, expect_refused, expect_signed_in, move_back, other, send_new_code

every_look = pytest.mark.parametrize("look", LOOKS, indirect=True, ids=str)
with_and_without_javascript = pytest.mark.parametrize("look", BOTH, indirect=True, ids=str)
SentCode = Callable[[], str]


@pytest.fixture
def bob(site: str, make_user: Callable[..., User]) -> User:
    return make_user("bob@example.com")


@pytest.fixture
def directory(site: str, pool: LocalPool) -> LocalPool:
    pool.add_user("ann@example.com", phone_number="+4915112345678")
    return pool


@with_and_without_javascript
def test_our_code(page: Page, bob: User, sent_code: SentCode) -> None:
    ask_for_code(page, "bob@example.com")
    expect(code_field(page)).to_be_focused()
    enter(page, sent_code())
    expect_signed_in(page)
    expect(page.get_by_text("bob@example.com")).to_be_visible()


@with_and_without_javascript
def test_a_pasted_message(page: Page, bob: User, outbox: list[Message]) -> None:
    ask_for_code(page, "bob@example.com")
    enter(page, outbox[-1].text)
    expect_signed_in(page)


@with_and_without_javascript
def test_a_code_with_a_gap(page: Page, bob: User, sent_code: SentCode) -> None:
    ask_for_code(page, "bob@example.com")
    code = sent_code()
    enter(page, f" {code[:3]} {code[3:]} ")
    expect_signed_in(page)


@with_and_without_javascript
def test_a_password_first(page: Page, site: str, cognito: LocalCognito, connect: Callable[..., object]) -> None:
    pool = cognito.create_pool("password")
    secrets = {"OTP_SECRET": "a secret of the triggers that is long enough", "OTP_FIRST_FACTOR": "password"}
    attach(cognito, pool, {**secrets, "OTP_CHANNEL": "email"})
    connect(pool, routes=["otp"], otp_flow="CUSTOM_AUTH", own_triggers=True, first_factor="password")
    sub = pool.add_user("pia@example.com")
    pool._backend.admin_set_user_password(pool.id, sub, "Correct horse 9!", True)
    earlier = cognito.last_code("pia@example.com")
    ask_for_code(page, "pia@example.com")
    password = page.get_by_label("Password", exact=True)
    for typed in ("", "Wrong horse 9!", "Correct horse 9!"):
        password.fill(typed)
        page.get_by_role("button", name="Continue").click()
        if not typed:
            expect(password).to_be_focused()
            continue
        expect(page.get_by_text("If that was right, a code is on its way.")).to_be_visible()
        expect(code_field(page)).to_be_focused()
        expect(password).to_have_value("")
        assert (cognito.last_code("pia@example.com") != earlier) is (typed == "Correct horse 9!")
    enter(page, cognito.last_code("pia@example.com") or "")
    expect_signed_in(page)


@every_look
def test_cognitos_code(page: Page, directory: LocalPool, cognito: LocalCognito) -> None:
    ask_for_code(page, "ann@example.com")
    code = cognito.last_code("ann@example.com")
    assert code is not None
    enter(page, other(code))
    expect_refused(page)
    enter(page, code)
    expect_signed_in(page)
    assert MigratedUser.objects.get().status == MigratedUser.Status.MIGRATED


@with_and_without_javascript
def test_a_wrong_code_then_the_right_one(page: Page, bob: User, sent_code: SentCode) -> None:
    ask_for_code(page, "bob@example.com")
    enter(page, other(sent_code()))
    expect_refused(page)
    enter(page, sent_code())
    expect_signed_in(page)


@every_look
def test_an_expired_code_then_a_new_one(page: Page, bob: User, sent_code: SentCode) -> None:
    ask_for_code(page, "bob@example.com")
    move_back(600, "expires_at", "last_sent_at")
    enter(page, sent_code())
    expect_refused(page)
    expect(page.get_by_text("This code can no longer be used. Send a new one.")).to_be_visible()
    send_new_code(page)
    expect(page).not_to_have_title("Error")
    expect(page.get_by_text("Enter it within 10 minutes.")).to_be_visible()
    enter(page, sent_code())
    expect_signed_in(page)


@every_look
def test_attempts_used_up_then_a_fresh_start(page: Page, bob: User, sent_code: SentCode) -> None:
    ask_for_code(page, "bob@example.com")
    for _ in range(3):
        enter(page, other(sent_code()))
        expect_refused(page)
    expect(page.get_by_text("This code can no longer be used. Send a new one.")).to_be_visible()
    enter(page, sent_code())
    expect_refused(page)
    move_back(30, "last_sent_at")
    page.goto("/login/code/")
    send_new_code(page)
    expect(page.get_by_text("Enter it within 10 minutes.")).to_be_visible()
    enter(page, sent_code())
    expect_signed_in(page)


@every_look
def test_the_same_code_sent_once_more(page: Page, bob: User, sent_code: SentCode, outbox: list[Message]) -> None:
    ask_for_code(page, "bob@example.com")
    first = sent_code()
    move_back(30, "last_sent_at")
    page.goto("/login/code/")
    send_new_code(page)
    expect(page.get_by_text("You can ask for another code in")).to_be_visible()
    assert [message.text.count(first) for message in outbox] == [1, 1]
    enter(page, first)
    expect_signed_in(page)


@with_and_without_javascript
def test_a_new_code_too_soon(page: Page, look: Look, bob: User, outbox: list[Message], complaints: Complaints) -> None:
    complaints.expect("429")
    ask_for_code(page, "bob@example.com")
    # By the keyboard: to a screen reader, and to this tool, the button says that it waits.
    page.get_by_role("button", name="Send a new code").press("Enter")
    expect(page.get_by_role("status" if look.javascript else "alert").last).to_have_text(
        re.compile(r"You can ask for another code in \d+ seconds\.")
    )
    assert len(outbox) == 1


@with_and_without_javascript
def test_the_other_channel(page: Page, bob: User, outbox: list[Message], sent_code: SentCode) -> None:
    PhoneNumber.objects.create(user=bob, number="+4915112345678", verified=True)
    ask_for_code(page, "bob@example.com")
    move_back(30, "last_sent_at")
    page.goto("/login/code/")
    page.get_by_role("button", name="Send it by SMS instead").click()
    expect(page.get_by_text("a code is on its way by SMS")).to_be_visible()
    assert [message.channel for message in outbox] == ["email", "sms"]
    enter(page, sent_code())
    expect_signed_in(page)


@with_and_without_javascript
def test_another_address(page: Page, bob: User, sent_code: SentCode) -> None:
    ask_for_code(page, "bbo@example.com")
    page.get_by_role("link", name="Use another address").click()
    expect(page.get_by_label("E-mail address or phone number")).to_be_focused()
    ask_for_code(page, "bob@example.com")
    enter(page, sent_code())
    expect_signed_in(page)


@with_and_without_javascript
def test_a_sign_in_that_has_ended_starts_again(page: Page, bob: User) -> None:
    page.goto("/login/code/")
    expect(page.get_by_text("Your sign-in has ended. Please start again.")).to_be_visible()


@with_and_without_javascript
def test_an_entry_that_is_no_address(page: Page, site: str) -> None:
    page.goto("/login/")
    field = page.get_by_label("E-mail address or phone number")
    field.fill("bob@")
    page.get_by_role("button", name="Send code").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "That is neither an e-mail address nor a phone number. Check it for a typing mistake."
    )
    expect(field).to_be_focused()
    expect(field).to_have_value("bob@")
    assert page.title().startswith("Error: ")


@with_and_without_javascript
def test_a_person_for_our_team(
    page: Page,
    make_user: Callable[..., User],
    cognito: LocalCognito,
    connect: Callable[..., object],
    complaints: Complaints,
) -> None:
    """Their e-mail address is proven, but a staff member is linked to their pool user here: an operator has to
    look."""
    complaints.expect("403")
    pool = cognito.create_pool("demo")
    connect(pool)
    chief = make_user("chief@example.com", is_staff=True)
    SocialAccount.objects.create(user=chief, provider="main", uid=pool.add_user("ann@example.com"))
    ask_for_code(page, "ann@example.com")
    enter(page, cognito.last_code("ann@example.com") or "")
    expect(page.get_by_role("heading", level=1)).to_have_text("We can't sign you in yet")
    expect(page).to_have_title("We can't sign you in yet · Example")

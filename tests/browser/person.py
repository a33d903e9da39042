"""What people do on the pages, by the words they read there; and letting their time pass."""

import re
from datetime import timedelta

from django.db.models import F
from playwright.sync_api import Locator, Page, expect

from cognito_passwordless.models import ChallengeSession


def ask_for_code(page: Page, identifier: str) -> None:
    """From the login page to the code page."""
    page.goto("/login/")
    page.get_by_label("E-mail address or phone number").fill(identifier)
    page.get_by_role("button", name="Send code").click()
    page.wait_for_url("**/login/code/")


def ask_for_code_in_any_language(page: Page, identifier: str) -> None:
    page.goto("/login/")
    page.locator("input[name=identifier]").fill(identifier)
    page.locator("input[name=identifier]").press("Enter")
    page.wait_for_url("**/login/code/")


def code_field(page: Page) -> Locator:
    return page.get_by_label("Code", exact=True)


def enter(page: Page, text: str) -> None:
    """Types something into the code page and sends it."""
    code_field(page).fill(text)
    page.get_by_role("button", name="Sign in").click()


def expect_signed_in(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in")


def expect_refused(page: Page) -> None:
    """The error is tied to the field, the field has the focus and shows no code, and the title says "Error" first."""
    field = code_field(page)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("not right, or no longer valid"))
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    expect(page).to_have_title(re.compile(r"^Error: "))


def send_new_code(page: Page) -> None:
    page.get_by_role("button", name="Send a new code").click()


def move_back(seconds: int, *fields: str) -> None:
    """Lets time pass for the challenge: its ``expires_at``, its ``last_sent_at``."""
    ChallengeSession.objects.update(**{name: F(name) - timedelta(seconds=seconds) for name in fields})


def other(code: str) -> str:
    """A code of the same length that is not this one."""
    return str((int(code) + 1) % 10 ** len(code)).zfill(len(code))

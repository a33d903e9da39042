"""WCAG 2.2 AA, as far as a machine can tell (axe-core), and what it cannot: reflow, direction, forced colours."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from example_project.inbox import InboxMessage, append

from .axe import violations
from .conftest import WIDTHS, Look
from .person import (
    ask_for_code,
    ask_for_code_in_any_language,
    enter,
    expect_refused,
    expect_signed_in,
    move_back,
    other,
)


def every_page(page: Page, code: Callable[[], str]) -> Iterator[str]:
    """Goes through the pages; yields the name of each when it is there."""
    page.goto("/login/?again")
    yield "login"
    page.get_by_role("button", name="Send code").click()
    expect(page).to_have_title("Error: Sign in · Example")
    yield "login with an error"
    ask_for_code(page, "bob@example.com")
    yield "code"
    enter(page, other(code()))
    expect_refused(page)
    yield "code with an error"
    move_back(600, "expires_at", "last_sent_at")
    page.goto("/login/code/")
    yield "code, over"
    page.get_by_role("button", name="Send it by SMS instead").click()
    expect(page.get_by_text("on its way by SMS")).to_be_visible()
    yield "code by SMS"
    ask_for_code(page, "bob@example.com")
    enter(page, code())
    expect_signed_in(page)
    yield "home"


@pytest.fixture
def bob(site: str, make_user: Callable[..., User]) -> User:
    return make_user("bob@example.com")


@pytest.mark.parametrize(
    "look",
    [Look("phone"), Look("phone", "dark"), Look(), Look(scheme="dark"), Look(forced_colors="active")],
    indirect=True,
    ids=str,
)
def test_axe_finds_nothing(page: Page, axe: str, bob: User, sent_code: Callable[[], str]) -> None:
    found = {name: violations(page, axe) for name in every_page(page, sent_code)}
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize("look", [Look("narrow")], indirect=True, ids=str)
def test_nothing_has_to_be_scrolled_sideways(page: Page, bob: User, sent_code: Callable[[], str]) -> None:
    for name in every_page(page, sent_code):
        wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        assert wide <= 0, name


def test_a_very_long_address_stays_on_the_page(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 320, "height": 256})
    ask_for_code(page, f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example.com")
    assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("look", [Look("phone", locale="ar")], indirect=True, ids=str)
def test_right_to_left(page: Page, bob: User) -> None:
    """The page is mirrored, but for what is written from left to right everywhere."""
    ask_for_code_in_any_language(page, "bob@example.com")
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    brand = page.locator(".cpw-mark").bounding_box()
    assert brand
    assert brand["x"] > WIDTHS["phone"]["width"] / 2
    expect(page.locator("input[name=code]")).to_have_css("direction", "ltr")


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(page: Page, bob: User) -> None:
    ask_for_code(page, "bob@example.com")
    names = ["Sign in", "Send a new code", "Send it by SMS instead", "Use another address"]
    for name in names:
        page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        expect(focused).to_have_accessible_name(name)
        expect(focused).to_have_css("outline-style", "solid")
        expect(focused).to_have_css("outline-width", "3px")


def test_nothing_moves_for_people_who_ask_for_less_motion(page: Page, bob: User, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "DISPATCH": "tests.browser.dispatching.later",
    }
    page.emulate_media(reduced_motion="reduce")
    ask_for_code(page, "bob@example.com")
    expect(page.get_by_text("Sending…")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("look", [Look("phone"), Look(scheme="dark")], indirect=True, ids=str)
def test_axe_finds_nothing_in_the_examples_inbox(
    page: Page, axe: str, site: str, settings: Any, tmp_path: Path
) -> None:
    settings.INBOX_DIR = str(tmp_path)
    message = InboxMessage(
        sender="site",
        channel="email",
        recipient="ada@example.com",
        subject="A subject",
        text="A text",
        at="2026-11-20T10:00:00",
    )
    append(tmp_path / "own.jsonl", message)
    page.goto("/inbox/")
    expect(page.get_by_text("ada@example.com")).to_be_visible()
    assert violations(page, axe) == []

"""The page that waits for the verdict on a code, in both widths and schemes, with and without JavaScript."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession

from .axe import violations
from .conftest import BOTH, Look
from .person import ask_for_code, enter, expect_refused, expect_signed_in, other

with_and_without_javascript = pytest.mark.parametrize("look", BOTH, indirect=True, ids=str)
HEADING = "Checking your code"


@pytest.fixture
def ann(page: Page, pool: LocalPool, cognito: LocalCognito, settings: Any) -> str:
    """Ann, who lives in the pool, is at the code page, and this is her code."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "REFUSAL_FLOOR": 2}
    pool.add_user("ann@example.com")
    ask_for_code(page, "ann@example.com")
    code = cognito.last_code("ann@example.com")
    assert code
    return code


@with_and_without_javascript
def test_a_right_code_of_the_pool(page: Page, look: Look, ann: str) -> None:
    enter(page, ann)
    if not look.javascript:
        page.get_by_role("button", name="Continue").click()
    expect_signed_in(page)
    page.go_back()
    expect_signed_in(page)


@with_and_without_javascript
def test_a_wrong_code_is_checked_and_refused_and_the_next_one_is_right(page: Page, look: Look, ann: str) -> None:
    enter(page, other(ann))
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADING)
    expect_refused(page)
    assert ChallengeSession.objects.get().attempts == 1
    page.reload()  # asks nothing again
    expect_refused(page)
    assert ChallengeSession.objects.get().attempts == 1
    enter(page, ann)
    if not look.javascript:
        page.get_by_role("button", name="Continue").click()
    expect_signed_in(page)


@pytest.mark.parametrize("look", [Look("phone"), Look("phone", "dark"), Look("narrow")], indirect=True, ids=str)
def test_axe_finds_nothing_and_nothing_is_scrolled_sideways(page: Page, look: Look, ann: str, axe: str) -> None:
    # As long as the test looks at it.
    page.route("**/login/code/status/", lambda route: route.fulfill(json={"answer": "checking"}))
    enter(page, other(ann))
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADING)
    assert violations(page, axe) == []
    assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
    if pictures := os.environ.get("PICTURES"):
        page.screenshot(path=Path(pictures) / f"checking-{look}.png")


@pytest.mark.parametrize("look", [Look("phone", javascript=False)], indirect=True, ids=str)
def test_the_page_of_a_right_code_says_how_to_go_on(page: Page, ann: str) -> None:
    enter(page, ann)
    button = page.get_by_role("button", name="Continue")
    expect(button).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Your code is right.")
    if pictures := os.environ.get("PICTURES"):
        page.screenshot(path=Path(pictures) / "checking-right.png")

"""Code around ours that breaks, or opens a transaction: an attempt stays spent, or nothing is compared."""

from collections.abc import Callable

import pytest

from ..gunicorn_site import Site
from ..http_browser import OTP, Browser
from .breaking import BREAK
from .test_guesses import claimed, compared, failures

pytestmark = pytest.mark.parametrize("site", ["postgresql", "sqlite"], indirect=True, scope="session")
Guesses = Callable[[str, int], list[str]]


@pytest.fixture
def _no_500() -> None:
    """Here the tests break the site themselves."""


def test_a_site_that_raises_after_a_wrong_code_leaves_the_attempt_spent(
    site: Site, person: str, guesses: Guesses
) -> None:
    browser = Browser(site.port, may_fail=True)
    browser.start(person)
    right = site.code(person)
    for code in guesses(right, 3):
        assert browser.ask("POST", OTP, {"code": code}, **{BREAK: "1"}).status == 500
    assert claimed(site, person) == [3]
    assert failures(site, person) == 3
    assert compared(site, person) == 3
    assert not browser.post(OTP, code=right).signed_in


def test_a_site_that_raises_after_the_right_code_does_not_let_it_be_used_again(site: Site, person: str) -> None:
    browser = Browser(site.port, may_fail=True)
    browser.start(person)
    right = site.code(person)
    assert browser.ask("POST", OTP, {"code": right}, **{BREAK: "1"}).status == 500
    assert not browser.post(OTP, code=right).signed_in


def test_inside_the_transaction_of_a_request_nothing_is_claimed_and_nothing_compared(site: Site, person: str) -> None:
    browser = Browser(site.port, may_fail=True)
    browser.start(person)
    right = site.code(person)
    assert browser.ask("POST", "/wrapped/", {"code": right}).status == 500
    assert claimed(site, person) == [0]
    assert compared(site, person) == 0
    assert browser.post(OTP, code=right).signed_in

"""Many answers at the same moment: what is compared is counted first, whatever the site is built on."""

from collections.abc import Callable

import pytest

from ..gunicorn_site import Site
from ..http_browser import OTP, Browser, at_once

pytestmark = pytest.mark.parametrize("site", ["postgresql", "sqlite"], indirect=True, scope="session")
MAX_ATTEMPTS = 3
FAILURES = 50  # the default of LIMITS["failures"]
Guesses = Callable[[str, int], list[str]]


def compared(site: Site, identifier: str) -> int:
    """How often an answer of this person was compared, by the timeline."""
    return int(
        site.database.value(
            "SELECT count(*) FROM cognito_passwordless_journeyevent e"
            " JOIN cognito_passwordless_challengesession c ON c.id = e.attempt"
            " WHERE c.identifier = ? AND e.step = 'answered' AND e.cause <> 'over_limit'",
            identifier,
        )
    )


def claimed(site: Site, identifier: str) -> list[int]:
    """The attempts that each challenge of this person has spent."""
    return [
        attempts
        for (attempts,) in site.database.rows(
            "SELECT attempts FROM cognito_passwordless_challengesession WHERE identifier = ?", identifier
        )
    ]


def failures(site: Site, identifier: str) -> int:
    return int(
        site.database.value(
            "SELECT count FROM cognito_passwordless_failurecount WHERE identifier = ? AND browser = ''", identifier
        )
    )


@pytest.mark.parametrize("round_", range(10))
def test_of_128_wrong_guesses_at_once_no_more_than_the_policy_allows_are_compared(
    site: Site, browser: Browser, person: str, guesses: Guesses, round_: int
) -> None:
    browser.start(person)
    wrong = guesses(site.code(person), 128)
    replies = browser.at_once(OTP, [{"code": code} for code in wrong])
    assert {reply.status for reply in replies} == {200}
    assert compared(site, person) == MAX_ATTEMPTS
    assert claimed(site, person) == [MAX_ATTEMPTS]
    assert failures(site, person) == MAX_ATTEMPTS


def test_the_right_code_among_128_guesses_opens_no_more_often_than_chance(
    site: Site, person: str, guesses: Guesses
) -> None:
    opened = 0
    for _ in range(5):
        browser = Browser(site.port)
        browser.start(person)
        right = site.code(person)
        entries = guesses(right, 127)
        entries.insert(64, right)
        replies = browser.at_once(OTP, [{"code": code} for code in entries])
        signed_in = [place for place, reply in enumerate(replies) if reply.signed_in]
        assert signed_in in ([], [64])
        opened += len(signed_in)
    # Three of 128 in each round: four or five of five have a chance of one in 650,000.
    assert opened <= 3


def test_40_challenges_of_one_person_share_one_count_and_nothing_is_compared_past_its_limit(
    site: Site, person: str, guesses: Guesses
) -> None:
    browsers = [Browser(site.port) for _ in range(40)]
    for browser in browsers:
        browser.start(person)
    (wrong,) = guesses(site.code(person), 1)
    at_once([(browser, OTP, {"code": wrong}) for browser in browsers])
    assert failures(site, person) == 40
    assert compared(site, person) == 40
    at_once([(browser, OTP, {"code": wrong}) for browser in browsers for _ in range(2)])
    assert FAILURES <= failures(site, person) <= 120  # what was in flight at the limit is counted, and not compared
    assert compared(site, person) == FAILURES

    late = Browser(site.port)
    late.start(person)
    assert not late.post(OTP, code=wrong).signed_in
    assert compared(site, person) == FAILURES

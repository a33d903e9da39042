"""Many wishes for a message at the same moment, and workers that run twice or die."""

from uuid import UUID

import pytest

from ..gunicorn_site import Site
from ..http_browser import OTP, RESEND, RETRY, Browser, at_once

pytestmark = pytest.mark.parametrize("site", ["postgresql", "sqlite"], indirect=True, scope="session")
MAX_SENDS = 5
OF = "SELECT id FROM cognito_passwordless_challengesession WHERE identifier = ?"


def challenges(site: Site, identifier: str) -> int:
    return int(
        site.database.value(
            "SELECT count(*) FROM cognito_passwordless_challengesession WHERE identifier = ?", identifier
        )
    )


def cool_down(site: Site, identifier: str) -> None:
    """Lets the cool-down of this person's challenges be over."""
    past = "'2020-01-01 00:00:00+00:00'"
    site.database.rows(
        f"UPDATE cognito_passwordless_challengesession SET last_sent_at = {past} WHERE identifier = ?", identifier
    )


def work(site: Site, identifier: str, workers: int = 2, times: int = 4) -> None:
    """Gives the same task to several workers, several times each, at the same moment."""
    ((challenge, generation),) = site.database.rows(
        "SELECT id, generation FROM cognito_passwordless_challengesession WHERE identifier = ?", identifier
    )
    arguments = (str(UUID(str(challenge))), str(generation), str(times))
    processes = [site.process("tests.races.worker", *arguments) for _ in range(workers)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(30) for process in processes] == [0] * workers
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()


def test_a_task_that_many_workers_get_sends_once(site: Site, browser: Browser, person: str) -> None:
    browser.start(person)
    site.database.rows(f"DELETE FROM cognito_passwordless_delivery WHERE challenge_id IN ({OF})", person)
    work(site, person)
    assert len(site.messages(person)) == 2


def test_after_a_worker_that_died_one_copy_of_the_same_code_is_sent(site: Site, browser: Browser, person: str) -> None:
    browser.start(person)
    code = site.code(person)
    site.database.rows(
        "UPDATE cognito_passwordless_delivery SET status = 'sending', started_at = '2020-01-01 00:00:00+00:00'"
        f" WHERE challenge_id IN ({OF})",
        person,
    )
    work(site, person)
    assert len(site.messages(person)) == 2
    assert site.code(person) == code


def test_40_resends_at_once_send_one_more_message_per_cool_down_and_never_more_than_the_policy_allows(
    site: Site, browser: Browser, person: str
) -> None:
    browser.start(person)
    for sent in (2, 3, 4, 5, 5):
        cool_down(site, person)
        before = challenges(site, person)
        entries = [{}] * 40
        replies = browser.at_once(RESEND, entries)
        if sent == MAX_SENDS and challenges(site, person) > before:
            break  # used up: the last of them started a fresh challenge, once
        assert sum(reply.status == 302 for reply in replies) == 1
        assert len(site.messages(person)) == sent
    assert challenges(site, person) == 2
    assert len(site.messages(person)) == MAX_SENDS + 1


def test_40_retries_at_once_start_one_challenge_per_cool_down(site: Site, browser: Browser, person: str) -> None:
    browser.start(person)
    assert {reply.status for reply in browser.at_once(RETRY, [{}] * 40)} == {429}
    assert challenges(site, person) == 1
    cool_down(site, person)
    replies = browser.at_once(RETRY, [{}] * 40)
    assert [reply.location for reply in replies].count(OTP) == 1
    assert challenges(site, person) == 2
    assert len(site.messages(person)) == 2


def test_retries_and_resends_mixed_at_once_send_one_message(site: Site, browser: Browser, person: str) -> None:
    browser.start(person)
    cool_down(site, person)
    at_once([(browser, path, {}) for path in (RESEND, RETRY) * 20])
    assert 2 <= len(site.messages(person)) <= 3

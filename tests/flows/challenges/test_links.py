"""The link that makes a browser known: its token, and that it is used once."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from cognito_passwordless.flows.challenges import attempts, links
from cognito_passwordless.models import ChallengeSession, FailureCount

from ..started import ANN, NOW, after, held

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _public(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "PUBLIC_URL": "https://www.example.com"}


def sent(**fields: Any) -> tuple[str, ChallengeSession]:
    _, challenge = held(decoy_reason=links.SENT, **fields)
    return links.url_of(challenge).rstrip("/").rpartition("/")[2], challenge


def test_a_link_is_of_the_sites_own_origin_and_short_enough_for_an_sms() -> None:
    _, challenge = held()
    assert re.fullmatch(r"https://www\.example\.com/login/link/[\w-]{44}/", links.url_of(challenge))


def test_without_an_origin_there_is_no_link(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "PUBLIC_URL": ""}
    assert links.url_of(held()[1]) == ""


def test_a_link_finds_its_challenge_until_its_time_is_over() -> None:
    token, challenge = sent()
    assert links.find(token, after(3600)) == challenge  # it outlives the hour until the next one comes
    assert links.find(token, NOW + links.LIFETIME) is None


def test_only_what_was_sent_as_a_link_is_one() -> None:
    _, challenge = held()
    token = links.url_of(challenge).rstrip("/").rpartition("/")[2]
    assert links.find(token, NOW) is None


@pytest.mark.parametrize("nonsense", ["", "x", "é" * 44, "A" * 44, "=" * 44, "_" * 100])
def test_nonsense_is_no_link(nonsense: str) -> None:
    assert links.find(nonsense, NOW) is None


def test_a_changed_link_is_none_and_neither_is_one_by_a_retired_key(settings: Any) -> None:
    token, _ = sent()
    for place in (0, 21, 22, 43):
        other = "A" if token[place] != "A" else "B"
        assert links.find(token[:place] + other + token[place + 1 :], NOW) is None
    settings.SECRET_KEY = "another one, of which nobody has made a link before"
    assert links.find(token, NOW) is None


def test_nothing_of_the_token_is_in_the_row() -> None:
    token, challenge = sent()
    assert token[-22:] not in str(ChallengeSession.objects.filter(pk=challenge.pk).values())


def test_a_link_is_used_once() -> None:
    token, challenge = sent()
    assert [links.use(challenge, "b1", NOW) for _ in range(3)] == [True, False, False]
    assert links.find(token, NOW) is None


def test_a_link_is_used_after_its_challenge_has_ended() -> None:
    token, challenge = sent(outcome="superseded", expires_at=after(60))
    assert links.find(token, after(3000)) == challenge
    assert links.use(challenge, "b1", after(3000))


def test_of_many_at_once_one_uses_the_link() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one connection in memory; tests/races has SQLite in a file")
    _, challenge = sent()

    def use(number: int) -> bool:
        try:
            return links.use(challenge, f"b{number}", NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(use, range(32))) == 1


def test_a_link_forgets_what_known_browsers_guessed_and_nothing_of_the_strangers(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "LIMITS": {"failures": "98", "failures_known_browser": "2"},
    }
    for browser in ("", "", "b1", "b1"):
        attempts.claim(held(account="user 5", known_browser=browser)[0], NOW)
    _, challenge = sent(account="user 5")
    assert attempts.is_over_limit(held(account="user 5", known_browser="b2")[1])
    links.use(challenge, "b3", NOW)
    assert not attempts.is_over_limit(held(account="user 5", known_browser="b3")[1])
    assert attempts.is_over_limit(held(account="user 5", known_browser="b1")[1])  # its own stay
    assert FailureCount.objects.get(identifier=ANN).count == 2

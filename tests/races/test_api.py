"""The races of the pages, by the JSON API as an app calls it."""

import http.client
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep
from typing import Any

import pytest

from ..gunicorn_site import Site
from ..http_browser import OTP, Browser
from .test_guesses import MAX_ATTEMPTS, claimed, compared, failures

pytestmark = pytest.mark.parametrize("site", ["postgresql"], indirect=True, scope="session")


def ask(site: Site, address: str, data: dict[str, str], token: str = "") -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    try:
        headers = {"Content-Type": "application/json"} | ({"X-Session-Token": token} if token else {})
        connection.request("POST", f"/_allauth/app/v1/auth/code/{address}", json.dumps(data), headers)
        answer: dict[str, Any] = json.load(connection.getresponse())
        return answer
    finally:
        connection.close()


def at_once(site: Site, address: str, entries: Sequence[dict[str, str]], token: str) -> list[dict[str, Any]]:
    gate = Barrier(len(entries))

    def post(entry: dict[str, str]) -> dict[str, Any]:
        gate.wait(30)
        return ask(site, address, entry, token)

    with ThreadPoolExecutor(len(entries)) as threads:
        return list(threads.map(post, entries))


def start(site: Site, person: str) -> str:
    return str(ask(site, "request", {"email": person})["meta"]["session_token"])


@pytest.mark.parametrize("round_", range(5))
def test_of_128_wrong_guesses_at_once_no_more_than_the_policy_allows_are_compared(
    site: Site, person: str, guesses: Callable[[str, int], list[str]], round_: int
) -> None:
    token = start(site, person)
    entries = [{"code": code} for code in guesses(site.code(person), 128)]
    answers = at_once(site, "confirm", entries, token)
    assert {(answer["status"], answer["errors"][0]["code"]) for answer in answers} == {(400, "incorrect_code")}
    assert (compared(site, person), claimed(site, person), failures(site, person)) == (3, [MAX_ATTEMPTS], MAX_ATTEMPTS)


def test_of_16_right_codes_at_once_one_opens_a_session(site: Site, person: str) -> None:
    for _ in range(5):
        token = start(site, person)
        answers = at_once(site, "confirm", [{"code": site.code(person)}] * 16, token)
        assert sorted(answer["status"] for answer in answers) == [200, *[400] * 15]


def test_of_40_resends_at_once_one_sends(site: Site, person: str) -> None:
    token = start(site, person)
    sleep(2.1)  # the cool-down of this site, whose clock is real
    answers = at_once(site, "resend", [{}] * 40, token)
    assert sorted(answer["status"] for answer in answers) == [200, *[429] * 39]
    assert len(site.messages(person)) == 2


def test_guesses_at_pages_and_by_api_share_one_count(
    site: Site, browser: Browser, person: str, guesses: Callable[[str, int], list[str]]
) -> None:
    browser.start(person)
    token = start(site, person)
    wrong = guesses(site.code(person), 20)
    at_once(site, "confirm", [{"code": code} for code in wrong], token)
    browser.at_once(OTP, [{"code": code} for code in wrong])
    assert failures(site, person) == 2 * MAX_ATTEMPTS

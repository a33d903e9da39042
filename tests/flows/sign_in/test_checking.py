"""An answer that is not right at once: a checking page for everybody, and a verdict that another request fetches."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cognito_passwordless import keys
from cognito_passwordless.flows.challenges import checking
from cognito_passwordless.flows.challenges.status import GIVE_UP_AFTER
from cognito_passwordless.flows.sign_in import background as rooms
from cognito_passwordless.flows.sign_in.background import Background
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, ConnectionState, FailureCount, JourneyEvent

from .held import Held

pytestmark = pytest.mark.django_db(transaction=True)

FLOOR = 5.0
CODE, CHECKING, STATUS = "/login/code/", "/login/code/checking/", "/login/code/status/"
NOT_RIGHT = "That code is not right, or no longer valid."
NOT_CHECKED = "We can&#x27;t check codes at the moment."


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Held:
    executor = Held()
    monkeypatch.setattr(rooms, "HEAD_START", 0.0)
    monkeypatch.setattr("cognito_passwordless.flows.sign_in.login.background", Background(lambda: executor))
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "REFUSAL_FLOOR": FLOOR}
    return executor


@pytest.fixture
def ann(client: Client, pool: LocalPool, cognito: LocalCognito, held: Held) -> str:
    """Ann, who lives in the pool, has asked for a code, and this is it."""
    pool.add_user("ann@example.com", username=None)
    client.post("/login/", {"identifier": "ann@example.com"})
    code = cognito.last_code("ann@example.com")
    assert code
    return code


def other(code: str) -> str:
    return "11111111" if code != "11111111" else "22222222"


def give(client: Client, code: str) -> None:
    response = client.post(CODE, {"code": code})
    assert (response.status_code, response["Location"]) == (302, CHECKING)


def page(client: Client) -> str:
    response = client.get(CHECKING, follow=True)
    return str(response.content.decode())


def state(client: Client) -> str:
    return str(client.get(STATUS).json()["answer"])


def pass_time(seconds: float) -> None:
    for challenge in ChallengeSession.objects.exclude(answered_at=None):
        challenge.answered_at -= timedelta(seconds=seconds)
        challenge.save(update_fields=["answered_at"])


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_right_code_of_the_pool_is_finished_as_soon_as_it_is_known(client: Client, ann: str, held: Held) -> None:
    give(client, ann)
    assert state(client) == "checking"
    held.work()
    assert state(client) == "right"
    assert "Continue" in page(client)
    assert not is_signed_in(client)  # a GET signs in nobody
    response = client.post(CHECKING)
    assert response.status_code == 302
    assert is_signed_in(client)
    assert site_settings.SESSION_COOKIE_NAME in client.cookies
    challenge = ChallengeSession.objects.get()
    assert (challenge.outcome, challenge.pool_session) == ("verified", "")
    assert {row.count for row in FailureCount.objects.all()} == {0}


def test_a_proof_is_taken_once_by_requests_that_both_found_it(
    client: Client, ann: str, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(client, ann)
    held.work()
    waiting = ChallengeSession.objects.get()
    monkeypatch.setattr(checking, "find", lambda handle: waiting)
    now = timezone.now()
    assert checking.take_proof("handle", now) is waiting
    assert checking.take_proof("handle", now) is None


def test_a_proof_of_a_pool_that_was_retired_meanwhile_opens_nothing(client: Client, ann: str, held: Held) -> None:
    give(client, ann)
    held.work()
    ConnectionState.objects.create(alias="main", retired_at=timezone.now())
    client.post(CHECKING)
    assert not is_signed_in(client)


def test_a_refusal_shows_at_the_floor_and_not_before(client: Client, ann: str, held: Held) -> None:
    give(client, other(ann))
    held.work()
    assert state(client) == "checking"
    assert '<meta http-equiv="refresh" content="1">' in page(client)
    pass_time(FLOOR)
    assert state(client) == "refused"
    assert NOT_RIGHT in page(client)
    assert JourneyEvent.objects.get(step="answered").cause == "wrong_code"


def test_a_right_code_of_ours_is_never_held_back(
    client: Client, pool: LocalPool, held: Held, make_user: Callable[..., Any], sent_code: Callable[[], str]
) -> None:
    make_user("local@example.com")
    client.post("/login/", {"identifier": "local@example.com"})
    client.post(CODE, {"code": sent_code()})
    assert is_signed_in(client)
    assert not held.jobs


@pytest.mark.parametrize("person", ["local@example.com", "nobody@example.com", "ann@example.com"])
def test_everybodys_wrong_code_does_the_same_in_its_request(
    client: Client, ann: str, held: Held, make_user: Callable[..., Any], person: str
) -> None:
    make_user("local@example.com")
    browser = Client()
    browser.post("/login/", {"identifier": person})
    with CaptureQueriesContext(connection) as asked:
        give(browser, other(ann))
    assert len([query for query in asked if not query["sql"].startswith(("BEGIN", "COMMIT"))]) == 2
    assert len(held.jobs) == 1
    held.work()
    pass_time(FLOOR)
    assert NOT_RIGHT in page(browser)


def test_expired_and_used_up_get_the_checking_page_too(client: Client, ann: str, held: Held) -> None:
    ChallengeSession.objects.update(expires_at=timezone.now())
    give(client, ann)
    assert state(client) == "checking"
    assert not held.jobs
    pass_time(FLOOR)
    assert NOT_RIGHT in page(client)
    give(client, ann)
    assert state(client) == "checking"


def test_one_more_answer_does_not_hide_the_one_that_is_being_checked(client: Client, ann: str, held: Held) -> None:
    for _ in range(2):
        give(client, other(ann))
    give(client, ann)
    give(client, other(ann))  # no attempt is left for it
    assert held.work() == 3
    assert state(client) == "right"


def test_of_16_right_codes_at_once_one_opens_one_session(client: Client, ann: str, held: Held) -> None:
    browsers = [Client() for _ in range(16)]
    for browser in browsers:
        browser.cookies.update(client.cookies)
        give(browser, ann)
    held.work()
    assert {state(browser) for browser in browsers} == {"right"}
    for browser in browsers:
        browser.post(CHECKING)
    assert [is_signed_in(browser) for browser in browsers].count(True) == 1


def test_another_browser_learns_and_finishes_nothing(client: Client, ann: str, held: Held) -> None:
    give(client, ann)
    held.work()
    stranger = Client()
    assert stranger.get(STATUS).status_code == 404
    assert stranger.get(CHECKING).status_code == 302
    stranger.post(CHECKING)
    assert not is_signed_in(stranger)


def test_another_site_finishes_nothing(client: Client, ann: str, held: Held) -> None:
    """Not even in the browser that holds the handle: an attacker may have planted it there."""
    give(client, ann)
    held.work()
    victim = Client(enforce_csrf_checks=True)
    victim.cookies.update(client.cookies)
    assert victim.post(CHECKING).status_code == 403
    victim.get(CHECKING, headers={"Sec-Purpose": "prefetch"})
    assert not is_signed_in(victim)


def test_a_code_that_was_answered_is_not_answered_twice(client: Client, ann: str, held: Held) -> None:
    give(client, ann)
    held.work()
    before = client.cookies.copy()
    client.post(CHECKING)
    again = Client()
    again.cookies.update(before)
    for path in (CODE, CHECKING):
        again.post(path, {"code": ann})
        held.work()
        again.get(CHECKING)
        assert not is_signed_in(again)


def test_a_proof_does_not_wait_for_ever(client: Client, ann: str, held: Held) -> None:
    give(client, ann)
    held.work()
    pass_time(301)
    assert state(client) == ""
    assert client.post(CHECKING, follow=True).redirect_chain[-1][0] == CODE
    assert not is_signed_in(client)


def test_a_proof_of_a_retired_pool_opens_nothing(client: Client, ann: str, held: Held, settings: Any) -> None:
    give(client, ann)
    held.work()
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": []}}
    client.post(CHECKING)
    assert not is_signed_in(client)


def test_neither_the_code_nor_the_proof_can_be_read_in_the_database(client: Client, ann: str, held: Held) -> None:
    give(client, ann)
    held.work()
    row = ChallengeSession.objects.values().get()
    assert ann not in str(row)
    assert "ann@example.com" not in row["pool_session"]
    assert "ann@example.com" in (keys.decrypt(row["pool_session"]) or "")


@pytest.mark.parametrize("person", ["nobody@example.com", "ann@example.com"])
def test_an_answer_whose_process_died_could_not_be_checked(client: Client, ann: str, held: Held, person: str) -> None:
    browser = Client()
    browser.post("/login/", {"identifier": person})
    give(browser, other(ann))
    pass_time(GIVE_UP_AFTER - 1)
    assert state(browser) == "checking"
    pass_time(1)
    assert state(browser) == "unchecked"
    assert NOT_CHECKED in page(browser)
    assert ChallengeSession.objects.latest("created_at").attempts == 1


@pytest.mark.parametrize("person", ["nobody@example.com", "ann@example.com"])
def test_a_full_house_says_the_same_to_everybody(
    client: Client, ann: str, held: Held, monkeypatch: pytest.MonkeyPatch, person: str
) -> None:
    monkeypatch.setattr(rooms, "PLACES", 1)
    give(client, other(ann))
    browser = Client()
    browser.post("/login/", {"identifier": person})
    give(browser, other(ann))
    assert len(held.jobs) == 1
    assert state(browser) == "checking"
    pass_time(FLOOR)
    assert state(browser) == "unchecked"


def test_a_right_code_is_not_called_wrong_while_the_pool_is_down_and_nobody_elses_is(
    client: Client, ann: str, held: Held, cognito: LocalCognito, pool: LocalPool
) -> None:
    nobody = Client()
    nobody.post("/login/", {"identifier": "nobody@example.com"})
    give(nobody, other(ann))
    held.work()
    cognito.fail("RespondToAuthChallenge", "500", times=1, pool_id=pool.id)
    give(client, ann)
    held.work()
    pass_time(FLOOR)
    assert state(client) == state(nobody) == "unchecked"
    pass_time(180)
    assert state(nobody) == "refused"


def test_a_new_message_clears_the_verdict(client: Client, ann: str, held: Held) -> None:
    give(client, other(ann))
    held.work()
    ChallengeSession.objects.update(last_sent_at=timezone.now() - timedelta(minutes=1))
    client.post("/login/code/resend/")
    assert state(client) == ""
    assert client.get(CHECKING).status_code == 302

"""The claims, one at a time; `tests/races` runs many of them at once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cognito_passwordless.flows.challenges import attempts
from cognito_passwordless.models import ChallengeSession, FailureCount

from ..started import ANN, NOW, after, held

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 24 * 3600


@pytest.fixture
def limits(settings: Any) -> Callable[..., None]:
    def choose(**limits: object) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": limits}

    return choose


def count(identifier: str = ANN, browser: str = "") -> int:
    return FailureCount.objects.get(identifier=identifier, browser=browser).count


def claim(handle: str, seconds: float = 0) -> str:
    attempt = attempts.claim(handle, after(seconds))
    assert attempt is not None
    return attempt.refusal


def statements(of: Callable[[], object]) -> list[str]:
    """What is sent to the database, but for the marks of a transaction."""
    with CaptureQueriesContext(connection) as captured:
        of()
    marks = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(marks)]


@pytest.mark.parametrize(
    "change",
    [
        lambda handle, challenge: attempts.claim(handle, NOW),
        lambda handle, challenge: attempts.accept(challenge),
        lambda handle, challenge: attempts.resend(handle, after(60)),
        lambda handle, challenge: attempts.take_back_send(challenge, challenge),
    ],
)
def test_inside_a_callers_transaction_nothing_is_claimed(
    change: Callable[[str, ChallengeSession], object],
) -> None:
    handle, challenge = held()
    with pytest.raises(RuntimeError), transaction.atomic():
        change(handle, challenge)
    challenge.refresh_from_db()
    assert (challenge.attempts, challenge.sends, challenge.outcome) == (0, 1, "open")


@pytest.mark.parametrize(
    "change",
    [
        lambda handle, challenge: attempts.claim(handle, NOW),
        lambda handle, challenge: attempts.accept(challenge),
        lambda handle, challenge: attempts.resend(handle, after(60)),
        lambda handle, challenge: attempts.supersede(handle),
    ],
)
def test_every_transition_begins_with_its_update(change: Callable[[str, ChallengeSession], object]) -> None:
    handle, challenge = held()
    assert statements(lambda: change(handle, challenge))[0].startswith("UPDATE")


def test_every_claim_costs_two_statements_whoever_it_is_for() -> None:
    kinds = ({}, {}, {"account": "user 5"}, {"known_browser": "b1"})
    handles = [held(**kind)[0] for kind in kinds]
    assert [len(statements(lambda: attempts.claim(handle, NOW))) for handle in handles] == [2] * 4  # noqa: B023


def test_a_success_locks_the_counts_in_the_order_of_a_claim(limits: Callable[..., None]) -> None:
    """In another order, a success and a claim could each wait for the other."""
    handle, challenge = held(known_browser="b1", account="user 5")
    claiming = statements(lambda: claim(handle))
    accepting = statements(lambda: attempts.accept(challenge))

    def locked(sent: list[str]) -> list[str]:
        return re.findall(r"ann@example\.com|user 5|b1", " ".join(sql for sql in sent if "failurecount" in sql))

    # Behind the rows of the INSERT stands what keeps them out.
    assert locked(claiming)[:4] == [ANN, "user 5", "user 5", "b1"]
    assert [name for name in locked(accepting) if name != "b1"] == [ANN, "user 5", "user 5"]


def test_a_browser_without_a_challenge_claims_nothing() -> None:
    assert attempts.claim(attempts.new_handle(), NOW) is None
    assert not FailureCount.objects.exists()


def test_the_database_holds_only_the_hash_of_the_handle() -> None:
    handle, challenge = held()
    assert handle not in str(ChallengeSession.objects.filter(pk=challenge.pk).values())
    assert attempts.find(challenge.handle_hash) is None


def test_a_refused_claim_counts_no_failure() -> None:
    handle, _ = held()
    assert [claim(handle) for _ in range(5)] == ["", "", "", "locked", "locked"]
    assert count() == 3


def test_failures_are_counted_across_challenges() -> None:
    for _ in range(4):
        claim(held()[0])
    assert count() == 4


def test_past_the_limit_nothing_is_compared_and_the_attempt_is_spent(limits: Callable[..., None]) -> None:
    limits(failures="2")
    handle, challenge = held()
    assert [claim(handle) for _ in range(3)] == ["", "", "over_limit"]
    challenge.refresh_from_db()
    assert challenge.attempts == 3
    assert attempts.is_over_limit(challenge)


def test_other_people_are_not_over_a_limit_that_somebody_used_up(limits: Callable[..., None]) -> None:
    limits(failures="1")
    claim(held()[0])
    assert claim(held("bob@example.com")[0]) == ""
    assert not attempts.is_over_limit(held("carol@example.com")[1])


@pytest.mark.parametrize("limit", ["1", "1/1h", "1/1s"])
def test_no_time_starts_the_count_anew(limits: Callable[..., None], limit: str) -> None:
    limits(failures=limit)
    claim(held()[0])
    years = 5 * 365 * DAY
    handle, challenge = held(expires_at=after(2 * years))
    assert attempts.is_over_limit(challenge)
    assert claim(handle, years) == "over_limit"


def test_120_wrong_answers_one_in_an_hour_are_compared_no_more_often_than_the_limit() -> None:
    told = [claim(held(expires_at=after(121 * 3600))[0], hour * 3600) for hour in range(120)]
    assert told == [""] * 50 + ["over_limit"] * 70


def test_the_identifiers_of_one_account_share_its_count() -> None:
    """816 answers, an hour apart: each of four addresses alone would have 200 compared."""
    names = [f"ann{number}@example.com" for number in range(4)]
    compared = 0
    for number in range(816):
        handle, _ = held(names[number % 4], account="user 5", expires_at=after(817 * 3600))
        compared += claim(handle, number * 3600) == ""
    assert compared == 50
    # What was not compared is not counted: no address is locked for having been typed.
    assert claim(held(names[0], account="user 6")[0]) == ""
    assert count("user 5") == 50


def test_all_browsers_together_get_no_more_than_100_in_a_row(limits: Callable[..., None]) -> None:
    limits(failures="70", failures_known_browser="10")
    kinds = [{}, *({"known_browser": f"b{number}"} for number in range(9))]
    compared = sum(claim(held(account="user 5", **kind)[0]) == "" for kind in kinds for _ in range(80))
    assert compared == 100


@pytest.mark.parametrize(("failures", "known"), [("100", "10"), ("1000", "1000"), ("95", "50")])
def test_limits_that_allow_more_than_100_are_held_below_and_leave_known_browsers_theirs(
    limits: Callable[..., None], failures: str, known: str
) -> None:
    limits(failures=failures, failures_known_browser=known)
    strangers = sum(claim(held()[0]) == "" for _ in range(120))
    owners = sum(claim(held(known_browser=f"b{number}")[0]) == "" for number in range(20) for _ in range(60))
    assert strangers + owners == 100
    assert owners >= 10


def test_success_forgets_the_failures_in_a_row() -> None:
    handle, challenge = held()
    claim(held()[0])
    claim(handle)
    assert attempts.accept(challenge)
    assert count() == 0


def test_success_happens_once() -> None:
    handle, challenge = held()
    claim(handle)
    assert [attempts.accept(challenge) for _ in range(3)] == [True, False, False]


def test_a_success_that_came_too_late_leaves_the_failures(limits: Callable[..., None]) -> None:
    handle, challenge = held()
    claim(handle)
    attempts.supersede(handle)
    assert not attempts.accept(challenge)
    assert count() == 1


def test_a_code_that_was_rotated_away_while_it_was_compared_is_not_accepted(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "OTP": {"ON_RESEND": "rotate"}}
    handle, challenge = held()
    claim(handle)
    assert attempts.resend(handle, after(30))
    assert not attempts.accept(challenge)
    challenge.refresh_from_db()
    assert (challenge.generation, challenge.outcome) == (2, "open")


def test_success_leaves_no_session_of_the_pool_behind() -> None:
    _, challenge = held(pool_session="encrypted")
    attempts.accept(challenge)
    challenge.refresh_from_db()
    assert challenge.pool_session == ""


def test_strangers_use_up_nothing_of_a_known_browsers(limits: Callable[..., None]) -> None:
    limits(failures="1", failures_known_browser="2")
    for _ in range(5):
        claim(held()[0])
    assert [claim(held(known_browser="b1")[0]) for _ in range(3)] == ["", "", "over_limit"]
    assert claim(held(known_browser="b2")[0]) == ""
    assert claim(held()[0]) == "over_limit"


def test_a_known_browser_uses_up_nothing_of_the_strangers(limits: Callable[..., None]) -> None:
    limits(failures="1", failures_known_browser="1")
    claim(held(known_browser="b1")[0])
    assert attempts.is_over_limit(held(known_browser="b1")[1])
    assert not attempts.is_over_limit(held()[1])
    assert claim(held()[0]) == ""


def test_success_gives_the_budgets_back_and_another_known_browser_does_not(limits: Callable[..., None]) -> None:
    limits(failures="1", failures_known_browser="1")
    claim(held()[0])
    claim(held(known_browser="b1")[0])
    handle, challenge = held(known_browser="b2")
    assert claim(handle) == ""
    assert attempts.accept(challenge)
    assert claim(held()[0]) == ""
    assert claim(held(known_browser="b1")[0]) == "over_limit"  # it used up its own, and was not what succeeded
    assert claim(held(known_browser="b2")[0]) == ""


@pytest.mark.parametrize("limit", ["0", "0/1h", "-1", "", None, 0, 5, True, "5/0h", "5 / 1h", "5/1w", ["5"]])
def test_a_corrupt_limit_closes(limits: Callable[..., None], limit: object) -> None:
    limits(failures=limit)
    handle, challenge = held()
    with pytest.raises(ImproperlyConfigured):
        attempts.claim(handle, NOW)
    challenge.refresh_from_db()
    assert challenge.outcome == "open"


def test_ending_one_browsers_challenge_leaves_those_of_others() -> None:
    mine, theirs = held(), held()
    assert attempts.supersede(mine[0])
    assert claim(mine[0]) == "superseded"
    assert claim(theirs[0]) == ""


def test_within_the_cool_down_nothing_is_ended() -> None:
    handle, _ = held()
    assert not attempts.supersede(handle, now=after(29))
    assert attempts.supersede(handle, now=after(30))
    assert not attempts.supersede(handle, now=after(30))


def test_what_could_not_be_followed_up_is_open_again() -> None:
    handle, challenge = held()
    attempts.supersede(handle)
    attempts.reopen(challenge)
    assert claim(handle) == ""


def test_what_is_verified_is_never_opened_again() -> None:
    handle, challenge = held()
    attempts.accept(challenge)
    attempts.reopen(challenge)
    assert claim(handle) == "verified"


def test_a_resend_that_nobody_was_told_of_is_taken_back() -> None:
    handle, before = held()
    attempts.resend(handle, after(30))
    challenge = attempts.find(handle)
    assert challenge is not None
    assert (challenge.sends, challenge.sending) == (2, "queued")
    attempts.take_back_send(challenge, before)
    assert attempts.resend(handle, after(31))

"""The claims, one at a time; `tests/races` runs many of them at once."""

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


def test_every_claim_costs_three_statements_whoever_it_is_for() -> None:
    first, again = held()[0], held()[0]
    assert [len(statements(lambda: attempts.claim(handle, NOW))) for handle in (first, again)] == [3, 3]  # noqa: B023


def test_a_success_locks_the_counts_in_the_order_of_a_claim(limits: Callable[..., None]) -> None:
    """In another order, a success and a claim could each wait for the other."""
    limits(failures="1/1h")
    handle, challenge = held(known_browser="b1")
    claim(handle)
    claiming = statements(lambda: claim(handle))
    accepting = statements(lambda: attempts.accept(challenge))

    def locked(sent: list[str]) -> list[str]:
        # The own count carries the browser's id; the shared one does not.
        writes = [sql for sql in sent if not sql.startswith("SELECT") and "failurecount" in sql]
        return ["own" if "'b1'" in sql else "shared" for sql in writes]

    assert locked(claiming)[0] == locked(accepting)[0] == "shared"
    assert locked(claiming)[1] == locked(accepting)[1] == "own"


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
    limits(failures="2/1h")
    handle, challenge = held()
    assert [claim(handle) for _ in range(3)] == ["", "", "over_limit"]
    challenge.refresh_from_db()
    assert challenge.attempts == 3
    assert attempts.is_over_limit(ANN, NOW)


def test_other_people_are_not_over_a_limit_that_somebody_used_up(limits: Callable[..., None]) -> None:
    limits(failures="1/1h")
    claim(held()[0])
    assert claim(held("bob@example.com")[0]) == ""
    assert not attempts.is_over_limit("carol@example.com", NOW)


def test_the_count_begins_anew_when_its_window_is_over(limits: Callable[..., None]) -> None:
    limits(failures="1/1h")
    claim(held()[0])
    long_lived = {"expires_at": after(DAY)}
    assert claim(held(**long_lived)[0], 3599) == "over_limit"
    assert attempts.is_over_limit(ANN, after(3599))
    assert not attempts.is_over_limit(ANN, after(3600))
    assert claim(held(**long_lived)[0], 3600) == ""
    assert count() == 1


def test_guessing_past_the_limit_does_not_make_the_window_longer(limits: Callable[..., None]) -> None:
    limits(failures="1/1h")
    for minute in range(60):
        claim(held(expires_at=after(DAY))[0], minute * 60)
    assert not attempts.is_over_limit(ANN, after(3600))


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


def test_a_known_browser_has_a_few_attempts_of_its_own_past_the_limit(limits: Callable[..., None]) -> None:
    limits(failures="1/1h", failures_known_browser="2/1h")
    claim(held()[0])
    assert [claim(held(known_browser="b1")[0]) for _ in range(3)] == ["", "", "over_limit"]
    assert claim(held(known_browser="b2")[0]) == ""
    assert claim(held()[0]) == "over_limit"


def test_a_known_browser_draws_on_its_own_budget_only_past_the_limit(limits: Callable[..., None]) -> None:
    limits(failures="2/1h", failures_known_browser="1/1h")
    claim(held(known_browser="b1")[0])
    assert not FailureCount.objects.filter(browser="b1").exists()


def test_a_known_browsers_budget_comes_back_with_its_window_and_with_success(limits: Callable[..., None]) -> None:
    limits(failures="1/48h", failures_known_browser="1/1h")
    claim(held()[0])
    own = {"known_browser": "b1", "expires_at": after(DAY)}
    assert [claim(held(**own)[0]) for _ in range(2)] == ["", "over_limit"]
    handle, challenge = held(**own)
    assert claim(handle, 3600) == ""
    attempts.accept(challenge)
    assert count(browser="b1") == 0


def test_a_success_gives_no_other_browser_its_budget_back(limits: Callable[..., None]) -> None:
    limits(failures="1/1h", failures_known_browser="1/1h")
    claim(held()[0])
    claim(held(known_browser="b1")[0])
    attempts.accept(held(known_browser="b2")[1])
    assert count(browser="b1") == 1


@pytest.mark.parametrize("limit", ["0/1h", "-1/1h", "", None, 0, 5, True, "5/0h", "5 / 1h", "5/1w", ["5/1h"]])
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

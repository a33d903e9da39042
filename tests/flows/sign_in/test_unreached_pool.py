"""A code that a pool could not check: given back only where it never left for the pool (law 2)."""

from typing import Any

import pytest
from django.utils import timezone

from cognito_passwordless.cognito import Cause, CognitoError
from cognito_passwordless.flows.challenges import attempts
from cognito_passwordless.flows.sign_in import verification
from cognito_passwordless.flows.sign_in.context import Visitor
from cognito_passwordless.flows.sign_in.errors import Wrong
from cognito_passwordless.flows.sign_in.login import answer
from cognito_passwordless.identifiers import parse
from cognito_passwordless.local import LocalPool
from cognito_passwordless.models import ChallengeSession, FailureCount, MigratedUser, in_pages
from cognito_passwordless.otp import Code

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("browser", ["", "known"])
@pytest.mark.parametrize(
    ("aws_code", "cause", "spent"),
    [
        ("EndpointConnectionError", Cause.unavailable, 0),
        ("ConnectTimeoutError", Cause.timeout, 0),
        ("ReadTimeoutError", Cause.timeout, 1),
        ("InternalErrorException", Cause.unavailable, 1),
        ("TooManyRequestsException", Cause.throttled, 1),
    ],
)
def test_an_attempt_is_given_back_where_nothing_was_compared(
    pool: LocalPool, monkeypatch: pytest.MonkeyPatch, aws_code: str, cause: Cause, spent: int, browser: str
) -> None:
    def fails(*arguments: Any) -> None:
        raise CognitoError(cause, "RespondToAuthChallenge", aws_code)

    assert pool
    attempts.new_challenge(
        parse("ann@example.com"),
        "handle",
        timezone.now(),
        route="cognito_otp",
        connection="main",
        pool_session="x",
        known_browser=browser,
    )
    monkeypatch.setattr(verification.pool_codes, "has_session", lambda challenge: True)
    monkeypatch.setattr(verification.pool_codes, "answer", fails)
    with pytest.raises(Wrong) as wrong:
        answer(Visitor(handle="handle"), Code("123456"), now=timezone.now())
    assert (wrong.value.unreached, wrong.value.category) == (not spent, "system")
    assert ChallengeSession.objects.get().attempts == spent
    # Of the identifier, of the account, and of the known browser.
    counted = [row.count + row.known for row in FailureCount.objects.all()]
    assert counted == [spent] * (3 if browser else 2)


def test_all_rows_come_page_by_page() -> None:
    MigratedUser.objects.bulk_create(
        [MigratedUser(connection="main", pool="p", sub=str(number)) for number in range(7)]
    )
    rows = MigratedUser.objects.values_list("pk", "sub")
    assert [sub for _, sub in in_pages(rows, lambda row: row[0], 3)] == [str(number) for number in range(7)]

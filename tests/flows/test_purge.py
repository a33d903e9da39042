"""What is deleted, and what is not: failures of an account stay until a success (law 3)."""

from datetime import timedelta
from typing import Any

import pytest

from cognito_passwordless.flows import purge
from cognito_passwordless.flows.purge import purge_expired
from cognito_passwordless.models import FailureCount

from .started import ANN, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def count(settings: Any) -> Any:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "RETENTION": {"challenges": 7}}

    def make(identifier: str, days: int, **counts: Any) -> None:
        FailureCount.objects.create(identifier=identifier, failed_at=NOW - timedelta(days=days), **counts)

    return make


def test_failures_of_an_account_are_kept_however_old_they_are(count: Any) -> None:
    for key in ("user 5", "pool eu-west-1_a sub"):
        count(key, 3000, count=1)
        count(f"{key}1", 3000, known=1)
        count(key, 3000, count=1, browser="b1")
    purge_expired(NOW)
    assert FailureCount.objects.count() == 6


def test_what_was_merely_typed_goes_with_its_challenges(count: Any) -> None:
    count(ANN, 8, count=50)
    count(f"nobody {ANN}", 8, count=50)
    count("bob@example.com", 6, count=50)
    purge_expired(NOW)
    assert FailureCount.objects.get().identifier == "bob@example.com"


def test_counts_that_a_success_has_ended_go(count: Any) -> None:
    count("user 5", 8)
    count("user 6", 6)
    purge_expired(NOW)
    assert FailureCount.objects.get().identifier == "user 6"


def test_many_rows_go_in_batches(count: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "BATCH", 2)
    for number in range(5):
        count(f"nobody {number}", 8, count=1)
    assert purge_expired(NOW)["failure counts"] == 5
    assert not FailureCount.objects.exists()

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from cognito_passwordless.flows.limits import budgets
from cognito_passwordless.models import SendCount

from ..started import after

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def budget(settings: Any) -> Callable[[object], None]:
    def choose(limit: object) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sends": limit}}

    return choose


def spend(key: str = "ann@example.com", seconds: float = 0, name: str = "sends") -> bool:
    try:
        budgets.spend(name, key, after(seconds))
    except budgets.OverLimit:
        return False
    return True


def test_a_budget_is_spent_to_its_last_and_no_further(budget: Callable[[object], None]) -> None:
    budget("3/1h")
    assert [spend() for _ in range(5)] == [True, True, True, False, False]


def test_everybody_has_a_budget_of_their_own(budget: Callable[[object], None]) -> None:
    budget("1/1h")
    assert [spend("ann@example.com"), spend("bob@example.com"), spend("ann@example.com")] == [True, True, False]


def test_a_budget_comes_back_when_its_window_is_over_and_asking_does_not_delay_that(
    budget: Callable[[object], None],
) -> None:
    budget("1/1h")
    assert [spend(seconds=seconds) for seconds in (0, 1800, 3599, 3600, 3601)] == [True, False, False, True, False]


def test_one_name_is_not_paid_from_another(budget: Callable[[object], None]) -> None:
    budget("1/1h")
    assert spend("k")
    assert spend("k", name="starts_per_ip")
    assert not spend("k")


def test_a_lower_limit_counts_at_once(budget: Callable[[object], None]) -> None:
    budget("5/1h")
    assert [spend() for _ in range(3)] == [True] * 3
    budget("2/1h")
    assert not spend()


@pytest.mark.parametrize("limit", ["0/1h", "-3/1h", "", None, 0, 10, "10", "ten/1h", "10/0s"])
def test_a_corrupt_limit_closes(budget: Callable[[object], None], limit: object) -> None:
    budget(limit)
    with pytest.raises(ImproperlyConfigured):
        spend()
    assert not SendCount.objects.exists()


def test_spending_costs_one_statement_for_a_new_key_too(
    budget: Callable[[object], None], django_assert_num_queries: Any
) -> None:
    budget("2/1h")
    for expected in (True, True, False):
        with django_assert_num_queries(1):
            assert spend() is expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
    ],
)
def test_an_address_draws_on_the_budget_of_its_network(address: str, network: str) -> None:
    assert budgets.network_of(address) == network


def test_known_browsers_have_what_strangers_use_up_and_together_no_more_than_this(settings: Any) -> None:
    limits = {"sends_per_recipient": "1/1h", "sends_known_browsers": "2/1h", "emails_per_day": "3/24h"}
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": limits}

    def refused(recipient: str, browser: str = "", **kind: bool) -> str:
        try:
            budgets.spend_for_message("email", recipient, after(0), known_browser=browser, **kind)
        except budgets.OverLimit as over:
            return over.name
        return ""

    assert [refused("ann@example.com") for _ in range(2)] == ["", "sends_per_recipient"]
    told = [refused("ann@example.com", browser) for browser in ("b1", "b2", "b3")]
    assert told == ["", "", "sends_known_browsers"]
    # The day is over for strangers, and is there once more for known browsers and for links.
    assert refused("bob@example.com") == "emails_per_day"
    assert refused("bob@example.com", "b4") == ""
    assert [refused("ann@example.com", with_link=True) for _ in range(3)] == ["", "", "emails_per_day"]

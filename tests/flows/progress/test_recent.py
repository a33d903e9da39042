"""The last days: sign-ins, failures, pools and budgets, from figures that were counted before."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from cognito_passwordless.flows.progress.recent import RecentActivity, budgets, sums
from cognito_passwordless.models import DailyFigure, SendCount

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 20)
NOON = timezone.make_aware(datetime(2026, 3, 20, 12))  # noqa: DTZ001


def figure(count: int, step: str = "sent", outcome: str = "ok", **fields: Any) -> None:
    told = {"day": DAY, "kind": "events", "connection": "main"} | fields
    DailyFigure.objects.create(**told, step=step, outcome=outcome, count=count)


def recent() -> RecentActivity:
    return RecentActivity(sums(DailyFigure.objects.all()), {"days": "2026-03-14..2026-03-20"})


def test_days_and_routes_are_added_up_by_the_database() -> None:
    for days in range(7):
        for route in ("local", "cognito_otp", "cognito_oidc"):
            figure(2, day=DAY - timedelta(days=days), route=route)
    assert [each.count for each in sums(DailyFigure.objects.all())] == [42]


class TestPools:
    def test_half_and_95_of_100_calls_took_at_most_so_long(self) -> None:
        figure(60, within_ms=200)
        figure(36, step="answered", within_ms=1_000)
        figure(4, within_ms=10_000)
        (pool,) = recent().pools({})
        assert (pool.calls.value, pool.median_ms, pool.p95_ms) == (100, 200, 1_000)

    def test_errors_are_those_of_the_system_and_not_of_people(self) -> None:
        figure(90)
        figure(6, step="answered", outcome="refused", cause="wrong_code", category="flow")
        figure(3, outcome="failed", cause="throttled", category="system")
        figure(1, outcome="failed", cause="unknown_client", category="configuration")
        (pool,) = recent().pools({"main": "Customers"})
        assert (pool.label, pool.errors.value, pool.error_percent) == ("Customers", 4, 4.0)

    def test_sign_ins_that_the_pool_finished_alone_are_no_calls(self) -> None:
        figure(5, step="pool_sign_in")
        (pool,) = recent().pools({})
        assert (pool.calls.value, pool.still_there.value) == (0, 5)

    def test_a_pool_that_nobody_asked_is_shown_all_the_same(self) -> None:
        (pool,) = recent().pools({"main": "Customers"})
        assert (pool.calls.value, pool.error_percent, pool.median_ms) == (0, 0.0, None)


def test_the_causes_of_failure_begin_with_the_most_frequent() -> None:
    figure(100)
    figure(2, outcome="failed", cause="throttled", category="system")
    figure(7, step="answered", outcome="refused", cause="wrong_code", category="flow", route="local")
    figure(4, step="answered", outcome="refused", cause="wrong_code", category="flow", route="cognito_otp")
    assert [(each.cause, each.events.value) for each in recent().failures()] == [("wrong_code", 11), ("throttled", 2)]


class TestBudgets:
    def used(self) -> dict[tuple[str, str], tuple[int, float]]:
        return {(each.name, each.key): (each.used.value, each.percent) for each in budgets(NOON)}

    def test_what_is_spent_counts_and_what_is_over_does_not(self, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {
            **settings.COGNITO_PASSWORDLESS,
            "LIMITS": {"emails_per_day": "100/24h", "sms_per_country": "50/24h"},
        }
        SendCount.objects.create(
            scope="emails_per_day", key="", count=40, window_started_at=NOON - timedelta(hours=23)
        )
        SendCount.objects.create(
            scope="sms_per_country", key="DE", count=30, window_started_at=NOON - timedelta(hours=25)
        )
        used = self.used()
        assert used["emails_per_day", ""] == (40, 40.0)
        assert used["sms_per_country", "DE"] == (0, 0.0)

    def test_a_limit_that_was_lowered_is_used_up_and_no_more(self, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"emails_per_day": "10/24h"}}
        SendCount.objects.create(scope="emails_per_day", key="", count=40, window_started_at=NOON)
        assert self.used()["emails_per_day", ""] == (10, 100.0)

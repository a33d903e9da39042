"""The figures equal the tables, whatever happens meanwhile, and outlive what is purged."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from cognito_passwordless.flows.progress import report, rollup
from cognito_passwordless.flows.progress.rollup import check
from cognito_passwordless.flows.purge import purge_expired
from cognito_passwordless.models import ChallengeSession, DailyFigure, JourneyEvent, MigratedUser, PeopleFigure

pytestmark = pytest.mark.django_db

# Noon, so that an hour more or less is the same day.
NOON = timezone.make_aware(datetime(2026, 3, 20, 12))  # noqa: DTZ001
DAY = timedelta(days=1)


def person(status: str = "pending", **fields: Any) -> MigratedUser:
    if status == "migrated":
        fields = {"migrated_at": NOON, "method": "local_otp", **fields}
    told = {
        "connection": "main",
        "pool": "https://pool.example",
        "sub": str(uuid4()),
        "imported_at": NOON - 40 * DAY,
    }
    return MigratedUser.objects.create(**(told | fields), status=status)


def event(at: datetime = NOON, step: str = "sent", outcome: str = "ok", **fields: Any) -> JourneyEvent:
    return JourneyEvent.objects.create(**({"attempt": uuid4()} | fields), at=at, step=step, outcome=outcome)


def attempt(at: datetime = NOON, **steps: str) -> ChallengeSession:
    made = ChallengeSession.objects.create(
        handle_hash=uuid4().hex, created_at=at, last_sent_at=at, expires_at=at + timedelta(minutes=10), code_length=6
    )
    for step, outcome in steps.items():
        event(at, step, outcome, attempt=made.pk)
    return made


def counted(**where: Any) -> int:
    return sum(DailyFigure.objects.filter(**where).values_list("count", flat=True))


class TestPeople:
    def test_everybody_is_counted_by_what_they_have_in_common(self) -> None:
        for status in ("pending", "pending", "migrated", "conflict", "failed", "excluded", "gone"):
            person(status)
        rollup.roll_up(NOON)
        figures = report.read_report(NOON)
        assert {each.name: each.number.value for each in figures.statuses} == {
            "pending": 2,
            "migrated": 1,
            "conflict": 1,
            "failed": 1,
            "excluded": 1,
            "gone": 1,
        }
        assert (figures.migrated.part.value, figures.migrated.whole.value, figures.migrated.percent) == (1, 5, 20.0)

    def test_bulk_changes_deletions_and_undoing_are_seen_by_the_next_count(self) -> None:
        people = [person() for _ in range(4)]
        rollup.roll_up(NOON)
        MigratedUser.objects.update(status="migrated", method="bulk", migrated_at=NOON)
        rollup.roll_up(NOON + timedelta(minutes=5))
        assert report.read_report(NOON).migrated.percent == 100.0
        MigratedUser.objects.filter(pk=people[0].pk).update(status="pending", method="", migrated_at=None)
        people[1].delete()
        rollup.roll_up(NOON + timedelta(minutes=10))
        figures = report.read_report(NOON)
        assert (figures.migrated.part.value, figures.migrated.whole.value) == (2, 3)
        assert figures.days[-1].migrated.value == 2
        assert check() == []

    def test_a_deleted_django_user_is_a_figure_of_their_own_and_changes_no_other(self) -> None:
        user = User.objects.create_user("ann")
        person("migrated", user=user)
        person("pending")  # who has no Django user yet has lost none
        rollup.roll_up(NOON)
        assert report.read_report(NOON).deleted.value == 0
        user.delete()
        assert check() != []
        rollup.roll_up(NOON + DAY)
        figures = report.read_report(NOON + DAY)
        assert (figures.migrated.part.value, figures.deleted.value) == (1, 1)
        assert report.read_report(NOON + DAY, "other").deleted.value == 0
        assert check() == []

    def test_who_signs_in_again_has_been_seen(self) -> None:
        user = User.objects.create_user("ann")
        row = person("migrated", user=user, active_at=NOON - 60 * DAY)
        event(NOON - DAY, "signed_in", user=user)
        event(NOON - 2 * DAY, "signed_in", user=user)
        rollup.roll_up(NOON)
        row.refresh_from_db()
        assert row.active_at == NOON - DAY
        assert report.read_report(NOON).active.part.value == 1

    def test_the_days_are_those_of_the_sites_time_zone(self, settings: Any) -> None:
        settings.TIME_ZONE = "Pacific/Auckland"
        late = datetime.fromisoformat("2026-03-20T20:00:00+00:00")
        person("migrated", migrated_at=late)
        event(late)
        rollup.roll_up(late)
        assert set(DailyFigure.objects.values_list("day", flat=True)) == {late.date() + DAY}


class TestEvents:
    def test_what_is_committed_late_is_counted_all_the_same(self) -> None:
        event(NOON)
        rollup.roll_up(NOON + timedelta(minutes=5))
        event(NOON - timedelta(hours=13))  # begun yesterday, committed after the count of today
        rollup.roll_up(NOON + timedelta(minutes=10))
        assert counted(kind="events") == 2
        assert check() == []

    def test_days_that_are_over_are_not_counted_again(self, django_assert_num_queries: Any) -> None:
        event(NOON - 5 * DAY)
        rollup.roll_up(NOON)
        DailyFigure.objects.filter(kind="events").update(count=7)
        rollup.roll_up(NOON + timedelta(minutes=5))
        assert counted(kind="events") == 7
        assert [(drift.kept, drift.counted, drift.settled) for drift in check()] == [(7, 1, True)]
        rollup.roll_up(NOON + timedelta(minutes=10), anew=True)
        assert check() == []

    def test_what_was_committed_since_the_count_is_no_fault(self) -> None:
        rollup.roll_up(NOON)
        event(NOON - timedelta(seconds=1))
        assert [(drift.kept, drift.counted, drift.settled) for drift in check()] == [(0, 1, False)]

    def test_days_that_nobody_counted_are_made_up_for(self) -> None:
        rollup.roll_up(NOON - 10 * DAY)
        for days in range(10):
            event(NOON - days * DAY)
        rollup.roll_up(NOON)
        assert counted(kind="events") == 10
        assert check() == []

    def test_a_sign_in_counts_once_however_many_messages_it_took(self) -> None:
        made = attempt(sent="ok", answered="ok", signed_in="ok")
        for _ in range(3):
            event(NOON, "sent", attempt=made.pk)
        attempt(sent="refused")
        attempt(left="ok")
        rollup.roll_up(NOON)
        assert [(stage.name, stage.attempts.value) for stage in report.read_report(NOON).funnel] == [
            ("started", 3),
            ("sent", 2),
            ("verified", 1),
            ("signed_in", 1),
            ("migrated", 0),
        ]

    def test_an_older_count_does_not_undo_a_later_one(self) -> None:
        event(NOON)
        rollup.roll_up(NOON + timedelta(minutes=5))
        assert rollup.roll_up(NOON - DAY).as_of == NOON + timedelta(minutes=5)
        assert counted(kind="events") == 1


class TestPurge:
    def test_the_figures_outlive_the_rows(self, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {
            **settings.COGNITO_PASSWORDLESS,
            "RETENTION": {"events": 1, "challenges": 1},
        }
        for days in range(4):
            event(NOON - days * DAY)
            event(NOON - days * DAY - timedelta(hours=3))
            attempt(NOON - days * DAY, sent="ok")
        purge_expired(NOON)
        assert JourneyEvent.objects.count() == 5
        before = {kind: counted(kind=kind) for kind in ("events", "attempts")}
        assert before == {"events": 12, "attempts": 4}
        # Yesterday has lost rows; it is not counted again, not even anew.
        rollup.roll_up(NOON + timedelta(minutes=5), anew=True)
        assert {kind: counted(kind=kind) for kind in ("events", "attempts")} == before
        assert check() == []
        event(NOON + timedelta(minutes=6))
        rollup.roll_up(NOON + timedelta(minutes=10))
        assert counted(kind="events") == 13

    def test_a_purge_counts_what_no_roll_up_has_counted(self, settings: Any) -> None:
        event(NOON - 500 * DAY)
        purge_expired(NOON)
        assert not JourneyEvent.objects.exists()
        assert counted(kind="events") == 1


def test_nothing_is_written_twice_when_nothing_has_changed() -> None:
    person("migrated")
    attempt(sent="ok")
    rollup.roll_up(NOON)
    before = {model: sorted(model.objects.values_list("pk", flat=True)) for model in (PeopleFigure, DailyFigure)}
    rollup.roll_up(NOON + timedelta(minutes=5))
    assert before == {
        model: sorted(model.objects.values_list("pk", flat=True)) for model in (PeopleFigure, DailyFigure)
    }

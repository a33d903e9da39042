"""People come, change and go, the purge runs, figures are counted and read, all at the same time: `main`, in a process
with a database of its own."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from cognito_passwordless.flows.progress import report, rollup
from cognito_passwordless.flows.purge import purge_expired
from cognito_passwordless.models import DailyFigure, JourneyEvent, MigratedUser

OLD_DAYS, A_DAY = 4, 50


def event(days: float = 0) -> JourneyEvent:
    at = timezone.now() - timedelta(days=days)
    return JourneyEvent(attempt=uuid4(), at=at, step="sent", outcome="ok", connection="main")


def people() -> float:
    """Somebody comes; some are undone, others are erased."""
    made = MigratedUser.objects.create(connection="main", pool="i", sub=str(uuid4()))
    row = MigratedUser.objects.filter(pk=made.pk)
    row.update(status="migrated", method="local_otp", migrated_at=timezone.now())
    event().save()
    if made.pk % 3 == 0:
        row.update(status="pending", method="", migrated_at=None)
    elif made.pk % 5 == 0:
        row.delete()
    return 0


def counting() -> float:
    rollup.roll_up(timezone.now())
    return 0


def purging() -> float:
    purge_expired(timezone.now())
    return 0


def reading() -> float:
    """The highest share that is shown, in per cent."""
    figures = report.read_report(timezone.now())
    shares = [figures.migrated, figures.active, *(group.migrated for group in figures.connections)]
    assert all(share.part.value <= share.whole.value for share in shares), shares
    assert min(day.so_far for day in figures.days) >= 0
    return max(share.percent for share in shares)


def again_and_again(work: Callable[[], float], rounds: int) -> float:
    try:
        return max(work() for _ in range(rounds))
    finally:
        connection.close()


def main(rounds: int) -> None:
    """Prints what was there at the end, as JSON."""
    call_command("migrate", verbosity=0)
    JourneyEvent.objects.bulk_create(event(days) for days in range(OLD_DAYS) for _ in range(A_DAY))
    with ThreadPoolExecutor() as threads:
        work = (people, people, counting, counting, purging, reading, reading)
        most = max([done.result() for done in [threads.submit(again_and_again, each, rounds) for each in work]])
    now = timezone.now()
    rollup.roll_up(now)
    told = {
        "drift": [str(each) for each in rollup.check()],
        "events counted": DailyFigure.objects.filter(kind="events").aggregate(Sum("count"))["count__sum"],
        "events written": OLD_DAYS * A_DAY + 2 * rounds,
        "events left": JourneyEvent.objects.count(),
        "migrated": report.read_report(now).migrated.part.value,
        "migrated there": MigratedUser.objects.filter(status="migrated").count(),
        "most": most,
    }
    print(json.dumps(told))

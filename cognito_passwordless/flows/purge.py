"""Deletes rows that are older than `RETENTION` says. The failures of an account are kept until a success, however long
that takes (law 3); those of what was merely typed go with the challenges, for nobody can be guessed behind it."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from ..conf import DEFAULT_LIMITS, conf
from ..models import ChallengeSession, Delivery, FailureCount, JourneyEvent, NumberBlock, SendCount
from .progress import rollup

BATCH = 1000  # SQLite takes so many parameters, with the rows that are deleted along
BLOCKS_FOR = timedelta(days=180)  # since the last message there


def purge_expired(now: datetime) -> dict[str, int]:
    """Deletes expired rows and returns how many of each kind. May run at any time, and twice. The progress of the
    migration is counted before, and stays."""
    sends = max(conf.limit(name).window for name in DEFAULT_LIMITS)
    challenges, events, deliveries = (
        now - timedelta(days=conf.retention(name)) for name in ("challenges", "events", "deliveries")
    )
    # An attempt is counted by its events, so it is counted while both are there.
    rollup.before_purge(now, events=events, attempts=max(challenges, events))
    counts = FailureCount.objects.filter(failed_at__lt=challenges)
    of_accounts = Q(*(("identifier__startswith", kind) for kind in FailureCount.ACCOUNTS), _connector=Q.OR)
    expired = {
        "challenges": ChallengeSession.objects.filter(expires_at__lt=challenges),
        "deliveries": Delivery.objects.filter(started_at__lt=deliveries),
        "events": JourneyEvent.objects.filter(at__lt=events),
        "failure counts": counts.filter(~of_accounts | Q(count=0, known=0)),
        "number blocks": NumberBlock.objects.filter(seen_at__lt=now - BLOCKS_FOR, closed_at=None),
        "send counts": SendCount.objects.filter(window_started_at__lt=now - timedelta(seconds=sends)),
    }
    return {name: _delete(rows) for name, rows in expired.items()}


def _delete(rows: QuerySet[Any]) -> int:
    """In batches, each a transaction of its own: a sign-in waits for no more rows than a batch has, and what an
    interruption leaves is deleted the next time."""
    deleted = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        deleted += rows.filter(pk__in=keys).delete()[0]
    return deleted

"""Deletes rows that are older than `RETENTION` says. Failure counts are kept until their window ends (law 3)."""

from datetime import datetime, timedelta

from ..conf import DEFAULT_LIMITS, conf
from ..models import ChallengeSession, Delivery, FailureCount, JourneyEvent, NumberBlock, SendCount
from .progress import rollup

BLOCKS_FOR = timedelta(days=180)  # since the last message there


def purge_expired(now: datetime) -> dict[str, int]:
    """Deletes expired rows and returns how many of each kind. May run at any time, and twice. The progress of the
    migration is counted before, and stays."""
    failures = max(conf.limit(name).window for name in ("failures", "failures_known_browser"))
    sends = max(conf.limit(name).window for name in DEFAULT_LIMITS)
    challenges, events, deliveries = (
        now - timedelta(days=conf.retention(name)) for name in ("challenges", "events", "deliveries")
    )
    # An attempt is counted by its events, so it is counted while both are there.
    rollup.before_purge(now, events=events, attempts=max(challenges, events))
    expired = {
        "challenges": ChallengeSession.objects.filter(expires_at__lt=challenges),
        "deliveries": Delivery.objects.filter(started_at__lt=deliveries),
        "events": JourneyEvent.objects.filter(at__lt=events),
        "failure counts": FailureCount.objects.filter(window_started_at__lt=now - timedelta(seconds=failures)),
        "number blocks": NumberBlock.objects.filter(seen_at__lt=now - BLOCKS_FOR, closed_at=None),
        "send counts": SendCount.objects.filter(window_started_at__lt=now - timedelta(seconds=sends)),
    }
    return {name: rows.delete()[0] for name, rows in expired.items()}

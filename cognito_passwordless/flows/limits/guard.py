"""The conversion guard at work: `conversion` decides, a task looks once a minute, and each SMS asks it first.

Nothing is counted when a message goes out: what became of it is read afterwards from `Delivery` rows, which are there
anyway. What is told is about ranges of ten thousand numbers and more, never about a person.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import router, transaction
from django.db.models import QuerySet

from ...identity import Channel, channel_of
from ...models import ChallengeSession, Delivery, NumberBlock, PhoneNumber
from ...signals import sms_block_closed
from . import conversion
from .budgets import OverLimit
from .conversion import ALL, PATIENCE, RECENT

logger = logging.getLogger(__name__)
CONVERSION = "conversion"  # not a budget: a word of `causes`
AT_ONCE = 2000  # messages that one look counts
SO_FAR = timedelta(days=7)  # that the first look goes back
VERIFIED = ChallengeSession.Outcome.VERIFIED
WRITTEN = ("sent", "entered", "score", "seen_at", "closed_at", "probe_at", "probe", "wait", "hits")


def admit(number: str, now: datetime, *, attempt: UUID | None = None) -> None:
    """Lets an SMS to a number in E.164 out, or raises `OverLimit`. One statement; up to three where the number's block
    is closed: then a number that a user has verified still gets codes, and now and then an ``attempt`` is a probe."""
    rows = NumberBlock.objects.filter(closed_at__isnull=False)
    closed = list(rows.filter(key__in=conversion.keys_of(number)))
    if not closed or PhoneNumber.objects.filter(number=number, verified=True).exists():
        return
    narrowest = max(closed, key=lambda block: block.key.startswith("block") * 2 + block.key.startswith("network"))
    if attempt is None or not conversion.may_probe(closed, now):
        raise OverLimit(CONVERSION, narrowest.key)
    free = rows.filter(key__in=[block.key for block in closed], probe=None, probe_at__lte=now)
    with transaction.atomic(using=free.db):
        if free.update(probe=attempt, probe_at=now) < len(closed):
            transaction.set_rollback(True, using=free.db)
            raise OverLimit(CONVERSION, narrowest.key)


def look(now: datetime) -> list[str]:
    """Counts what became of the messages since the last look, closes blocks and opens them again; returns the keys of
    those that it closed. May run at any time, and twice."""
    database = router.db_for_write(NumberBlock)
    with transaction.atomic(using=database):
        rows = NumberBlock.objects.using(database)
        rows.bulk_create([NumberBlock(key=key, seen_at=now - SO_FAR) for key in (ALL, RECENT)], ignore_conflicts=True)
        # The lock of this row: of two looks at once, the second begins where the first ended.
        rows.filter(key=ALL).update(hits=0)
        since = rows.values_list("looked_at", flat=True).get(key=ALL) or now - SO_FAR
        messages = list(_ended(since, now - PATIENCE)[:AT_ONCE])
        until = messages[-1][2] if len(messages) == AT_ONCE else max(since, now - PATIENCE)
        outcomes = list(_outcomes(messages, since))
        wanted = {ALL, RECENT}.union(*(conversion.keys_of(outcome.number) for outcome in outcomes))
        blocks = {row.key: row for row in rows.select_for_update().filter(key__in=wanted)}
        blocks |= {key: NumberBlock(key=key, seen_at=since) for key in wanted - blocks.keys()}
        closed = list(conversion.apply(blocks, outcomes, now))
        blocks[ALL].looked_at = until
        rows.bulk_create(
            blocks.values(), update_conflicts=True, unique_fields=["key"], update_fields=[*WRITTEN, "looked_at"]
        )
        opened = [row for row in rows.select_for_update().exclude(probe=None) if _judge(row, now)]
        for row in closed:
            transaction.on_commit(partial(_tell, row), using=database)
    for row in opened:
        logger.warning("SMS go to %s again: probes were entered", row.key)
    return [row.key for row in closed]


def _tell(block: NumberBlock) -> None:
    logger.error("SMS to %s have stopped: the codes that go there are no longer entered (docs/limits.md)", block.key)
    sms_block_closed.send_robust(sender=NumberBlock, key=block.key, next_probe_at=block.probe_at)


def _ended(since: datetime, until: datetime) -> QuerySet[Delivery, Any]:
    rows = Delivery.objects.filter(channel=Channel.SMS, status__in=[Delivery.Status.SENT, Delivery.Status.UNKNOWN])
    rows = rows.filter(finished_at__gt=since, finished_at__lte=until).order_by("finished_at")
    return rows.values_list("challenge__recipient", "challenge__identifier", "finished_at", "challenge__outcome")


def _outcomes(messages: Iterable[tuple[str, str, datetime, str]], since: datetime) -> Iterable[conversion.Outcome]:
    """A number's second code that was not entered within a day weighs a half, its third a third."""
    found = [(recipient or identifier, at, outcome) for recipient, identifier, at, outcome in messages]
    found = [each for each in found if channel_of(each[0]) == Channel.SMS and each[0].startswith("+")]
    before = _ended(since - timedelta(days=1), since)
    numbers = {number for number, _, _ in found}
    misses = Counter(
        number
        for recipient, identifier, _, outcome in (before if numbers else ())
        if (number := recipient or identifier) in numbers and outcome != VERIFIED
    )
    for number, at, outcome in found:
        misses[number] += outcome != VERIFIED
        yield conversion.Outcome(number, outcome == VERIFIED, at, 1 / max(1, misses[number]))


def _judge(block: NumberBlock, now: datetime) -> bool:
    """True where the block's probe has opened it."""
    assert block.probe  # noqa: S101  (only such rows are asked for)
    entered = ChallengeSession.objects.filter(pk=block.probe, outcome=VERIFIED).exists()
    if not entered and block.probe_at and block.probe_at > now - PATIENCE:
        return False
    opened = conversion.judge_probe(block, entered=entered, now=now)
    block.save(update_fields=WRITTEN)
    return opened

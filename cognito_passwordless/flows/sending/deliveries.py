"""The life of one `Delivery`: who may send it, how many copies may be out, and how it ended.

Its law: a copy is claimed before a sender is asked, and given back only when that sender says that it did not send. So
wherever a worker dies, at most `MAX_COPIES` of the same code go out, and what was begun can be seen.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q

from ...conf import Limit
from ...delivery import Closed, Failure, SendFailed, Sent
from ...models import ChallengeSession, Delivery
from ..limits import budgets

# A worker that has begun and not finished within this time is taken for dead; another may send one more copy.
LEASE = timedelta(seconds=60)
MAX_COPIES = 2
Status = Delivery.Status


class Busy(Exception):
    """Another worker has this message in its hands, or had it when it died; ``seconds`` until that can be told."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def begin(challenge: ChallengeSession, now: datetime) -> Delivery | None:
    """The row of the challenge's current message, if it is ours to send: new, waiting for another try, or left behind
    by a dead worker. None when it is finished. Raises `Busy`."""
    delivery, created = Delivery.objects.get_or_create(
        challenge=challenge,
        number=challenge.sends,
        defaults={"generation": challenge.generation, "channel": challenge.channel, "started_at": now},
    )
    if created:
        return delivery
    taken = (
        Delivery.objects.filter(pk=delivery.pk, tries=delivery.tries)
        .filter(_left_behind(now))
        .update(status=Status.SENDING, started_at=now, finished_at=None, tries=F("tries") + 1)
    )
    delivery.refresh_from_db(using=delivery._state.db)
    if taken:
        return delivery
    if delivery.status == Status.SENDING:
        raise Busy(max(1.0, (delivery.started_at + LEASE - now).total_seconds() + 1))
    return None


def _left_behind(now: datetime) -> Q:
    return Q(status=Status.WAITING) | Q(status=Status.SENDING, started_at__lte=now - LEASE)


def wait(delivery: Delivery, cause: str) -> None:
    """Leaves the message to a later try."""
    Delivery.objects.filter(pk=delivery.pk, tries=delivery.tries, status=Status.SENDING).update(
        status=Status.WAITING, cause=cause[:60]
    )


def finish(
    delivery: Delivery,
    status: Delivery.Status,
    now: datetime,
    *,
    cause: str = "",
    provider_down: bool = False,
    for_everybody: bool = False,
    sent: Sent | None = None,
) -> None:
    """Writes how it ended. What has been sent is sent, even if another worker took the row over after the lease; all
    else is written only while the row is still ours."""
    rows = Delivery.objects.filter(pk=delivery.pk)
    if status is not Status.SENT:
        rows = rows.filter(tries=delivery.tries, status=Status.SENDING)
    rows.update(
        status=status,
        finished_at=now,
        cause=cause[:60],
        provider_down=provider_down,
        for_everybody=for_everybody,
        sender=sent.sender if sent else "",
        provider_message_id=sent.message_id if sent else "",
    )


def abandon(challenge: ChallengeSession, now: datetime, cause: str) -> bool:
    """Ends a message that no worker will send any more, begun or not, so that it can be seen. True if there was
    anything. Raises `Busy` for a row that a worker may still hold."""
    rows = Delivery.objects.filter(challenge=challenge, number=challenge.sends)
    delivery, created = rows.get_or_create(
        challenge=challenge,
        number=challenge.sends,
        defaults={
            "generation": challenge.generation,
            "channel": challenge.channel,
            "started_at": now,
            "finished_at": now,
            "tries": 0,
            "status": Status.FAILED,
            "cause": cause,
        },
    )
    if created:
        return True
    left = rows.filter(_left_behind(now))
    ended = left.filter(copies=0).update(status=Status.FAILED, finished_at=now, cause=cause)
    # It may be out: the worker that had it never said.
    ended += left.filter(copies__gt=0).update(status=Status.UNKNOWN, finished_at=now, cause=cause)
    if not ended and delivery.status == Status.SENDING:
        raise Busy(LEASE.total_seconds())
    return bool(ended)


@dataclass(slots=True)
class Gate:
    """What a message passes before each sender: `delivery.Gate`, on a `Delivery` row. ``now`` is when it was made;
    ``paid`` says whether the budgets have been asked for this message."""

    challenge: ChallengeSession
    delivery: Delivery
    now: datetime
    paid: bool = False
    _began: float = field(default_factory=time.monotonic)
    _claimed: bool = False

    def enter(self, key: str, rate: str | None) -> None:
        if rate:
            self.wait_for_slot(key, Limit.parse(rate))
        self.claim()

    def wait_for_slot(self, key: str, quota: Limit) -> None:
        """Queues for a quota that all workers share. Raises `SendFailed` where the queue is too long to wait in."""
        slot = budgets.reserve_slot(key, quota, self.clock())
        if not slot.granted:
            raise SendFailed("quota", Failure.LATER)
        time.sleep(slot.wait)

    def claim(self) -> None:
        """The moment that counts: still wanted, still ours, and a copy left. One statement. Raises `Closed`."""
        # Nothing goes out after expiry, nor a code that has been rotated away, nor for a challenge that is over.
        wanted = ChallengeSession.objects.filter(
            pk=self.challenge.pk,
            outcome=ChallengeSession.Outcome.OPEN,
            generation=self.challenge.generation,
            expires_at__gt=self.clock(),
        )
        ours = Delivery.objects.filter(pk=self.delivery.pk, tries=self.delivery.tries, challenge__in=wanted)
        if self._claimed:  # by a sender that said no
            passed = ours.exists()
        else:
            passed = self._claimed = bool(ours.filter(copies__lt=MAX_COPIES).update(copies=F("copies") + 1))
        if passed:
            return
        if wanted.exists():
            raise Closed("copies_used")
        raise Closed("expired" if self.challenge.expires_at <= self.clock() else "over")

    def lost(self) -> None:
        self._claimed = False

    def give_back(self) -> None:
        """What was claimed last did not go out."""
        if self._claimed:
            self._claimed = False
            Delivery.objects.filter(pk=self.delivery.pk).update(copies=F("copies") - 1)

    def copies(self) -> int:
        """How many went out, or may have."""
        return Delivery.objects.values_list("copies", flat=True).get(pk=self.delivery.pk)

    def clock(self) -> datetime:
        """The time, from ``now`` on."""
        return self.now + timedelta(seconds=time.monotonic() - self._began)

"""What a person who waits for a code may know: it is the same for everybody (law 4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ...conf import conf
from ...models import ChallengeSession, Delivery

# How long a failure of a provider is shown to everybody who waits for a message on that channel.
TROUBLE_SHOWN_FOR = timedelta(minutes=3)
# A worker that has not finished by then has died, or there is none: the page says so, and the person may ask again.
STALLED_AFTER = 60  # seconds
# So many of the latest messages tell how long a message takes at the moment, up to so many seconds.
LATEST = 5
LONGEST_USUAL_WAIT = 15.0


@dataclass(frozen=True, slots=True)
class Status:
    """What the code page shows; times in seconds. ``state`` is ``sending``, ``sent`` or ``trouble``."""

    state: str
    seconds_to_resend: int
    seconds_left: int
    can_resend: bool


def status(challenge: ChallengeSession, *, now: datetime, answered: bool = False) -> Status:
    """Where the message stands, as far as that is the same for everybody: a decoy is "sent" as well, and not sooner
    than real messages of late; trouble is a provider's, never one person's. A person who has ``answered`` has their
    message, and one who typed at random learns nothing by it.

    One statement, none once answered."""
    return Status(
        state="sent" if answered else _state(challenge, now),
        seconds_to_resend=seconds_to_resend(challenge, now),
        seconds_left=seconds_left(challenge, now),
        can_resend=can_resend(challenge, now),
    )


def _state(challenge: ChallengeSession, now: datetime) -> str:
    latest = list(
        Delivery.objects.filter(channel=challenge.channel, finished_at__isnull=False)
        .exclude(status=Delivery.Status.SKIPPED)
        .order_by("-finished_at")[:LATEST]
    )
    recent = [row for row in latest if row.finished_at and row.finished_at > now - TROUBLE_SHOWN_FOR]
    if recent and recent[0] is latest[0] and recent[0].provider_down:
        return "trouble"
    # As long as the slowest of the latest messages took: a decoy is done at once, and if it said so, a slow provider
    # would tell who exists. Inline, the request has waited for the provider already, and told by that.
    usual_wait = conf.refusal_floor
    if conf.dispatch != "inline":
        took = [(row.finished_at - row.started_at).total_seconds() for row in recent if row.finished_at]
        usual_wait = max(usual_wait, min(LONGEST_USUAL_WAIT, max(took, default=0.0)))
    waited = (now - challenge.last_sent_at).total_seconds()
    if challenge.sending == ChallengeSession.Sending.DONE and waited >= usual_wait:
        return "sent"
    return "trouble" if waited > STALLED_AFTER else "sending"


def seconds_to_resend(challenge: ChallengeSession, now: datetime) -> int:
    """Seconds until the next message of this challenge may be asked for."""
    ready = challenge.last_sent_at + timedelta(seconds=conf.otp.resend_cooldown)
    return max(0, -int((now - ready).total_seconds() // 1))


def seconds_left(challenge: ChallengeSession, now: datetime) -> int:
    """Seconds in which an answer may still be given; none where the attempts are used up."""
    if challenge.outcome != ChallengeSession.Outcome.OPEN or challenge.attempts >= conf.otp.max_attempts:
        return 0
    return max(0, int((challenge.expires_at - now).total_seconds()))


def can_resend(challenge: ChallengeSession, now: datetime) -> bool:
    """Whether this challenge has a message left; otherwise only a fresh one helps."""
    policy = conf.otp
    return (
        challenge.outcome == ChallengeSession.Outcome.OPEN
        and challenge.attempts < policy.max_attempts
        and challenge.sends < policy.max_sends
        and challenge.expires_at > now
    )

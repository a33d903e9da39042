"""What a person who waits for a code may know: it is the same for everybody (law 4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from ...conf import conf
from ...models import ChallengeSession, Delivery, Route
from .checking import PROOF_WAITS

_VERIFIED, _UNCHECKED = ChallengeSession.Outcome.VERIFIED, ChallengeSession.Verdict.UNCHECKED

# How long a failure of a provider is shown to everybody who waits for a message on that channel, or for a verdict.
TROUBLE_SHOWN_FOR = timedelta(minutes=3)
# A worker that has not begun by then has died, or there is none: the page says so, and the person may ask again.
STALLED_AFTER = 60  # seconds
# Of the latest messages, those of so many people have to fail one after the other before it is the provider's trouble.
LATEST = 20
SEVERAL = 3
# Seconds from asking until the page sends people to their inbox. A message takes less, as a rule; that of a slow
# provider takes longer, but a decoy takes nothing, so what it takes must not show.
SENT_AFTER = 3.0
# Seconds until an answer without a verdict counts as one that could not be checked: its process has died.
GIVE_UP_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class Status:
    """What the code page shows; times in seconds. ``state`` is ``sending``, ``sent`` or ``trouble``; ``answer`` what
    `answer_of` says."""

    state: str
    seconds_to_resend: int
    seconds_left: int
    can_resend: bool
    answer: str


def status(challenge: ChallengeSession, *, now: datetime, answered: bool = False) -> Status:
    """What a person who waits may see: it depends on the time since they asked and on the channel, never on what
    became of their own message, which would tell who exists. A person who has ``answered`` has their message, and one
    who typed at random learns nothing by it.

    One statement, two after a minute or after an answer, none once answered."""
    answer = answer_of(challenge, now)
    return Status(
        state="sent" if answered or answer else _state(challenge, now),
        seconds_to_resend=seconds_to_resend(challenge, now),
        seconds_left=seconds_left(challenge, now),
        can_resend=can_resend(challenge, now),
        answer=answer,
    )


def answer_of(challenge: ChallengeSession, now: datetime) -> str:
    """Where the last answer stands that was left to be checked: ``checking``, ``right`` (until the browser goes on),
    ``refused``, ``unchecked`` (nothing is known of it), or empty.

    Nothing but ``right`` shows before the floor, counted from the answer. While a pool cannot be asked, all refused
    answers are called unchecked, for those who live in it are. At most one statement."""
    waited = (now - challenge.answered_at).total_seconds() if challenge.answered_at else 0.0
    if challenge.outcome == ChallengeSession.Outcome.PROVEN:
        return "right" if waited < PROOF_WAITS.total_seconds() else ""
    if not (challenge.answered_at and challenge.refusal_floor) or challenge.outcome == _VERIFIED:
        return ""
    if waited < (challenge.refusal_floor if challenge.verdict else GIVE_UP_AFTER):
        return "checking"
    unchecked = ChallengeSession.objects.filter(verdict=_UNCHECKED, answered_at__gt=now - TROUBLE_SHOWN_FOR)
    return "refused" if challenge.verdict == "refused" and not unchecked.exists() else "unchecked"


def _state(challenge: ChallengeSession, now: datetime) -> str:
    waited = (now - challenge.last_sent_at).total_seconds()
    if is_in_trouble(challenge.channel, now) or (waited > STALLED_AFTER and _is_stalled(challenge.channel, now)):
        return "trouble"
    # Inline, the request has waited for the provider already, and told by that.
    is_due = conf.dispatch == "inline" or waited >= SENT_AFTER
    return "sent" if is_due and waited >= challenge.refusal_floor else "sending"


def is_in_trouble(channel: str, now: datetime) -> bool:
    """Whether messages of this channel fail whoever they are for: the latest one by its nature, or those of several
    people, one after the other. No one person's address can bring that about. One statement."""
    latest = (
        Delivery.objects.filter(channel=channel, finished_at__gt=now - TROUBLE_SHOWN_FOR)
        .exclude(status=Delivery.Status.SKIPPED)
        .order_by("-finished_at")
        .values_list("status", "provider_down", "for_everybody", "challenge__identifier")[:LATEST]
    )
    failing: set[str] = set()
    for place, (outcome, provider_down, for_everybody, identifier) in enumerate(latest):
        if outcome == Delivery.Status.SENT:
            break
        if for_everybody and not place:
            return True
        if provider_down:
            failing.add(identifier)
    return len(failing) >= SEVERAL


def _is_stalled(channel: str, now: datetime) -> bool:
    """Whether no worker has begun with the newest message that has been waiting for long enough, a decoy's or another:
    it does not know which before. One statement."""
    begun = Exists(Delivery.objects.filter(challenge=OuterRef("pk")))
    due, oldest = now - timedelta(seconds=STALLED_AFTER), now - TROUBLE_SHOWN_FOR
    waiting = ChallengeSession.objects.filter(
        channel=channel, outcome=ChallengeSession.Outcome.OPEN, created_at__lt=due, created_at__gt=oldest
    ).exclude(route=Route.COGNITO_OIDC)
    return waiting.order_by("-created_at").values_list(begun, flat=True).first() is False


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

"""Claim before compare (law 2), and the count that outlives the code (law 3).

`claim`, `accept` and `resend` are the transitions of `otp.machine` as one conditional UPDATE each, so that any number
of processes agree. The UPDATE comes first in its transaction: PostgreSQL locks the row by it, and SQLite takes its
write lock by it, where reading first would fail as locked under parallel requests.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import router, transaction
from django.db.models import F, QuerySet

from ... import keys
from ...cognito import Connection
from ...conf import conf
from ...identifiers import MAX_LENGTH, Identifier
from ...identity import Channel
from ...models import ChallengeSession, FailureCount
from ..limits import budgets

OPEN = ChallengeSession.Outcome.OPEN
# What a challenge is for. A handle of one purpose is nothing to the functions of another: the site's own views decide
# what a step is good for, and the pages of this package must not take it for a sign-in.
SIGN_IN = "sign_in"
STEP = "step"
ROUTED = "routed_step"  # a step that chose its route as the pages do
BROWSER, APP = "browser", "app"  # the two clients of the JSON API

# Why an attempt is refused that leaves no trace: a browser that repeats it would write without end.
OVER = frozenset({"expired", "locked", "superseded", "answered", "verified"})

_COUNTS, _CHALLENGES = FailureCount._meta.db_table, ChallengeSession._meta.db_table
# Only names of tables are put into these; S608 sees no difference.
_COUNT_SHARED = f"""
INSERT INTO {_COUNTS} AS kept (identifier, browser, "count", window_started_at)
SELECT identifier, '', 1, %(now)s FROM {_CHALLENGES} WHERE handle_hash = %(handle)s
ON CONFLICT (identifier, browser) {budgets.ADD_ONE}
"""  # noqa: S608
_SPEND_OWN = f"""
INSERT INTO {_COUNTS} AS kept (identifier, browser, "count", window_started_at)
VALUES (%(identifier)s, %(browser)s, 1, %(now)s)
ON CONFLICT (identifier, browser) {budgets.ADD_ONE} {budgets.IF_BELOW}
"""  # noqa: S608
# The challenge with its identifier's failures. Every guess reads it: putting this together by the ORM takes longer
# than all the rest of it.
_FAILURES = f"""SELECT "count" FROM {_COUNTS} WHERE browser = '' AND identifier = {_CHALLENGES}.identifier"""  # noqa: S608
_CLAIMED = f"SELECT *, ({_FAILURES}) AS failures FROM {_CHALLENGES} WHERE handle_hash = %s"  # noqa: S608


def new_handle() -> str:
    """What the browser holds: 256 random bits."""
    return secrets.token_urlsafe(32)


def handle_hash(handle: str) -> str:
    """What the database holds of it. The handle is random, so a plain hash gives nothing away (law 5)."""
    return hashlib.sha256(handle.encode()).hexdigest()


def lifetime(asked: Iterable[Connection]) -> timedelta:
    """How long a code can be used: ``OTP["TTL"]``, and no longer than any pool that may be asked for one waits for it
    (``session_minutes``). Pages, messages, the status and ``expires_at`` all follow from it."""
    waits = (60 * connection.session_minutes for connection in asked if "otp" in connection.routes)
    return timedelta(seconds=min((conf.otp.ttl, *waits)))


def new_challenge(identifier: Identifier | None, handle: str, now: datetime, **what_differs: Any) -> ChallengeSession:
    """Stores a challenge that the browser with ``handle`` may answer. ``what_differs`` are fields of the row beside,
    or instead of, those that all challenges have in common. One statement."""
    policy = conf.otp
    common = {
        "id": uuid4(),
        "handle_hash": handle_hash(handle),
        "identifier": identifier.value if identifier else "",
        "spelling": identifier.spelling[:MAX_LENGTH] if identifier else "",
        "channel": identifier.channel if identifier else Channel.EMAIL,
        "key_fingerprint": keys.keyring().current.fingerprint,
        "code_length": policy.length,
        "created_at": now,
        "last_sent_at": now,
        "expires_at": now + timedelta(seconds=policy.ttl),
    }
    return ChallengeSession.objects.create(**common | what_differs)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The challenge after the claim, and whether an answer may be compared. Where it may not, ``refusal`` says why:
    for the log, never for the page."""

    challenge: ChallengeSession
    refusal: str = ""

    @property
    def claimed(self) -> bool:
        return not self.refusal


@contextmanager
def durable() -> Iterator[None]:
    """A transaction of its own on the challenge's database. Inside a caller's transaction it raises `RuntimeError`:
    a claim that can be rolled back is no claim."""
    with transaction.atomic(using=_database(), durable=True):
        yield


def _database() -> str:
    return router.db_for_write(ChallengeSession)


def challenges() -> QuerySet[ChallengeSession]:
    """The rows, on the database that claims are written to."""
    return ChallengeSession.objects.using(_database())


def _counts() -> QuerySet[FailureCount]:
    return FailureCount.objects.using(_database())


def _rows(handle: str) -> QuerySet[ChallengeSession]:
    return challenges().filter(handle_hash=handle_hash(handle))


def find(handle: str, purpose: str = SIGN_IN) -> ChallengeSession | None:
    """The challenge this browser holds, whatever its state; None for an empty handle, without a statement."""
    if not handle:
        return None
    return _rows(handle).filter(purpose=purpose).first()


def claim(handle: str, now: datetime, purpose: str = SIGN_IN) -> Attempt | None:
    """Spends one attempt of this browser's challenge, on the challenge and on its identifier's count.

    None when the browser holds no challenge. Three statements, one more past the limit in a browser that has signed in
    before. Raises `RuntimeError` inside a transaction.
    """
    if not handle:
        return None
    policy = conf.otp
    with durable():
        spent = (
            _rows(handle)
            .filter(purpose=purpose, outcome=OPEN, attempts__lt=policy.max_attempts, expires_at__gt=now)
            .update(attempts=F("attempts") + 1)
        )
        if not spent:
            challenge = find(handle, purpose)
            if challenge is None or challenge.outcome != OPEN:
                return Attempt(challenge, challenge.outcome) if challenge else None
            return Attempt(challenge, "expired" if challenge.expires_at <= now else "locked")
        limit = conf.limit("failures")
        budgets.count_in_window(_database(), _COUNT_SHARED, limit, now, {"handle": handle_hash(handle)})
        challenge = challenges().raw(_CLAIMED, [handle_hash(handle)])[0]
        if vars(challenge)["failures"] <= limit.count:
            return Attempt(challenge)
        # A browser that has signed in as this person before has a few attempts of its own, so that a stranger's
        # guesses do not lock the owner out.
        own = {"identifier": challenge.identifier, "browser": challenge.known_browser}
        limit = conf.limit("failures_known_browser")
        if challenge.known_browser and budgets.count_in_window(_database(), _SPEND_OWN, limit, now, own):
            return Attempt(challenge)
        return Attempt(challenge, "over_limit")


def accept(challenge: ChallengeSession, *, on_success: Callable[[], object] = lambda: None) -> bool:
    """Claims the success: True for exactly one caller, and never for a code that was rotated away meanwhile.

    The identifier's failures are forgotten: NIST SP 800-63B-4 counts those in a row. So are those of this browser's
    own budget, in the order in which `claim` locks them, or the two could wait for each other. Two statements, three
    for a browser that has signed in before. ``on_success`` writes what belongs to it, in the same transaction.
    """
    with durable():
        won = (
            challenges()
            .filter(pk=challenge.pk, outcome=OPEN, generation=challenge.generation)
            .update(outcome=ChallengeSession.Outcome.VERIFIED, pool_session="")
        )
        if won:
            for browser in dict.fromkeys(("", challenge.known_browser)):
                _counts().filter(identifier=challenge.identifier, browser=browser).update(count=0)
            on_success()
    return bool(won)


def resend(handle: str, now: datetime) -> bool:
    """Allows one more message of this browser's challenge, if the policy does. One statement."""
    policy = conf.otp
    with durable():
        return bool(
            _rows(handle)
            .filter(
                outcome=OPEN,
                attempts__lt=policy.max_attempts,
                expires_at__gt=now,
                sends__lt=policy.max_sends,
                last_sent_at__lte=now - timedelta(seconds=policy.resend_cooldown),
            )
            .update(
                sends=F("sends") + 1,
                generation=F("generation") + int(policy.on_resend == "rotate"),  # PostgreSQL adds no boolean
                last_sent_at=now,
                sending=ChallengeSession.Sending.QUEUED,
            )
        )


def take_back_send(challenge: ChallengeSession, before: ChallengeSession) -> None:
    """Undoes a `resend` that no worker was told of, so that the person may ask again at once."""
    with durable():
        challenges().filter(pk=challenge.pk, sends=challenge.sends).update(
            sends=before.sends, generation=before.generation, last_sent_at=before.last_sent_at, sending=before.sending
        )


def supersede(handle: str, *, now: datetime | None = None) -> bool:
    """Ends the challenge this browser held before; those of other browsers stay (law 3). One statement, none for an
    empty handle.

    With ``now``, only if its cool-down is over. True for the one caller that ended it.
    """
    if not handle:
        return False
    rows = _rows(handle).filter(outcome=OPEN)
    if now is not None:
        rows = rows.filter(last_sent_at__lte=now - timedelta(seconds=conf.otp.resend_cooldown))
    return bool(rows.update(outcome=ChallengeSession.Outcome.SUPERSEDED))


def reopen(challenge: ChallengeSession) -> None:
    """Undoes a `supersede` whose successor could not be started: the person keeps what they had."""
    challenges().filter(pk=challenge.pk, outcome=ChallengeSession.Outcome.SUPERSEDED).update(outcome=OPEN)


def is_over_limit(identifier: str, now: datetime) -> bool:
    """Whether new failures of this identifier would no longer be compared."""
    limit = conf.limit("failures")
    since = now - timedelta(seconds=limit.window)
    return (
        _counts()
        .filter(identifier=identifier, browser="", count__gte=limit.count, window_started_at__gt=since)
        .exists()
    )


def lock_identifier(identifier: str) -> None:
    """Serialises concurrent sign-ins of one identifier: a row lock until the caller's transaction ends. One
    statement."""
    _counts().filter(identifier=identifier, browser="").update(count=F("count"))

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

from django.db import connections, router, transaction
from django.db.models import F, QuerySet

from ... import keys
from ...cognito import Connection
from ...conf import conf
from ...identifiers import MAX_LENGTH, Identifier
from ...identity import Channel
from ...models import ChallengeSession, FailureCount

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
# Every guess runs these: putting them together by the ORM takes longer than running them. Only names of tables and of
# columns are put in; S608 sees no difference.
_CLAIM_AND = f"""UPDATE {_CHALLENGES} SET attempts = attempts + 1{{noted}}
WHERE handle_hash = %(handle)s AND purpose = %(purpose)s AND outcome = '{OPEN}' AND attempts < %(most)s
    AND expires_at > %(now)s
RETURNING *
"""  # noqa: S608
_CLAIM = _CLAIM_AND.format(noted="")
_CLAIM_NOTED = _CLAIM_AND.format(noted=", answered_at = %(now)s, verdict = ''")
# Counts what may be compared and nothing else, or guessing for ever would lock out those who share a row. Of parallel
# guesses some may still be counted past the limit; what comes back tells them. The rows are in the order in which
# `accept` writes them, or the two could wait for each other.
_COUNT = f"""
INSERT INTO {_COUNTS} AS kept (identifier, browser, "count", known, failed_at)
SELECT * FROM (VALUES (%(identifier)s, '', %(unknown)s, %(known)s, %(now)s),
    (%(account)s, '', %(unknown)s, %(known)s, %(now)s){{rows}}) AS failed
WHERE NOT EXISTS (SELECT 1 FROM {_COUNTS} WHERE identifier IN (%(identifier)s, %(account)s) AND ({{over}}))
ON CONFLICT (identifier, browser) DO UPDATE SET
    "count" = kept."count" + excluded."count", known = kept.known + excluded.known, failed_at = excluded.failed_at
RETURNING browser, "count", known
"""  # noqa: S608
_COUNT_UNKNOWN = _COUNT.format(rows="", over="""browser = '' AND "count" >= %(most_unknown)s""")
_COUNT_KNOWN = _COUNT.format(
    rows=", (%(account)s, %(browser)s, 1, 0, %(now)s)",
    over="""browser = '' AND known >= %(most_known)s OR browser = %(browser)s AND "count" >= %(most_own)s""",
)


def new_handle() -> str:
    """What the browser holds: 256 random bits."""
    return secrets.token_urlsafe(32)


def handle_hash(handle: str) -> str:
    """What the database holds of it. The handle is random, so a plain hash gives nothing away (law 5)."""
    return hashlib.sha256(handle.encode(errors="replace")).hexdigest()


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


def claim(handle: str, now: datetime, purpose: str = SIGN_IN, *, is_noted: bool = False) -> Attempt | None:
    """Spends one attempt of this browser's challenge, on the challenge and on the counts of its identifier and its
    account. With ``is_noted`` the row says that an answer waits for its verdict since now (`checking`).

    None when the browser holds no challenge. Two statements, whoever it is for. Raises `RuntimeError` inside a
    transaction.
    """
    if not handle:
        return None
    policy, limits, database = conf.otp, conf.failures, connections[_database()]
    at = database.ops.adapt_datetimefield_value(now)
    with durable():
        claimed = {"handle": handle_hash(handle), "purpose": purpose, "most": policy.max_attempts, "now": at}
        challenge = next(iter(challenges().raw(_CLAIM_NOTED if is_noted else _CLAIM, claimed)), None)
        if challenge is None:
            challenge = find(handle, purpose)
            if challenge is None or challenge.outcome != OPEN:
                return Attempt(challenge, challenge.outcome) if challenge else None
            return Attempt(challenge, "expired" if challenge.expires_at <= now else "locked")
        known = bool(challenge.known_browser)
        counted: dict[str, Any] = {"identifier": challenge.identifier, "account": account_of(challenge), "now": at}
        counted |= {"browser": challenge.known_browser, "unknown": int(not known), "known": int(known)}
        counted |= zip(("most_unknown", "most_known", "most_own"), limits, strict=True)
        with database.cursor() as cursor:
            cursor.execute(_COUNT_KNOWN if known else _COUNT_UNKNOWN, counted)
            rows = cursor.fetchall()
        over = not rows or any(_is_over(limits, known, *row) for row in rows)
        return Attempt(challenge, "over_limit" if over else "")


def _is_over(limits: tuple[int, int, int], in_known_browser: bool, browser: str, count: int, known: int) -> bool:
    """Whether a row has more failures than are compared: the strangers' share, or what known browsers have apart from
    it, so that guesses of the one do not lock out the other."""
    in_unknown, in_known, in_each = limits
    if browser:
        return count > in_each
    return known > in_known if in_known_browser else count > in_unknown


def account_of(challenge: ChallengeSession) -> str:
    """The key of its account, or one that stands for it where the worker has found none, or has not looked yet."""
    return challenge.account or f"nobody {challenge.identifier}"


def give_back(challenge: ChallengeSession) -> None:
    """Undoes a `claim` whose answer was compared with nothing. At most four statements."""
    counted = "known" if challenge.known_browser else "count"
    account = account_of(challenge)
    spent = [(challenge.identifier, "", counted), (account, "", counted), (account, challenge.known_browser, "count")]
    with durable():
        challenges().filter(pk=challenge.pk, outcome=OPEN, attempts__gt=0).update(attempts=F("attempts") - 1)
        for key, browser, name in spent if challenge.known_browser else spent[:2]:
            row = _counts().filter(identifier=key, browser=browser, **{f"{name}__gt": 0})
            row.update(**{name: F(name) - 1})
    challenge.attempts -= 1


def accept(challenge: ChallengeSession, *, on_success: Callable[[], object] = lambda: None, proof: str = "") -> bool:
    """Claims the success: True for exactly one caller, and never for a code that was rotated away meanwhile.

    The failures of identifier and account are forgotten: NIST SP 800-63B-4 counts those in a row. Three statements,
    four for a browser that has signed in before. ``on_success`` writes what belongs to it, in the same transaction.
    ``proof``, encrypted, is kept until the browser comes for it (`checking.take_proof`).
    """
    outcome = ChallengeSession.Outcome.PROVEN if proof else ChallengeSession.Outcome.VERIFIED
    with durable():
        won = (
            challenges()
            .filter(pk=challenge.pk, outcome=OPEN, generation=challenge.generation)
            .update(outcome=outcome, pool_session=proof)
        )
        if won:
            forget_failures(challenge, challenge.known_browser, count=0, known=0)
            on_success()
    return bool(won)


def forget_failures(challenge: ChallengeSession, browser: str, **counts: int) -> None:
    """Sets ``counts`` of the identifier and the account, and of this browser its own. One statement for each, in the
    order of `claim`."""
    for key in (challenge.identifier, account_of(challenge)):
        _counts().filter(identifier=key, browser="").update(**counts)
    if browser:
        _counts().filter(identifier=account_of(challenge), browser=browser).update(count=0)


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
                answered_at=None,
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


def is_over_limit(challenge: ChallengeSession) -> bool:
    """Whether new failures of this challenge would no longer be compared. One statement."""
    known, limits = challenge.known_browser, conf.failures
    rows = _counts().filter(
        identifier__in=[challenge.identifier, account_of(challenge)], browser__in={"", challenge.known_browser}
    )
    found = rows.values_list("browser", "count", "known")
    return any(_is_over(limits, bool(known), row[0], row[1] + 1, row[2] + 1) for row in found)


def lock_identifier(identifier: str) -> None:
    """Serialises concurrent sign-ins of one identifier: a row lock until the caller's transaction ends. One
    statement."""
    _counts().filter(identifier=identifier, browser="").update(count=F("count"))

"""One sign-in by code, as the entrances call it: start, answer, resend, retry, status. No HTML and no cookies here."""

import json
import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import router, transaction
from django.views.decorators.debug import sensitive_variables

from ... import connections, keys
from ...cognito import Connection
from ...conf import conf
from ...exceptions import DispatchFailed
from ...identifiers import Identifier
from ...identity import Channel
from ...models import ChallengeSession, Route
from ...otp import Code
from ..challenges import attempts, checking
from ..challenges import hosted as hosted_state
from ..challenges.status import can_resend, seconds_to_resend
from ..events import journey
from ..events.journey import Outcome
from ..limits import budgets
from ..sending import send_code
from ..sending.routing import identifier_of
from .background import background
from .context import Visitor, too_many
from .errors import NoChallenge, NotProven, NotServed, TooMany, TooSoon, Wrong
from .verification import Proven, compare, verify

logger = logging.getLogger(__name__)
Verdict = ChallengeSession.Verdict


@dataclass(frozen=True, slots=True)
class Offers:
    """``hosted_login``: the connection whose hosted login the pages offer; ``hosted_first``: the one that a start goes
    to by itself; ``floor``: seconds before a refusal is released; ``password``: whether a pool wants one first, which
    every code page then offers; ``lifetime``: how long a code can be used."""

    hosted_login: str
    hosted_first: Connection | None
    floor: float
    password: bool
    lifetime: timedelta


def offers_for(identifier: Identifier) -> Offers:
    """What the pages of this challenge offer, from the configuration alone: kept with it, so no page asks again."""
    active = connections.active()
    answering = connections.answering_for(identifier, active)
    hosted = [connection.alias for connection in answering if "oidc" in connection.routes]
    first = [connection for connection in answering[:1] if connection.routes[0] == "oidc"]
    pads = any("otp" in connection.routes for connection in active)
    return Offers(
        next(iter(hosted), ""),
        next(iter(first), None),
        conf.refusal_floor if pads else 0.0,
        any(connection.needs_password for connection in active),
        # Of all active connections, not only of those that answer for this domain: an imported person goes to the
        # connection of their record, and a bound of their own would tell that there is one (law 4).
        attempts.lifetime(active),
    )


@dataclass(frozen=True, slots=True)
class Started:
    """``handle`` goes to the browser; it is written nowhere else."""

    challenge: ChallengeSession
    handle: str


def start(
    identifier: Identifier,
    visitor: Visitor,
    *,
    now: datetime,
    channel: str | None = None,
    next_url: str = "",
    by_code: bool = False,
    instead_of: str = "",
) -> Started:
    """Stores one challenge and hands its id to the worker; nothing about the person is looked up.

    Where the configuration sends this identifier to a hosted login first, the challenge's route says so and no worker
    is told; ``by_code`` asks for a code all the same. ``instead_of``: the alias of a hosted login that has failed
    (`hosted_login.fallback`). At most four statements. Raises `TooMany`, `NotServed`, and `DispatchFailed` when no
    worker can be told; then nothing is left."""
    channel = channel or identifier.channel
    if not all(map(conf.offers, {channel, identifier.channel})):
        raise NotServed
    if channel == Channel.SMS and identifier.number and not budgets.serves(identifier.number):
        raise NotServed
    offers, handle = offers_for(identifier), attempts.new_handle()
    hosted = None if by_code else offers.hosted_first
    of_visitor = {"language": visitor.language, "next_url": next_url, "purpose": visitor.purpose}
    # One transaction, as waiting for the disk is what a start mostly does; it begins with its write.
    try:
        with transaction.atomic(using=router.db_for_write(ChallengeSession)):
            # Strangers of the same network must not use up what a person starts in their own browser.
            budgets.spend("starts_per_ip", visitor.known_browser or budgets.network_of(visitor.ip), now)
            if hosted:
                challenge = hosted_state.open_challenge(hosted, identifier, handle=handle, now=now, **of_visitor)
            else:
                challenge = attempts.new_challenge(
                    identifier,
                    handle,
                    now,
                    channel=channel,
                    known_browser=visitor.known_browser,
                    connection=instead_of,
                    hosted_login=offers.hosted_login,
                    refusal_floor=offers.floor,
                    password_offered=offers.password,
                    expires_at=now + offers.lifetime,
                    **of_visitor,
                )
    except budgets.OverLimit as over:
        raise too_many(over, now) from None
    if not hosted:
        try:
            send_code.dispatch(challenge)
        except DispatchFailed:
            challenge.delete()
            raise
    attempts.supersede(visitor.handle)
    return Started(challenge, handle)


@sensitive_variables()
def answer(visitor: Visitor, given: Code, *, now: datetime) -> tuple[ChallengeSession, Proven]:
    """Claims an attempt, compares, claims the success, and waits for the pool if one has to be asked. Three
    statements for a wrong code.

    Raises `NoChallenge`, and `Wrong` for everything that does not open the session.
    """
    attempt = attempts.claim(visitor.handle, now, visitor.purpose)
    if attempt is None:
        raise NoChallenge
    return attempt.challenge, _judge(visitor, attempt, given, now)


@sensitive_variables()
def submit(visitor: Visitor, given: Code, *, now: datetime) -> tuple[ChallengeSession, Proven | None]:
    """The same, and waits for no pool: None for everything that is not right at once. `status` tells what becomes of
    it, and `finish` goes on with what was right. Three statements for a wrong code.

    Raises `NoChallenge`; and `Wrong`, as `answer` does, where no refusal has to be held back (`REFUSAL_FLOOR`).
    """
    attempt = attempts.claim(visitor.handle, now, visitor.purpose, is_noted=True)
    if attempt is None:
        raise NoChallenge
    challenge = attempt.challenge
    if not challenge.refusal_floor:
        return challenge, _judge(visitor, attempt, given, now)
    if attempt.refusal in attempts.OVER:
        checking.refuse_once_more(challenge, now)
        return challenge, None
    if attempt.claimed and challenge.route == Route.LOCAL:
        try:
            compare(challenge, given, now)
            return challenge, _judge(visitor, attempt, given, now)
        except NotProven as error:
            if isinstance(error, Wrong):  # right, and another request was faster
                checking.judge(challenge, Verdict.REFUSED)
                return challenge, None
    # For everybody, the people among them whom no pool is asked for: this request must do the same for all.
    if not background.hand_over(partial(_check, visitor, attempt, given, now), floor=challenge.refusal_floor):
        checking.judge(challenge, Verdict.UNCHECKED)
    return challenge, None


@sensitive_variables()
def _check(visitor: Visitor, attempt: attempts.Attempt, given: Code, now: datetime, in_time: bool) -> None:
    verdict = Verdict.UNCHECKED
    try:
        if in_time:
            _judge(visitor, attempt, given, now, keep_proof=True)
            return
    except Wrong as wrong:
        # What the network or the pool is to blame for says nothing about the code.
        verdict = Verdict.UNCHECKED if wrong.category == "system" else Verdict.REFUSED
    checking.judge(attempt.challenge, verdict)


def finish(visitor: Visitor, *, now: datetime) -> tuple[ChallengeSession, Proven]:
    """Takes what `submit` left to be checked and was right, once. Raises `NoChallenge`."""
    challenge = checking.take_proof(visitor.handle, now)
    kept = keys.decrypt(challenge.pool_session) if challenge else None
    proven = Proven.from_dict(json.loads(kept)) if kept else None
    if challenge is None or proven is None:
        raise NoChallenge
    pool = proven.connection
    if pool and (not pool.active or connections.is_retired(pool.alias)):  # since it was asked
        raise NoChallenge
    return challenge, proven


@sensitive_variables()
def _judge(
    visitor: Visitor, attempt: attempts.Attempt, given: Code, now: datetime, *, keep_proof: bool = False
) -> Proven:
    """Raises `Wrong`."""
    challenge = attempt.challenge
    if attempt.refusal in attempts.OVER:
        # No event: a browser that repeats this would write without end.
        logger.info("%s answer refused: %s", challenge.pk, attempt.refusal)
        raise Wrong(challenge, attempt.refusal)
    record = partial(journey.record, challenge, "answered", now=now, given=given)
    began = time.monotonic()
    cause, category, unreached = attempt.refusal, "flow", False
    if attempt.claimed:
        try:
            proven = verify(challenge, given, now)
        except NotProven as error:
            cause, category, unreached = error.cause, error.category, error.unreached
            if unreached:
                attempts.give_back(challenge)
        else:
            won = partial(record, Outcome.OK, cause=proven.unproven, output=proven.profile)
            proof = keys.encrypt(json.dumps(proven.to_dict())) if keep_proof else ""
            if attempts.accept(challenge, on_success=lambda: won(duration=time.monotonic() - began), proof=proof):
                if not challenge.known_browser:
                    # A whole school may be behind one address: only starts that come to nothing add up there.
                    budgets.give_back("starts_per_ip", budgets.network_of(visitor.ip))
                return proven
            cause = "already_used"
    outcome = Outcome.REFUSED if category == "flow" else Outcome.FAILED
    record(outcome, cause=cause, category=category, duration=time.monotonic() - began)
    raise Wrong(challenge, cause, category, unreached=unreached)


@dataclass(frozen=True, slots=True)
class Resent:
    """Whether another message was asked for; if not, ``seconds`` until it may be, or ``over``: only a fresh challenge
    (`retry`) helps."""

    sent: bool
    seconds: int = 0
    over: bool = False


def resend(visitor: Visitor, *, now: datetime) -> Resent:
    """One more message for this browser's challenge. Raises `NoChallenge` and `DispatchFailed`."""
    before = attempts.find(visitor.handle, visitor.purpose)
    if before is None or before.route == Route.COGNITO_OIDC:
        raise NoChallenge
    if not attempts.resend(visitor.handle, now):
        current = attempts.find(visitor.handle, visitor.purpose) or before
        return Resent(False, max(1, seconds_to_resend(current, now)), over=not can_resend(current, now))
    challenge = attempts.find(visitor.handle, visitor.purpose)
    assert challenge is not None  # noqa: S101  (rows are only purged long after they expire)
    try:
        send_code.dispatch(challenge)
    except DispatchFailed:
        attempts.take_back_send(challenge, before)
        raise
    return Resent(True)


def retry(visitor: Visitor, *, now: datetime, channel: str | None = None) -> Started:
    """A fresh challenge for the same identifier, under the same cool-down. The identifier's failures stay counted.

    Of many at once, one starts a challenge. Raises `NoChallenge`, `TooSoon`, `TooMany`, `NotServed` and
    `DispatchFailed`.
    """
    before = attempts.find(visitor.handle, visitor.purpose)
    if before is None or not before.identifier:
        raise NoChallenge
    if not attempts.supersede(visitor.handle, now=now):
        wait = seconds_to_resend(before, now)
        if before.outcome == ChallengeSession.Outcome.OPEN and wait:
            raise TooSoon(wait)
        raise NoChallenge
    visitor = replace(visitor, handle="", known_browser=before.known_browser)
    try:
        return start(
            identifier_of(before),
            visitor,
            now=now,
            channel=channel or before.channel,
            next_url=before.next_url,
            by_code=True,
            # Our own code has a connection only where it took the place of that one's hosted login.
            instead_of=before.connection if before.route == Route.LOCAL else "",
        )
    except (TooMany, NotServed, DispatchFailed):
        attempts.reopen(before)
        raise

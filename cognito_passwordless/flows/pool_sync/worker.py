"""Telling a pool that somebody has left it: mark them, sign them out everywhere, disable them; and taking it back.

The worker's part. It makes the pool agree with what the person's record says at that moment, so it may run twice or
die anywhere. Whoever would have no way in by our own code is never disabled.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q, QuerySet

from ... import cognito, compat, connections, user_fields
from ...cognito import Cause, CognitoError, Connection
from ...conf import conf
from ...identifiers import known
from ...models import JourneyEvent, MigratedUser, PhoneNumber, PoolNotice
from ..accounts import pool_records
from ..events import audit
from ..limits import budgets
from . import outbox

Status = MigratedUser.Status
Outcome = JourneyEvent.Outcome
Change = Callable[[Connection, str], None]

STEP: Final = "pool_told"
BEGUN: Final = "begun"
DONE: Final = "done"
NO_WAY_IN: Final = "no_way_in"
# Longer than all calls about one person can take: a few, each with a turn to wait for and its time-outs.
LEASE: Final = timedelta(seconds=60)
# Tries in a row; what has failed as often is tried again by `outbox.hand_over_again`.
MAX_TRIES: Final = 6


class RetryLater(Exception):
    """Throttled, timed out, or in another worker's hands. ``tries`` that have failed, to space the next one by; or
    ``seconds`` until it is of any use."""

    def __init__(self, cause: str, *, tries: int = 0, seconds: float = 0.0) -> None:
        super().__init__(cause)
        self.tries = tries
        self.seconds = seconds


def update_pool(pk: int, *, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep) -> None:
    """Carries out the `PoolNotice` of one person. Raises `RetryLater`."""
    notice = _take(pk, clock())
    if notice is None:
        return
    work = PoolUpdate(notice, clock, sleep)
    try:
        work.do()
    except budgets.OverLimit:
        work.give_back()
        raise RetryLater("quota", seconds=budgets.LONGEST_TURN.total_seconds()) from None
    except CognitoError as error:
        _failed(work, error)
    else:
        work.finish()


def _take(pk: int, now: datetime) -> PoolNotice | None:
    """The notice, if there is anything to tell and nobody else has it in hand. Raises `RetryLater`."""
    rows = PoolNotice.objects.filter(pk=pk, waiting=True)
    if not rows.filter(Q(held_until=None) | Q(held_until__lte=now)).update(held_until=now + LEASE):
        if rows.exists():
            raise RetryLater("busy", seconds=LEASE.total_seconds() + 1)
        return None
    return PoolNotice.objects.select_related("person", "person__user").filter(pk=pk).first()


def _failed(work: "PoolUpdate", error: CognitoError) -> None:
    if error.cause is Cause.unknown_user:
        # Nobody is there to be told about.
        work.finish(Outcome.REFUSED, str(error.cause))
        return
    tries = work.notice.tries + 1
    if error.cause.retryable and tries < MAX_TRIES:
        work.give_back(tries=tries)
        raise RetryLater(str(error.cause), tries=tries) from None
    work.give_up(error)


@dataclass(slots=True)
class PoolUpdate:
    """One worker's turn at one notice; ``applied`` names what it came to, for the timeline."""

    notice: PoolNotice
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    applied: list[str] = field(default_factory=list)
    username: str = ""

    @property
    def person(self) -> MigratedUser:
        return self.notice.person

    def do(self) -> None:
        connection = connections.find(self.person.connection)
        if connection is None or connection.retired or connection.pool != self.person.pool:
            # A pool that is never called again, or another pool under the same name.
            return
        if not connection.enabled:
            raise CognitoError(Cause.misconfigured, detail="the connection is switched off")
        if self.person.status == Status.MIGRATED:
            self._tell(connection)
        else:
            self._take_back(connection)

    def _tell(self, connection: Connection) -> None:
        for word in self._pending(connection):
            # Before the call: whatever becomes of it, an undo knows that it may have been made.
            self._note({word: BEGUN})
            self._change(connection, self._apply(word))
            self._note({word: self._done(word)})
        self.applied[:0] = [word for word in connection.after_migration if self._is_told(word)]

    def _pending(self, connection: Connection) -> Iterator[str]:
        for word in connection.after_migration:
            if word == "disable" and not has_way_in(self.person.user):
                self.applied.append(NO_WAY_IN)
            elif not self._is_told(word):
                yield word

    def _take_back(self, connection: Connection) -> None:
        for word, change in _REVERT.items():
            if word in self.notice.told:
                self._change(connection, change)
                self._note({}, without=word)
                self.applied.append(f"un{word}")

    def _apply(self, word: str) -> Change:
        if word != "mark":
            return _APPLY[word]
        moment = (self.person.migrated_at or self.clock()).astimezone(UTC)
        return lambda connection, name: cognito.mark_user(connection, name, f"{moment:%Y-%m-%dT%H:%M:%SZ}")

    def _is_told(self, word: str) -> bool:
        return bool(self.notice.told.get(word) == self._done(word))

    def _done(self, word: str) -> str:
        """What cannot be taken back is done anew for each migration."""
        return DONE if word in _REVERT else f"{DONE} {self.notice.version}"

    def _change(self, connection: Connection, change: Change) -> None:
        """Names the person by their sub, which is nobody else's ever; a person of another provider by the user name
        that goes with it."""
        try:
            self._wait(connection)
            change(connection, self.username or self.person.sub)
        except CognitoError as error:
            if error.cause is not Cause.unknown_user or self.username:
                raise
            self.username = cognito.username_of(connection, self.person.sub)
            self._change(connection, change)

    def _wait(self, connection: Connection) -> None:
        """The quota is one for all workers. Raises `OverLimit` where the queue is too long to wait in."""
        turn = budgets.take_turn(f"cognito changes {connection.region}", conf.limit("cognito_changes"), self.clock())
        if not turn.granted:
            raise budgets.OverLimit("cognito_changes")
        self.sleep(turn.wait)

    def _note(self, news: Mapping[str, str], without: str = "") -> None:
        told = {**self.notice.told, **news}
        told.pop(without, None)
        self.notice.told = told
        self._ours().update(told=told)

    def _ours(self) -> "QuerySet[PoolNotice]":
        return PoolNotice.objects.filter(pk=self.notice.pk, held_until=self.notice.held_until)

    def give_back(self, **fields: int) -> None:
        """Somebody may go on at once."""
        self._ours().update(held_until=None, **fields)

    def finish(self, outcome: JourneyEvent.Outcome = Outcome.OK, cause: str = "") -> None:
        if "undisable" in self.applied:
            # Once more: an import may have come in between.
            MigratedUser.objects.filter(pk=self.person.pk).update(pool_enabled=True)
        same = self._ours().filter(version=self.notice.version)
        if not same.update(waiting=False, held_until=None, tries=0, cause=""):
            # More was asked for meanwhile, such as an undo.
            self.give_back()
            outbox.hand_over(self.notice.pk)
        words = ",".join([*self.applied, *([cause] if cause else [])])
        if words:
            self._record(outcome, words)

    def give_up(self, error: CognitoError) -> None:
        """For an hour; told once for each cause, however often it is tried."""
        cause, known = str(error.cause), self.notice.cause
        self._ours().update(held_until=None, tries=0, cause=cause, asked_at=self.clock())
        if cause != known:
            self._record(Outcome.FAILED, cause, error.cause.category)

    def _record(self, outcome: JourneyEvent.Outcome, cause: str, category: str = "") -> None:
        # As it is now: the pool's answers took a while, and an undo may have removed the user, an erasure everything.
        person = MigratedUser.objects.filter(pk=self.person.pk).first()
        if person is None:
            return
        audit.record(
            person,
            STEP,
            now=self.clock(),
            cause=cause,
            outcome=outcome,
            category=category,
            level=logging.INFO if outcome is Outcome.OK else logging.WARNING,
        )


_APPLY: Final[Mapping[str, Change]] = {"sign_out": cognito.sign_out_everywhere, "disable": cognito.disable_user}
_REVERT: Final[Mapping[str, Change]] = {"disable": cognito.enable_user, "mark": cognito.unmark_user}


def has_way_in(user: AbstractBaseUser | None) -> bool:
    """Whether our own code reaches this user: only then may the pool's door be closed behind them."""
    return user is not None and any(_opens(address, user) for address in _addresses(user))


def _addresses(user: AbstractBaseUser) -> set[str]:
    emails = EmailAddress.objects.filter(user_id=user.pk).values_list("email", flat=True)
    numbers = PhoneNumber.objects.filter(user_id=user.pk, verified=True).values_list("number", flat=True)
    served = {number for number in {*numbers, user_fields.phone_of(user)} if budgets.serves(number)}
    return {compat.email_of(user), *emails, *served} - {""}


def _opens(address: str, user: AbstractBaseUser) -> bool:
    identifier = known(address)
    if identifier is None:
        return False
    verdict, _ = pool_records.by_our_code(identifier)
    return verdict.comes_in and verdict.account == user.pk

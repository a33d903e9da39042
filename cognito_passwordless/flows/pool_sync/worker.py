"""Worker of the outbox: marks a migrated user in the pool, signs them out everywhere, disables them; or reverts that.

It makes the pool agree with the person's record of that moment, so it may run twice or die anywhere. A person whom our
own code does not reach is never disabled.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
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
# Tries in a row; then `outbox.hand_over_again` tries again.
MAX_TRIES: Final = 6


class RetryLater(Exception):
    """Throttled, timed out, or in another worker's hands. ``tries`` have failed, for the back-off; or ``seconds`` are
    known after which another try makes sense."""

    def __init__(self, cause: str, *, tries: int = 0, seconds: float = 0.0) -> None:
        super().__init__(cause)
        self.tries = tries
        self.seconds = seconds


def update_pool(pk: int, *, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep) -> None:
    """Carries out the `PoolNotice` of one person. Raises `RetryLater`."""
    now = clock()
    rows = PoolNotice.objects.filter(pk=pk, waiting=True)
    if not rows.filter(Q(held_until=None) | Q(held_until__lte=now)).update(held_until=now + LEASE):
        if rows.exists():
            raise RetryLater("busy", seconds=LEASE.total_seconds() + 1)
        return
    notice = PoolNotice.objects.select_related("person", "person__user").filter(pk=pk).first()
    if notice is None:
        return
    update = PoolUpdate(notice, clock, sleep)
    try:
        update.carry_out()
    except budgets.OverLimit:
        update.give_back()
        raise RetryLater("quota", seconds=budgets.LONGEST_WAIT.total_seconds()) from None
    except CognitoError as error:
        tries = notice.tries + 1
        if error.cause is Cause.unknown_user:
            update.finish(Outcome.REFUSED, str(error.cause))  # the pool has no such user
        elif error.cause.retryable and tries < MAX_TRIES:
            update.give_back(tries=tries)
            raise RetryLater(str(error.cause), tries=tries) from None
        else:
            update.give_up(error)
    else:
        update.finish()


@dataclass(slots=True)
class PoolUpdate:
    """One worker's work on one notice; ``applied`` names what was done, for the timeline."""

    notice: PoolNotice
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    applied: list[str] = field(default_factory=list)
    username: str = ""

    @property
    def person(self) -> MigratedUser:
        return self.notice.person

    def carry_out(self) -> None:
        connection = connections.find(self.person.connection)
        if connection is None or connection.retired or connection.pool != self.person.pool:
            # A pool that is never called again, or another pool under the same name.
            return
        if not connection.enabled:
            raise CognitoError(Cause.misconfigured, detail="the connection is switched off")
        if self.person.status == Status.MIGRATED:
            self._apply(connection)
            return
        for word, revert in _REVERT.items():
            if word in self.notice.told:
                self._change(connection, revert)
                self._note({}, without=word)
                self.applied.append(f"un{word}")

    def _apply(self, connection: Connection) -> None:
        moment = (self.person.migrated_at or self.clock()).astimezone(UTC)
        mark = partial(cognito.mark_user, value=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
        for word in connection.after_migration:
            if word == "disable" and not has_way_in(self.person.user):
                self.applied.append(NO_WAY_IN)
            elif not self._is_told(word):
                # Before the call: whatever becomes of it, an undo knows that it may have been made.
                self._note({word: BEGUN})
                self._change(connection, mark if word == "mark" else _APPLY[word])
                self._note({word: self._done(word)})
        self.applied[:0] = [word for word in connection.after_migration if self._is_told(word)]

    def _is_told(self, word: str) -> bool:
        return bool(self.notice.told.get(word) == self._done(word))

    def _done(self, word: str) -> str:
        """What cannot be reverted is applied anew for each migration."""
        return DONE if word in _REVERT else f"{DONE} {self.notice.version}"

    def _change(self, connection: Connection, change: Change) -> None:
        """Names the person by their sub, which no other user ever has; a person of another provider by the user name
        that goes with it."""
        # The quota is one for all workers; `OverLimit` where the queue is too long to wait in.
        turn = budgets.reserve_slot(
            f"cognito changes {connection.region}", conf.limit("cognito_changes"), self.clock()
        )
        if not turn.granted:
            raise budgets.OverLimit("cognito_changes")
        self.sleep(turn.wait)
        try:
            change(connection, self.username or self.person.sub)
        except CognitoError as error:
            if error.cause is not Cause.unknown_user or self.username:
                raise
            self.username = cognito.username_of(connection, self.person.sub)
            self._change(connection, change)

    def _note(self, news: Mapping[str, str], without: str = "") -> None:
        told = {**self.notice.told, **news}
        told.pop(without, None)
        self.notice.told = told
        self._ours().update(told=told)

    def _ours(self) -> "QuerySet[PoolNotice]":
        return PoolNotice.objects.filter(pk=self.notice.pk, held_until=self.notice.held_until)

    def give_back(self, **fields: int) -> None:
        """Another worker may continue at once."""
        self._ours().update(held_until=None, **fields)

    def finish(self, outcome: JourneyEvent.Outcome = Outcome.OK, cause: str = "") -> None:
        if "undisable" in self.applied:
            # Once more: an import may have written in between.
            MigratedUser.objects.filter(pk=self.person.pk).update(pool_enabled=True)
        same = self._ours().filter(version=self.notice.version)
        if not same.update(waiting=False, held_until=None, tries=0, cause=""):
            # Another update was requested meanwhile, such as an undo.
            self.give_back()
            outbox.hand_over(self.notice.pk)
        words = ",".join([*self.applied, *([cause] if cause else [])])
        if words:
            self._record(outcome, words)

    def give_up(self, error: CognitoError) -> None:
        """For an hour. The timeline has one event for each cause, however often it is tried."""
        cause, known = str(error.cause), self.notice.cause
        self._ours().update(held_until=None, tries=0, cause=cause, asked_at=self.clock())
        if cause != known:
            self._record(Outcome.FAILED, cause, error.cause.category)

    def _record(self, outcome: JourneyEvent.Outcome, cause: str, category: str = "") -> None:
        # Read again: during the calls an undo may have removed the user, or an erasure everything.
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
    """Whether our own code reaches this user: only then may they be disabled in the pool."""
    if user is None:
        return False
    emails = EmailAddress.objects.filter(user_id=user.pk).values_list("email", flat=True)
    numbers = PhoneNumber.objects.filter(user_id=user.pk, verified=True).values_list("number", flat=True)
    served = {number for number in {*numbers, user_fields.phone_of(user)} if budgets.serves(number)}
    identifiers = map(known, {compat.email_of(user), *emails, *served} - {""})
    verdicts = (pool_records.by_our_code(identifier)[0] for identifier in identifiers if identifier is not None)
    return any(verdict.comes_in and verdict.account == user.pk for verdict in verdicts)

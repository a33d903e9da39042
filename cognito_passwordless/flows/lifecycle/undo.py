"""Taking a migration back: the pool user is pending again, and the next sign-in migrates them again.

Nobody is left with half a way in. A user whom the migration made is removed as a whole, or kept as a whole; one who
was there before keeps every way to sign in that they have.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser
from django.db import router, transaction
from django.db.models import ProtectedError, QuerySet, RestrictedError

from ... import compat
from ...models import MigratedUser
from ...signals import migration_undone
from ..accounts import locking
from ..accounts.changes import Made
from ..accounts.owners import is_privileged
from ..events import audit
from ..pool_sync import outbox
from . import dependents

Status = MigratedUser.Status
Choice = Literal["keep", "remove"]
BATCH = 200  # people of one transaction, in a whole run


class NotUndone(Exception):
    """Nothing was changed; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Preview:
    """What an undo would do. ``gained`` has what the user came to own since, by kind: then the user is kept unless
    somebody says otherwise."""

    record: MigratedUser
    created: bool
    refusal: str = ""
    gained: dict[str, int] = field(default_factory=dict)
    blocked: str = ""  # why the user cannot be removed at all

    @property
    def default(self) -> Choice:
        return "keep" if self.gained or self.blocked else "remove"

    def outcome(self, choice: Choice) -> str:
        """What an undo with this choice comes to."""
        if choice == "keep" and self.record.user_id is not None:
            return "user_kept"
        return "user_removed" if self.created else "link_removed"


def preview(record: MigratedUser) -> Preview:
    """Reads only."""
    made, user = Made.of(record), record.user
    if record.status != Status.MIGRATED:
        return Preview(record, created=False, refusal="not_migrated")
    if user is None:
        return Preview(record, created=False)
    if is_privileged(user):
        return Preview(record, created=made.user, refusal="privileged_user")
    if not made.user or _others_of(record).exists():
        # The account of several pool users goes when the last of them is undone.
        return Preview(record, created=False)
    found = dependents.of(user, record, made)
    return Preview(record, created=True, gained=found.kinds, blocked=found.blocked)


@dataclass(frozen=True, slots=True)
class Undone:
    """``outcome``: ``user_removed``, ``user_kept``, or ``link_removed`` from a user who was there before."""

    record: MigratedUser
    outcome: str


@locking.again_after_deadlock
def undo(pk: int, *, choice: Choice | None = None, now: datetime, by: str = "") -> Undone:
    """Takes one migration back, in one transaction. ``choice`` None does what the preview says.

    Raises `NotUndone`. A second time, there is nothing left to undo.
    """
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        record = locking.person(pk)
        if record is None:
            raise NotUndone("no_such_person")
        found = preview(record)
        if found.refusal:
            raise NotUndone(found.refusal)
        return _undo(found, choice or found.default, now, by)


def _undo(found: Preview, choice: Choice, now: datetime, by: str) -> Undone:
    record, user = found.record, found.record.user
    outcome = found.outcome(choice)
    if outcome == "user_removed" and found.blocked:
        raise NotUndone(found.blocked)
    made = Made.of(record)
    if user is not None and choice == "remove":
        if outcome == "user_removed":
            _remove(user)
        else:
            take_back(user, record, made)
            _hand_over(record, made)
        made = Made()
    record.user = None if choice == "remove" else user
    record.status, record.method, record.migrated_at, record.last_error = Status.PENDING, "", None, ""
    record.decision, record.made = None, made.as_json()
    record.save()
    audit.record(record, "undone", now=now, cause=outcome, by=by)
    outbox.request_revert(record, now=now)
    transaction.on_commit(lambda: migration_undone.send(sender=MigratedUser, migrated_user=record, outcome=outcome))
    return Undone(record, outcome)


def _remove(user: AbstractBaseUser) -> None:
    """Their sessions end with them: nobody is found by the key in it any more."""
    compat.end_tracked_sessions(user)
    try:
        user.delete()
    except (ProtectedError, RestrictedError):
        raise NotUndone(dependents.PROTECTED) from None


def take_back(user: AbstractBaseUser, record: MigratedUser, made: Made) -> None:
    """What the migration added to a user who was there before. What they proved stays proven: it is a fact, and it may
    be their only way in. Whoever came in by the pool user is out, as far as sessions can be ended: with allauth's
    ``usersessions`` all, else those of users without a password of their own."""
    compat.end_tracked_sessions(user)
    if not user.has_usable_password():
        user.set_unusable_password()  # a new one, and sessions are signed with it
        user.save(update_fields=["password"])
    if made.account:
        SocialAccount.objects.filter(provider=record.connection, uid=record.sub, user_id=user.pk).delete()
    if made.groups:
        groups: Any = getattr(user, "groups", None)
        if groups is not None:
            groups.remove(*made.groups)
    restored = [
        name for name, (before, written) in made.fields.items() if getattr(user, name, before) == written != before
    ]
    for name in restored:
        setattr(user, name, made.fields[name][0])
    if restored:
        user.save(update_fields=restored)


def _others_of(record: MigratedUser) -> "QuerySet[MigratedUser]":
    return MigratedUser.objects.filter(user=record.user, status=Status.MIGRATED).exclude(pk=record.pk)


def _hand_over(record: MigratedUser, made: Made) -> None:
    """Another pool user of the same account remembers now that a migration made it."""
    other = _others_of(record).first() if made.user else None
    if other is not None:
        theirs = Made.of(other)
        theirs.user, theirs.phone, theirs.emails = True, made.phone, made.emails
        other.made = theirs.as_json()
        other.save(update_fields=["made"])


def of_run(run_id: int) -> "QuerySet[MigratedUser]":
    """Who of a run has been migrated since, or by it."""
    return MigratedUser.objects.filter(import_run_id=run_id, status=Status.MIGRATED)


def totals(rows: "QuerySet[MigratedUser]", choice: Choice | None) -> Counter[str]:
    """What an undo of all of these would do, counted. For a dry run."""
    counted: Counter[str] = Counter()
    for record in rows.select_related("user").iterator(chunk_size=BATCH):
        found = preview(record)
        if found.refusal:
            counted[found.refusal] += 1
            continue
        outcome = found.outcome(choice or found.default)
        counted[found.blocked if outcome == "user_removed" and found.blocked else outcome] += 1
    return counted


def undo_run(run_id: int, *, choice: Choice | None = None, now: datetime, by: str = "") -> Iterator[Counter[str]]:
    """Undoes everybody of a run; yields what was done after each batch. Stopped anywhere, it goes on when it is
    called again."""
    rows, after = of_run(run_id).order_by("pk"), 0
    while keys := list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:BATCH]):
        counted: Counter[str] = Counter()
        with transaction.atomic(using=router.db_for_write(MigratedUser)):
            for pk in keys:
                try:
                    done = undo(pk, choice=choice, now=now, by=by)
                except NotUndone as error:
                    counted[error.reason] += 1
                else:
                    counted[done.outcome] += 1
        after = keys[-1]
        yield counted

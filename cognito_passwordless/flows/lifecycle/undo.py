"""Undoes migrations: the pool user is pending again, and the next sign-in migrates them again.

A user whom the migration created is removed as a whole, or kept as a whole; a user who existed before keeps every way
to sign in that they have.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser
from django.db import router, transaction
from django.db.models import ProtectedError, QuerySet, RestrictedError

from ... import compat
from ...models import MigratedUser, in_pages
from ...signals import migration_undone
from ..accounts import locking
from ..accounts.changes import MigrationChanges
from ..accounts.errors import ActionRefused
from ..accounts.owners import is_privileged
from ..events import audit
from ..pool_sync import outbox
from . import dependents

Status = MigratedUser.Status
Choice = Literal["keep", "remove"]
BATCH = 200  # people of one transaction, in a whole run


@dataclass(frozen=True, slots=True)
class Preview:
    """What an undo would do. ``gained`` counts what the user acquired since, by kind: then the user is kept unless the
    operator says otherwise."""

    record: MigratedUser
    created: bool
    refusal: str = ""
    gained: dict[str, int] = field(default_factory=dict)
    blocked: str = ""  # why the user cannot be removed at all

    @property
    def default(self) -> Choice:
        return "keep" if self.gained or self.blocked else "remove"

    def outcome(self, choice: Choice) -> str:
        """The outcome of an undo with this choice, as in `Undone`."""
        if choice == "keep" and self.record.user_id is not None:
            return "user_kept"
        return "user_removed" if self.created else "link_removed"


def preview(record: MigratedUser) -> Preview:
    """Reads only."""
    changes, user = MigrationChanges.load(record), record.user
    if record.status != Status.MIGRATED:
        return Preview(record, created=False, refusal="not_migrated")
    if user is None:
        return Preview(record, created=False)
    if is_privileged(user):
        return Preview(record, created=changes.user, refusal="privileged_user")
    if not changes.user or _others_of(record).exists():
        # The account of several pool users is removed when the last of them is undone.
        return Preview(record, created=False)
    found = dependents.find_dependents(user, record, changes)
    return Preview(record, created=True, gained=found.counts, blocked=found.blocked_by)


@dataclass(frozen=True, slots=True)
class Undone:
    """``outcome``: ``user_removed``, ``user_kept``, or ``link_removed`` from a user who existed before."""

    record: MigratedUser
    outcome: str


@locking.retry_on_deadlock
def undo(pk: int, *, choice: Choice | None = None, now: datetime, by: str = "") -> Undone:
    """Undoes one migration, in one transaction. ``choice`` None does what the preview says.

    Raises `ActionRefused`, at a second call too.
    """
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        record = locking.lock_person(pk)
        if record is None:
            raise ActionRefused("no_such_person")
        found = preview(record)
        if found.refusal:
            raise ActionRefused(found.refusal)
        choice = choice or found.default
        user, outcome, changes = record.user, found.outcome(choice), MigrationChanges.load(record)
        if outcome == "user_removed" and found.blocked:
            raise ActionRefused(found.blocked)
        if user is not None and outcome == "user_removed":
            compat.end_tracked_sessions(user)  # other sessions end because their user no longer exists
            try:
                user.delete()
            except (ProtectedError, RestrictedError):
                raise ActionRefused(dependents.PROTECTED) from None
        elif user is not None and choice == "remove":
            revert_changes(user, record, changes)
            other = _others_of(record).first() if changes.user else None
            if other is not None:  # it keeps the information that a migration created the account
                kept = MigrationChanges.load(other)
                kept.user, kept.phone, kept.emails = True, changes.phone, changes.emails
                other.changes = kept.as_json()
                other.save(update_fields=["changes"])
        if choice == "remove":
            record.user, record.changes = None, {}
        record.status, record.method, record.migrated_at, record.last_error = Status.PENDING, "", None, ""
        record.decision = None
        record.save()
        audit.record(record, "undone", now=now, cause=outcome, by=by)
        outbox.request_revert(record, now=now)
        transaction.on_commit(
            lambda: migration_undone.send(sender=MigratedUser, migrated_user=record, outcome=outcome)
        )
        return Undone(record, outcome)


def revert_changes(user: AbstractBaseUser, record: MigratedUser, changes: MigrationChanges) -> None:
    """Removes what the migration added to a user who existed before.

    Addresses that they proved stay verified: that is a fact, and may be their only way to sign in. Sessions end if
    they can be found: all with allauth's ``usersessions``, else those of users without a password of their own."""
    compat.end_tracked_sessions(user)
    if not user.has_usable_password():
        user.set_unusable_password()  # a new one: Django signs sessions with it
        user.save(update_fields=["password"])
    if changes.account:
        SocialAccount.objects.filter(provider=record.connection, uid=record.sub, user_id=user.pk).delete()
    if changes.groups:
        groups: Any = getattr(user, "groups", None)
        if groups is not None:
            groups.remove(*changes.groups)
    restored = [
        name for name, (before, written) in changes.fields.items() if getattr(user, name, before) == written != before
    ]
    for name in restored:
        setattr(user, name, changes.fields[name][0])
    if restored:
        user.save(update_fields=restored)


def _others_of(record: MigratedUser) -> "QuerySet[MigratedUser]":
    return MigratedUser.objects.filter(user=record.user, status=Status.MIGRATED).exclude(pk=record.pk)


def of_run(run_id: int) -> "QuerySet[MigratedUser]":
    """The people of an import run who are migrated."""
    return MigratedUser.objects.filter(import_run_id=run_id, status=Status.MIGRATED)


def totals(rows: "QuerySet[MigratedUser]", choice: Choice | None) -> Counter[str]:
    """Counts what an undo of all of these would do, for a dry run."""
    counted: Counter[str] = Counter()
    for record in in_pages(rows.select_related("user"), attrgetter("pk"), BATCH):
        found = preview(record)
        outcome = found.outcome(choice or found.default)
        blocked = found.blocked if outcome == "user_removed" else ""
        counted[found.refusal or blocked or outcome] += 1
    return counted


def undo_run(run_id: int, *, choice: Choice | None = None, now: datetime, by: str = "") -> Iterator[Counter[str]]:
    """Undoes all migrations of a run; yields the counts after each batch. After an interruption, a new call goes on
    with the rest."""
    rows, after = of_run(run_id).order_by("pk"), 0
    while keys := list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:BATCH]):
        counted: Counter[str] = Counter()
        with transaction.atomic(using=router.db_for_write(MigratedUser)):
            for pk in keys:
                try:
                    done = undo(pk, choice=choice, now=now, by=by)
                except ActionRefused as error:
                    counted[error.reason] += 1
                else:
                    counted[done.outcome] += 1
        after = keys[-1]
        yield counted

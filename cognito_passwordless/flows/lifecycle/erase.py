"""Erases a person: deletes what is known of them and creates a tombstone, so that they do not come back unasked.

Two things stay on purpose: failed answers that were counted against their address, until their window ends (law 3),
and steps of the timeline that say what happened and not to whom.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser
from django.db import router, transaction
from django.db.models import Model, ProtectedError, Q, RestrictedError

from ... import compat, user_fields
from ...models import (
    ChallengeSession,
    Erasure,
    FailureCount,
    ImportProblem,
    JourneyEvent,
    MigratedUser,
    PhoneNumber,
    SendCount,
)
from ...signals import person_erased
from ..accounts import locking, tombstones
from ..accounts.changes import MigrationChanges
from ..accounts.errors import ActionRefused
from ..accounts.owners import is_privileged
from ..events import audit
from ..events.journey import POOL_SIGN_IN
from . import dependents, undo


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would do. ``rows`` are all records of the Django user: a person is erased as a whole. ``others``
    counts further records that carry one of their addresses: they stay."""

    rows: list[MigratedUser]
    refusal: str = ""
    removes_user: bool = False
    gained: dict[str, int] = field(default_factory=dict)
    blocked: str = ""
    others: int = 0


@dataclass(frozen=True, slots=True)
class Erased:
    tombstones: list[Erasure]
    removed_user: bool


def preview(record: MigratedUser) -> Preview:
    """Reads only."""
    user, changes = record.user, MigrationChanges.load(record)
    rows = list(MigratedUser.objects.filter(user=user).order_by("pk")) if user else [record]
    addresses = _addresses(rows)
    sharing = MigratedUser.objects.filter(Q(email__in=addresses) | Q(phone_number__in=addresses))
    others = sharing.exclude(pk__in=[row.pk for row in rows]).count()
    if user is None:
        return Preview(rows, others=others)
    if is_privileged(user):
        return Preview(rows, refusal="privileged_user", others=others)
    found = dependents.find_dependents(user, record, changes)
    created = any(MigrationChanges.load(row).user for row in rows)
    removes = created and not found.counts and not found.blocked_by
    return Preview(rows, removes_user=removes, gained=found.counts, blocked=found.blocked_by, others=others)


@locking.retry_on_deadlock
def erase(pk: int, *, remove_user: bool | None = None, now: datetime, by: str = "") -> Erased:
    """Erases one person, in one transaction. ``remove_user`` None does what the preview says.

    Raises `ActionRefused`.
    """
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        record = locking.lock_person(pk)
        if record is None:
            raise ActionRefused("no_such_person")
        found = preview(record)
        if found.refusal:
            raise ActionRefused(found.refusal)
        user = record.user
        removes = user is not None and (found.removes_user if remove_user is None else remove_user)
        if removes and found.blocked:
            raise ActionRefused(found.blocked)
        person_erased.send(sender=MigratedUser, user=user, user_removed=removes)
        set_up = []
        for row in found.rows:
            changes = MigrationChanges.load(row)
            if user is not None and not removes and not changes.user:
                undo.revert_changes(user, row, changes)
            set_up.append(tombstones.create(row.pool, row.sub, connection=row.connection, now=now))
            SocialAccount.objects.filter(provider=row.connection, uid=row.sub).delete()
            ImportProblem.objects.filter(sub=row.sub, run__connection=row.connection).delete()
            pool_sign_ins = JourneyEvent.objects.filter(step=POOL_SIGN_IN, connection=row.connection)
            pool_sign_ins.filter(data__sub=row.sub).update(user=None, data=None)
            JourneyEvent.objects.filter(attempt=audit.attempt_of(row)).update(user=None)
            _forget_in_admin_log(row)
            row.delete()
        _forget_sign_ins(_addresses(found.rows, user if removes else None), [row.username for row in found.rows])
        events = JourneyEvent.objects.filter(user_id=user.pk) if user is not None else JourneyEvent.objects.none()
        if not removes:
            events = events.filter(connection__in={row.connection for row in found.rows})
        # Steps of the same sign-ins, from before the user was known, are theirs, too.
        JourneyEvent.objects.filter(attempt__in=events.values("attempt")).update(data=None)
        events.update(user=None)
        if removes and user is not None:
            _remove_user(user)
        cause = "user_removed" if removes else "user_kept" if user else ""
        for tombstone in set_up:
            audit.write(tombstone.pk, "erased", connection=tombstone.connection, now=now, cause=cause, by=by)
        return Erased(set_up, removes)


def _forget_sign_ins(addresses: Collection[str], usernames: Collection[str]) -> None:
    names = [name for name in usernames if name]
    addresses = {*addresses, *(name.lower() for name in names)}  # what was typed (`identifiers.typed`)
    begun = ChallengeSession.objects.filter(
        Q(identifier__in=addresses)
        | Q(spelling__in=addresses)
        | Q(recipient__in=addresses)
        | Q(pool_username__in=[*names, *addresses])
    )
    attempts = list(begun.values_list("pk", flat=True))
    JourneyEvent.objects.filter(attempt__in=attempts).update(user=None, data=None)
    begun.delete()
    keys, counted = Q(key__in=addresses), Q(identifier__in=addresses)
    for name in {*addresses, *names}:
        # A browser's own budget, with its address; an account's failures, with its name in the pool.
        keys |= Q(key__endswith=f" {name}")
        counted |= Q(identifier__endswith=f" {name}")
    SendCount.objects.filter(keys).delete()
    FailureCount.objects.filter(counted, count=0, known=0).delete()


def forget_attempt(challenge: ChallengeSession) -> None:
    """Deletes the person's addresses from a sign-in that a tombstone refused."""
    counted = (challenge.identifier, challenge.account or f"nobody {challenge.identifier}")
    FailureCount.objects.filter(identifier__in=counted, count=0, known=0).delete()
    ChallengeSession.objects.filter(pk=challenge.pk).update(
        identifier="", spelling="", recipient="", pool_username="", account=""
    )


def _remove_user(user: AbstractBaseUser) -> None:
    for row in (*EmailAddress.objects.filter(user_id=user.pk), *PhoneNumber.objects.filter(user_id=user.pk)):
        _forget_in_admin_log(row)
    _forget_in_admin_log(user)
    compat.end_tracked_sessions(user)
    try:
        user.delete()
    except (ProtectedError, RestrictedError):
        raise ActionRefused(dependents.PROTECTED) from None


def _forget_in_admin_log(row: Model) -> None:
    """The admin's own log names rows by their text, which may be an address."""
    if not apps.is_installed("django.contrib.admin"):
        return
    entries = apps.get_model("admin", "LogEntry")._default_manager.filter(
        content_type__app_label=row._meta.app_label,
        content_type__model=row._meta.model_name,
        object_id=str(row.pk),
    )
    entries.update(object_repr="-", change_message="")


def _addresses(rows: Collection[MigratedUser], user: AbstractBaseUser | None = None) -> set[str]:
    addresses = {address for row in rows for address in (row.email, row.phone_number)}
    if user is not None:
        addresses |= {compat.email_of(user).lower(), user_fields.phone_of(user)}
        addresses |= set(EmailAddress.objects.filter(user_id=user.pk).values_list("email", flat=True))
        addresses |= set(PhoneNumber.objects.filter(user_id=user.pk).values_list("number", flat=True))
    return addresses - {""}

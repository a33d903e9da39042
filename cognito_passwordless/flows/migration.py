"""From a proven profile to the one Django user: every route ends here (laws 6, 7, 8).

A pool person is (issuer, sub). Their row is written first and locked, so two first sign-ins at once meet on it and
give one user. Whatever is not certain becomes a conflict for a human, never a guess.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from allauth.socialaccount.models import SocialLogin
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, router, transaction
from django.http import HttpRequest

from .. import compat
from ..cognito import CognitoProfile, Connection
from ..conf import conf
from ..exceptions import MigrationConflict, MigrationRefused
from ..identifiers import Identifier, parse
from ..models import SUB_LENGTH, MigratedUser
from ..signals import user_migrated
from . import attempts, holding, linking, pool_notices, pool_records, tombstones
from .local_users import Ambiguous, Owner, owner_of
from .made import Made, values_of
from .mapping import apply_attributes, apply_groups
from .new_users import SignUp, reason_of
from .ownership import take_over

Status = MigratedUser.Status
SECOND_FACTOR = "second_factor"
TRIES = 3  # two people at once can meet on a unique address; whoever comes second looks again


@dataclass(frozen=True, slots=True)
class Migrated:
    """The Django user of a proven person; ``created`` when there was none. ``record`` is None for somebody who never
    was in a pool; ``just_now`` says that they left it in this sign-in. ``signed_up``: nobody has come in as this user
    before, who was made now or by a bulk activation."""

    user: AbstractBaseUser
    created: bool
    record: MigratedUser | None = None
    just_now: bool = False
    signed_up: bool = False


@holding.again_after_deadlock
def migrate(
    profile: CognitoProfile,
    *,
    connection: Connection | None,
    method: MigratedUser.Method,
    now: datetime,
    request: HttpRequest | None = None,
    login: SocialLogin | None = None,
) -> Migrated:
    """Finds or makes the Django user of ``profile``; ``connection`` is None for somebody who never was in a pool.
    ``request``, and ``login`` after a hosted one, are what allauth's hooks are told when a user is made.

    The profile must have been proven in this sign-in. Raises `MigrationRefused`, and `MigrationConflict` after having
    recorded the case; and what else a hook raises, after which nothing has been written.
    """
    sign_up = SignUp(request, login)
    for left in reversed(range(TRIES)):
        try:
            if connection is None:
                return _without_pool(profile, sign_up)
            with transaction.atomic(using=router.db_for_write(MigratedUser)):
                return _with_pool(profile, connection, method, now, sign_up)
        except MigrationRefused as refusal:
            pool_records.record_refusal(profile, connection, refusal, now)
            own = _own_account(profile, method) if isinstance(refusal, MigrationConflict) else None
            if own is None:
                raise
            return own
        except IntegrityError as error:
            if not left:
                # A unique value of the site's own (a mapped attribute, say) is already taken, each time anew.
                return _give_up(profile, connection, now, error)
        except (DataError, ValidationError) as error:
            return _give_up(profile, connection, now, error)
    raise AssertionError("unreachable")


def _own_account(profile: CognitoProfile, method: MigratedUser.Method) -> Migrated | None:
    """Whoever proved to us an address that Django had verified comes into their account, whatever is unclear about
    their pool record: that waits for a human."""
    if method != MigratedUser.Method.LOCAL_OTP:
        return None
    (address,) = (parse(proven) for proven in profile.proven)
    try:
        owner = owner_of(address)
    except Ambiguous:
        return None
    return Migrated(owner.user, created=False) if owner and owner.proven and not owner.refusal else None


def _give_up(profile: CognitoProfile, connection: Connection | None, now: datetime, error: Exception) -> NoReturn:
    conflict = MigrationConflict(reason_of(error))
    pool_records.record_refusal(profile, connection, conflict, now)
    raise conflict from error


def _without_pool(profile: CognitoProfile, sign_up: SignUp) -> Migrated:
    (address,) = (parse(proven) for proven in profile.proven)
    owner = linking.owner_or_conflict(address)
    if owner is not None and owner.proven and not owner.refusal:
        return Migrated(owner.user, created=False)
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        # Whoever proves this address at the same time waits here, and then finds the user that the first one got.
        # It is a write: on SQLite, a transaction that begins with a read may not write once others have written.
        attempts.take_turn(address.value)
        return _taken_over_or_new(profile, address, sign_up)


def _taken_over_or_new(profile: CognitoProfile, address: Identifier, sign_up: SignUp) -> Migrated:
    owner = linking.owner_or_conflict(address)
    if owner is None:
        _must_not_be_in_a_pool(address)
        if not conf.signup:
            raise MigrationRefused("unknown")
        sign_up.must_be_open(address)
        return Migrated(linking.create(profile, [address], sign_up), created=True, signed_up=True)
    if owner.refusal:
        raise MigrationRefused(owner.refusal)
    if not owner.proven:
        take_over(owner.user, address)
    return Migrated(owner.user, created=False)


def _must_not_be_in_a_pool(address: Identifier) -> None:
    """Somebody whose pool record could not be used (excluded, disabled, an address that the pool never verified) does
    not become another, new user instead."""
    known = {"email": address.value} if address.channel == "email" else {"phone_number": address.value}
    if MigratedUser.objects.filter(**known).exists():
        raise MigrationRefused(pool_records.UNUSABLE)


def _with_pool(
    profile: CognitoProfile,
    connection: Connection,
    method: MigratedUser.Method,
    now: datetime,
    sign_up: SignUp,
) -> Migrated:
    if len(profile.sub) > SUB_LENGTH:
        raise MigrationRefused("sub_too_long")
    record = _locked_record(profile, connection)
    if record.status == Status.EXCLUDED:
        raise MigrationRefused("excluded")
    if record.status == Status.MIGRATED and not record.awaits_proof:
        return Migrated(_returning(record, profile, now), created=False, record=record)
    if tombstones.find(profile.issuer, profile.sub):
        raise MigrationRefused(tombstones.ERASED)
    made = Made.of(record)
    made_ahead = record.awaits_proof and made.user
    user, created = linking.first_time(profile, connection, record, made, sign_up)
    signed_up = created or (made_ahead and user.last_login is None)
    _must_keep_its_factors(record, user, method)
    made.added(apply_groups(user, profile))
    others = pool_records.rest_of_person(record, profile)
    pool_records.settle(record, profile, connection, user, made, method=method, now=now)
    pool_notices.ask(record, connection, now=now)
    for other, theirs in others:
        pool_records.settle(
            other, pool_records.profile_of(other), theirs, user, Made.of(other), method=method, now=now
        )
        pool_notices.ask(other, theirs, now=now)
    transaction.on_commit(
        lambda: user_migrated.send(sender=MigratedUser, user=user, migrated_user=record, created=created)
    )
    return Migrated(user, created, record, just_now=True, signed_up=signed_up)


def _must_keep_its_factors(record: MigratedUser, user: AbstractBaseUser, method: MigratedUser.Method) -> None:
    """Our code alone is one factor; whoever had two in the pool does not lose one unless a human has said so."""
    is_fewer = method == MigratedUser.Method.LOCAL_OTP and pool_records.has_second_factor(record)
    if is_fewer and record.decision is None and not compat.has_authenticator(user):
        raise MigrationConflict(SECOND_FACTOR)


def _locked_record(profile: CognitoProfile, connection: Connection) -> MigratedUser:
    # The insert comes first: PostgreSQL makes the second of two wait for it, SQLite takes its write lock by it.
    rows = MigratedUser.objects.using(router.db_for_write(MigratedUser))
    record = None
    while record is None:  # an erasure may take the row away between the two
        rows.bulk_create(
            [MigratedUser(connection=connection.alias, issuer=profile.issuer, sub=profile.sub)], ignore_conflicts=True
        )
        record = rows.select_for_update().filter(issuer=profile.issuer, sub=profile.sub).first()
    return record


def _returning(record: MigratedUser, profile: CognitoProfile, now: datetime) -> AbstractBaseUser:
    MigratedUser.objects.filter(pk=record.pk).update(active_at=now)
    user = record.user
    if user is None:
        raise MigrationConflict("user_deleted")
    _must_be_allowed(user)
    made, before = Made.of(record), values_of(user)
    changed = apply_attributes(user, profile, policy=conf.update_on_return)
    if changed:
        user.save(update_fields=changed)
    made.filled(before, user, changed)
    if conf.update_on_return != "none":
        made.added(apply_groups(user, profile))
    if made != Made.of(record):
        record.made = made.as_json()
        record.save(update_fields=["made"])
    return user


def _must_be_allowed(user: AbstractBaseUser) -> None:
    refusal = Owner(user, proven=True).refusal
    if refusal:
        raise MigrationRefused(refusal)

"""The record of a pool user: what it says of the person, and what a sign-in writes on it."""

from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser
from django.db import router, transaction

from .. import connections
from ..cognito import CognitoProfile, Connection
from ..exceptions import MigrationConflict, MigrationRefused
from ..identifiers import MAX_LENGTH, Identifier, parse
from ..models import MigratedUser
from . import tombstones
from .decisions import Decision, opens
from .local_users import claimants_of
from .made import Made
from .tombstones import ERASED

Status = MigratedUser.Status
# A proven address whose pool record could not be used.
UNUSABLE = "pool_record_unusable"
# Refusals after which what a human decided still holds: the person came, but without the proof that was asked for.
_STILL_DECIDED = "address_not_proven"


def profile_of(row: MigratedUser) -> CognitoProfile:
    """The profile of an imported pool user."""
    return CognitoProfile.from_claims(
        {
            **row.attributes,
            "sub": row.sub,
            "cognito:username": row.username,
            "email": row.email,
            "phone_number": row.phone_number,
        },
        pool=row.pool,
        scope=("openid", "profile", "email", "phone"),
    )


def has_second_factor(row: MigratedUser) -> bool:
    """Whether the pool asked this person for one, as far as the import could see."""
    return bool(row.attributes.get("cognito:mfa_enabled") == "true")


def is_verified(profile: CognitoProfile, address: str) -> bool:
    """Whether the pool says that this address of the profile is verified."""
    email, phone = profile.email_verified, profile.phone_number_verified
    return bool(address) and ((address == profile.email and email) or (address == profile.phone_number and phone))


def is_theirs(row: MigratedUser, address: Identifier) -> bool:
    """Whether a pool record belongs to whoever has just proven the address to us.

    It does if the pool had the address verified: otherwise whoever wrote it there, and may still sign in there, would
    be linked to the account of the person who proved it. Or if a human says so, or it was theirs until an undo.
    """
    if not row.awaits_proof:
        if row.status in {Status.MIGRATED, Status.EXCLUDED}:
            return False
        if opens(row, address.value):
            return True
        if row.status != Status.PENDING:
            return False
    verified = is_verified(profile_of(row), address.value)
    if row.user is None:
        return verified
    claimants = claimants_of(address)
    return row.user in claimants and (verified or claimants[row.user])


def settle(
    record: MigratedUser,
    profile: CognitoProfile,
    connection: Connection,
    user: AbstractBaseUser,
    made: Made,
    *,
    method: MigratedUser.Method,
    now: datetime,
) -> None:
    """Links the pool user to the Django user, for allauth too, and writes down that they are migrated."""
    _, added = SocialAccount.objects.get_or_create(
        provider=connection.alias,
        uid=profile.sub,
        defaults={"user_id": user.pk, "extra_data": {"pool": profile.pool, "sub": profile.sub}},
    )
    made.account = made.account or added
    record.connection, record.username = connection.alias, profile.username[:MAX_LENGTH] or record.username
    email, phone = _addresses(profile)
    record.email, record.phone_number = email or record.email, phone or record.phone_number
    record.attributes = {**record.attributes, **_verified(profile, method)}
    record.status, record.method, record.last_error = Status.MIGRATED, method, ""
    record.user_id, record.migrated_at, record.active_at = user.pk, now, now
    record.made, record.decision = made.as_json(), None
    record.save()


def _addresses(profile: CognitoProfile) -> tuple[str, str]:
    """The e-mail address and the number. What was proven counts where the connection's scope kept it from us."""
    email = profile.email or next((address for address in profile.proven if "@" in address), "")
    return email, profile.phone_number or next((address for address in profile.proven if "@" not in address), "")


def _verified(profile: CognitoProfile, method: MigratedUser.Method) -> dict[str, str]:
    """What the pool says of the addresses, as an import would have kept it: after an undo, the person may prove
    themselves to us by an address that was theirs in the pool as well. A code of the pool's own shows the same."""
    by_pool = profile.proven if method == MigratedUser.Method.COGNITO_OTP else frozenset[str]()
    email, phone = _addresses(profile)
    flags = {
        "email_verified": is_verified(profile, email) or email in by_pool,
        "phone_number_verified": is_verified(profile, phone) or phone in by_pool,
    }
    return {name: "true" for name, verified in flags.items() if verified}


def rest_of_person(record: MigratedUser, profile: CognitoProfile) -> list[tuple[MigratedUser, Connection]]:
    """The other pool users whom a human called the same person, now that the address they share has been proven.

    Only those whose address their pool had verified too: whoever wrote it there without may be somebody else.
    """
    decision = Decision.of(record)
    if decision is None or decision.choice != "merge" or decision.address not in profile.proven:
        return []
    rows = MigratedUser.objects.select_for_update().filter(pk__in=decision.rows).exclude(pk=record.pk).order_by("pk")
    found = []
    for row in rows:
        theirs, connection = Decision.of(row), connections.configured(row.connection)
        agreed = theirs is not None and theirs.rows == decision.rows and row.status != Status.MIGRATED
        verified = row.pool_enabled and is_verified(profile_of(row), decision.address)
        if agreed and verified and connection is not None and connection.pool == row.pool:
            found.append((row, connection))
    return found


def record_refusal(
    profile: CognitoProfile, connection: Connection | None, refusal: MigrationRefused, now: datetime
) -> None:
    """Puts the case before a human, where there is one to decide. Of somebody who is erased, nothing is written but
    that they came."""
    if refusal.reason == ERASED:
        tombstones.turn_away(profile.pool, profile.sub, now=now)
        return
    if connection is None:
        if refusal.reason == UNUSABLE:
            _record_unusable(profile)
        return
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        _write_refusal(profile, connection, refusal, now)
        # An erasure may have come between: the insert has waited for it, so it is seen by now.
        if not tombstones.keep_out(profile.pool, [profile.sub]):
            return
    tombstones.turn_away(profile.pool, profile.sub, now=now)


def _write_refusal(profile: CognitoProfile, connection: Connection, refusal: MigrationRefused, now: datetime) -> None:
    MigratedUser.objects.bulk_create(
        [
            MigratedUser(
                connection=connection.alias,
                pool=profile.pool,
                sub=profile.sub,
                username=profile.username[:MAX_LENGTH],
                email=profile.email[:MAX_LENGTH],
                phone_number=profile.phone_number[:32],
            )
        ],
        ignore_conflicts=True,
    )
    conflict = isinstance(refusal, MigrationConflict)
    written: dict[str, Any] = {
        "status": Status.CONFLICT if conflict else Status.FAILED,
        "last_error": refusal.reason,
        "active_at": now,
    }
    if refusal.reason != _STILL_DECIDED:
        written["decision"] = None
    rows = MigratedUser.objects.filter(pool=profile.pool, sub=profile.sub)
    rows.exclude(status__in=[Status.MIGRATED, Status.EXCLUDED]).update(**written)


def _record_unusable(profile: CognitoProfile) -> None:
    for address in profile.proven:
        carried = {"email": address} if "@" in address else {"phone_number": address}
        rows = MigratedUser.objects.filter(**carried, status=Status.PENDING, pool_enabled=True)
        # Whoever's record has become usable since it was looked at comes in the next time.
        unusable = [row.pk for row in rows if not is_theirs(row, parse(address))]
        rows.filter(pk__in=unusable).update(status=Status.CONFLICT, last_error=UNUSABLE)

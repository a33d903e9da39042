"""Reads and writes the records of pool users: what they say of a person, and what a sign-in changes in them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser
from django.db import router, transaction
from django.db.models import Q

from ... import connections
from ...cognito import CognitoProfile, Connection
from ...conf import conf
from ...exceptions import MigrationConflict, MigrationRefused
from ...identifiers import MAX_LENGTH, Identifier, known
from ...identity import (
    Action,
    Claim,
    Evidence,
    Held,
    Policy,
    PoolUser,
    Record,
    Refusal,
    State,
    Verdict,
    judge,
    pool_users,
)
from ...identity.addresses import Channel, channel_of
from ...models import MigratedUser
from . import owners, tombstones, user_names
from .changes import MigrationChanges
from .decisions import Decision
from .tombstones import ERASED

Status = MigratedUser.Status
# A proven address whose pool record could not be used.
UNUSABLE = "pool_record_unusable"
# The pool's status of people who sign in by another provider: the pool sends them no code.
FEDERATED = "EXTERNAL_PROVIDER"
# A refusal after which an operator's decision still holds: the person came without the proof that it asks for.
_STILL_DECIDED = "address_not_proven"
# Records that another pool user of the same person does not bring along.
_SETTLED = {Status.MIGRATED, Status.GONE}
_SPELLING_OF = {"email_key": "email", "phone_key": "phone_number"}
# Raw SQL, because every right code runs it: the ORM takes longer to compile the query than the query takes.
MOST = 10
_KNOWN = f"SELECT * FROM {MigratedUser._meta.db_table} WHERE {{}} = %s ORDER BY id LIMIT {MOST}"  # noqa: S608
_BY_EMAIL, _BY_NUMBER = _KNOWN.format("email_key"), _KNOWN.format("phone_key")
# The states in which a pool lets nobody sign in, as causes.
_NOT_ADMITTED = {"UNCONFIRMED": "unconfirmed", "ARCHIVED": "archived"}


def carrying(address: Identifier) -> list[MigratedUser]:
    """The records with this address, in any status. One statement, or two if there are many: an attacker can write an
    address into a pool often, and must not hide the person for whom the pool verified it."""
    if address.is_user_name:
        return user_names.carrying(address)
    by_email = address.channel == "email"
    rows = list(MigratedUser.objects.raw(_BY_EMAIL if by_email else _BY_NUMBER, [address.value]))
    if len(rows) < MOST:
        return rows
    key, verified = ("email_key", "email_verified") if by_email else ("phone_key", "phone_number_verified")
    strong = Q(**{f"attributes__{verified}": "true"}) | Q(decision__isnull=False)
    first = list(MigratedUser.objects.filter(strong, **{key: address.value}).order_by("pk")[:MOST])
    return [*first, *(row for row in rows if row not in first)]


def as_pool_users(rows: Sequence[MigratedUser], address: Identifier) -> list[PoolUser]:
    """Records with an address, as the rules need them."""
    # After an undo or a bulk activation, what the record's account says of the address counts too.
    with_account = {row.pk for row in rows if row.user_id is not None and _state(row) is not State.CAME}
    holders = owners.find_accounts({address: Claim.PROVEN}, everything=True).holders if with_account else []
    held = {holder.account: holder.addresses[address.value] for holder in holders}
    users = []
    for row in rows:
        decision = Decision.of(row)
        spelling = row.email if address.channel == "email" else row.phone_number
        spelling = row.username if address.is_user_name else spelling
        carried = held.get(row.user_id) if row.pk in with_account else None
        users.append(
            PoolUser(
                key=row.pk,
                state=_state(row),
                verified=address.value in row.verified_keys or carried is Held.VERIFIED,
                opposed=row.pk in with_account and carried is None,
                wanted=is_wanted(row, address),
                enabled=row.pool_enabled,
                federated=row.pool_status == FEDERATED,
                as_typed=not address.spelling or spelling == address.spelling,
                merged=decision.rows if decision is not None and decision.choice == "merge" else (),
            )
        )
    return users


def _state(row: MigratedUser) -> State:
    if row.status == Status.EXCLUDED:
        return State.OUT
    if row.status == Status.GONE:
        return State.GONE
    if row.status == Status.MIGRATED and not row.awaits_proof:
        return State.CAME
    return State.CASE if row.status in {Status.CONFLICT, Status.FAILED} else State.WAITING


def not_admitted(row: MigratedUser) -> str:
    """Why the pool itself keeps this pool user out, as far as the last import knows; empty if it does not."""
    return _NOT_ADMITTED.get(row.pool_status, "" if row.pool_enabled else "disabled")


def meant(rows: Sequence[MigratedUser], address: Identifier) -> MigratedUser | pool_users.NoMatch:
    """The pool user for whom the pool is asked to send a code."""
    found = pool_users.meant(as_pool_users(rows, address))
    return found if isinstance(found, pool_users.NoMatch) else _row(rows, found)


def proven(rows: Sequence[MigratedUser], address: Identifier) -> list[MigratedUser]:
    """The pool users of a person who has just proven the address to us; the sign-in is as the first."""
    return [_row(rows, user) for user in pool_users.proven(as_pool_users(rows, address))]


def keeps_out(rows: Sequence[MigratedUser], address: Identifier) -> bool:
    """Whether a person who proved the address to us, and is none of these, is refused a new account."""
    return pool_users.keeps_out(as_pool_users(rows, address))


def by_our_code(address: Identifier) -> tuple[Verdict, owners.Accounts]:
    """The verdict on a person who proves this address by a code of ours: judged by the accounts that carry it, or by a
    migrated pool user whose pool verified it."""
    verdict, accounts = owners.owner_by_code(address)
    if verdict.action is Action.ENTER or not accounts.holders:
        return verdict, accounts
    # An account with another verified address belongs to the person who proved that one; this one may be reassigned.
    open_to = {holder.account for holder in accounts.holders if not holder.is_proven_elsewhere(address.value)}
    for row in carrying(address):
        if row.user_id in open_to and _state(row) is State.CAME and address.value in row.verified_keys:
            proof = {address.value: Claim.PROVEN}
            evidence = Evidence(proof, in_pool=True, by_our_code=True, record=Record.MIGRATED, account=row.user_id)
            return judge(evidence, accounts.holders, Policy(staff_sign_in=conf.staff_sign_in)), accounts
    return verdict, accounts


def is_wanted(row: MigratedUser, address: Identifier) -> bool:
    """Whether an operator decided that a proof of this address is enough for this pool user."""
    decision = Decision.of(row)
    return decision is not None and decision.address == address.value


def was_deleted(rows: Sequence[MigratedUser], address: Identifier) -> bool:
    """Whether this was the address of a migrated person whose Django user has been deleted."""
    gone = [row for row in rows if row.status == Status.MIGRATED and row.user_id is None]
    return any(address.value in row.verified_keys for row in gone)


def _row(rows: Sequence[MigratedUser], user: PoolUser) -> MigratedUser:
    return next(row for row in rows if row.pk == user.key)


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
    """Whether the pool asks this person for a second factor, as far as the import could see."""
    return bool(row.attributes.get("cognito:mfa_enabled") == "true")


def claims_of(profile: CognitoProfile) -> dict[Identifier, Claim]:
    """The addresses of a person that have a key, each with its strongest claim."""
    written = {
        profile.email: Claim.BY_POOL if profile.email_verified else Claim.WRITTEN,
        profile.phone_number: Claim.BY_POOL if profile.phone_number_verified else Claim.WRITTEN,
        **dict.fromkeys(profile.proven, Claim.PROVEN),
    }
    found: dict[Identifier, Claim] = {}
    for spelling, claim in sorted(written.items()):
        address = known(spelling)
        if address is not None:
            found[address] = max(claim, found.get(address, claim))
    return found


def settle(
    record: MigratedUser,
    profile: CognitoProfile,
    connection: Connection,
    user: AbstractBaseUser,
    changes: MigrationChanges,
    *,
    method: MigratedUser.Method,
    now: datetime,
) -> None:
    """Links the pool user to the Django user, for allauth too, and records them as migrated."""
    account = {"provider": connection.alias, "uid": profile.sub}
    identity = {"pool": profile.pool, "sub": profile.sub}
    _, added = SocialAccount.objects.get_or_create(**account, defaults={"user_id": user.pk, "extra_data": identity})
    if changes.account and not added:
        # allauth's hooks created it and have read what the pool said: none of that is kept.
        SocialAccount.objects.filter(**account).update(extra_data=identity)
    changes.account = changes.account or added
    # A proven address counts even if the connection's scope kept the pool's own from us.
    proven = {channel_of(address): address for address in profile.proven}
    email = profile.email or proven.get(Channel.EMAIL, "")
    phone = profile.phone_number or proven.get(Channel.SMS, "")
    # What the pool has verified, as an import would have written it: after an undo, a proof of it to us is enough. A
    # code of the pool's own shows the same.
    by_pool = profile.proven if method == MigratedUser.Method.COGNITO_OTP else frozenset[str]()
    if (profile.email_verified and email == profile.email) or email in by_pool:
        record.attributes = {**record.attributes, "email_verified": "true"}
    if (profile.phone_number_verified and phone == profile.phone_number) or phone in by_pool:
        record.attributes = {**record.attributes, "phone_number_verified": "true"}
    record.connection, record.username = connection.alias, profile.username[:MAX_LENGTH] or record.username
    record.email, record.phone_number = email or record.email, phone or record.phone_number
    record.status, record.method, record.last_error = Status.MIGRATED, method, ""
    record.user_id, record.migrated_at, record.active_at = user.pk, now, now
    record.changes, record.decision = changes.as_json(), None
    record.save()


def others_of_person(record: MigratedUser, proven_keys: Collection[str]) -> list[tuple[MigratedUser, Connection]]:
    """The other pool users of a person who has proven these addresses: those whose pool verified one of them too, in
    the same spelling, and those that an operator called the same person.

    An address that the pool did not verify may have been written by another person. Records that an operator should
    look at first are left out too.
    """
    decision = Decision.of(record)
    named = decision.rows if decision is not None and decision.choice == "merge" else ()
    keys = {"email_key": record.email_key, "phone_key": record.phone_key}
    shared = {} if named else {f: key for f, key in keys.items() if key in record.verified_keys and key in proven_keys}
    spellings = [_SPELLING_OF[field] for field in shared]
    wanted = Q(pk__in=named)
    for field, key in shared.items():
        wanted |= Q(**{field: key})
    others = []
    for row in MigratedUser.objects.select_for_update().filter(wanted).exclude(pk=record.pk).order_by("pk"):
        theirs, connection = Decision.of(row), connections.configured(row.connection)
        if named:
            agreed = theirs is not None and theirs.rows == named and row.status not in _SETTLED
        else:
            is_spelled_alike = any(getattr(row, field) == getattr(record, field) for field in spellings)
            agreed = row.status == Status.PENDING and theirs is None and is_spelled_alike
        verified = bool(row.verified_keys & set(proven_keys))
        if agreed and verified and row.pool_enabled and connection is not None and connection.pool == row.pool:
            others.append((row, connection))
    return others


def record_refusal(
    profile: CognitoProfile, connection: Connection | None, refusal: MigrationRefused, now: datetime
) -> None:
    """Records a refused sign-in as a case for an operator, if there is one to decide. Of an erased person only the
    attempt is recorded."""
    if refusal.reason == ERASED:
        tombstones.record_return(profile.pool, profile.sub, now=now)
        return
    if connection is None:
        for address in claims_of(profile) if refusal.reason == UNUSABLE else ():
            rows = carrying(address)
            # A record that has become usable meanwhile is entered at the next sign-in.
            unusable = {row.pk for row in rows if row.status == Status.PENDING} - {r.pk for r in proven(rows, address)}
            cases = MigratedUser.objects.filter(pk__in=unusable, pool_enabled=True)
            cases.update(status=Status.CONFLICT, last_error=UNUSABLE)
        return
    record = MigratedUser(
        connection=connection.alias,
        pool=profile.pool,
        sub=profile.sub,
        username=profile.username[:MAX_LENGTH],
        email=profile.email[:MAX_LENGTH],
        phone_number=profile.phone_number[:32],
    )
    status = Status.CONFLICT if isinstance(refusal, MigrationConflict) else Status.FAILED
    written: dict[str, Any] = {"status": status, "last_error": refusal.reason, "active_at": now}
    if refusal.reason != _STILL_DECIDED:
        written["decision"] = None
    final = [Status.MIGRATED, Status.EXCLUDED, *([Status.GONE] if refusal.reason == Refusal.GONE else [])]
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        MigratedUser.objects.bulk_create([record.set_keys()], ignore_conflicts=True)
        rows_of_person = MigratedUser.objects.filter(pool=profile.pool, sub=profile.sub)
        rows_of_person.exclude(status__in=final).update(**written)
        # An erasure may have committed meanwhile: the insert has waited for it, so its tombstone is visible now.
        if not tombstones.delete_erased(profile.pool, [profile.sub]):
            return
    tombstones.record_return(profile.pool, profile.sub, now=now)

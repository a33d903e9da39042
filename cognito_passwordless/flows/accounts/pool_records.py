"""The record of a pool user: what it says of the person, and what a sign-in writes on it."""

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
from . import owners, tombstones
from .changes import MigrationChanges
from .decisions import Decision
from .tombstones import ERASED

Status = MigratedUser.Status
# A proven address whose pool record could not be used.
UNUSABLE = "pool_record_unusable"
# The pool's word for whoever signs in by another provider: they have no code of the pool's own.
FEDERATED = "EXTERNAL_PROVIDER"
# Refusals after which what a human decided still holds: the person came, but without the proof that was asked for.
_STILL_DECIDED = "address_not_proven"
# Whom another pool user of the same person does not bring along.
_SETTLED = {Status.MIGRATED, Status.GONE}
# As text, for every right code asks it: the ORM takes longer to write it than all the rest of it takes.
MOST = 10
_KNOWN = f"SELECT * FROM {MigratedUser._meta.db_table} WHERE {{}} = %s ORDER BY id LIMIT {MOST}"  # noqa: S608
_BY_EMAIL, _BY_NUMBER = _KNOWN.format("email_key"), _KNOWN.format("phone_key")


def carrying(address: Identifier) -> list[MigratedUser]:
    """The records with this address, however far they have come. One statement, or two where there are many: anybody
    can write an address into a pool often, and must not hide whoever the pool verified it for."""
    by_email = address.channel == "email"
    rows = list(MigratedUser.objects.raw(_BY_EMAIL if by_email else _BY_NUMBER, [address.value]))
    if len(rows) < MOST:
        return rows
    key, verified = ("email_key", "email_verified") if by_email else ("phone_key", "phone_number_verified")
    strong = Q(**{f"attributes__{verified}": "true"}) | Q(decision__isnull=False)
    first = list(MigratedUser.objects.filter(strong, **{key: address.value}).order_by("pk")[:MOST])
    return [*first, *(row for row in rows if row not in first)]


def as_pool_users(rows: Sequence[MigratedUser], address: Identifier) -> list[PoolUser]:
    """Records with an address, as the rules want to know them."""
    return [_pool_user(row, address) for row in rows]


def _pool_user(row: MigratedUser, address: Identifier) -> PoolUser:
    decision = Decision.of(row)
    spelling = row.email if address.channel == "email" else row.phone_number
    # An undone migration, or a bulk activation: what their account says of the address counts too.
    state, carried = _state(row), None
    has_account = row.user_id is not None and state is not State.CAME
    if has_account:
        carried = _on_their_account(row, address)
    return PoolUser(
        key=row.pk,
        state=state,
        verified=address.value in row.verified_keys or carried is Held.VERIFIED,
        opposed=has_account and carried is None,
        wanted=is_wanted(row, address),
        enabled=row.pool_enabled,
        federated=row.pool_status == FEDERATED,
        as_typed=not address.spelling or spelling == address.spelling,
        merged=decision.rows if decision is not None and decision.choice == "merge" else (),
    )


def _on_their_account(row: MigratedUser, address: Identifier) -> Held | None:
    holders = owners.find_accounts({address: Claim.PROVEN}, everything=True).holders
    return next((holder.addresses[address.value] for holder in holders if holder.account == row.user_id), None)


def _state(row: MigratedUser) -> State:
    if row.status == Status.EXCLUDED:
        return State.OUT
    if row.status == Status.GONE:
        return State.GONE
    if row.status == Status.MIGRATED and not row.awaits_proof:
        return State.CAME
    return State.CASE if row.status in {Status.CONFLICT, Status.FAILED} else State.WAITING


def meant(rows: Sequence[MigratedUser], address: Identifier) -> MigratedUser | pool_users.Nobody:
    """The pool user whom the pool is asked to send a code for."""
    found = pool_users.meant(as_pool_users(rows, address))
    return found if isinstance(found, pool_users.Nobody) else _row(rows, found)


def proven(rows: Sequence[MigratedUser], address: Identifier) -> list[MigratedUser]:
    """The pool users of somebody who has just proven the address to us, the one to come in as first."""
    return [_row(rows, user) for user in pool_users.proven(as_pool_users(rows, address))]


def keeps_out(rows: Sequence[MigratedUser], address: Identifier) -> bool:
    """Whether somebody who proved the address to us, and is none of these, may not get another account instead."""
    return pool_users.keeps_out(as_pool_users(rows, address))


def by_our_code(address: Identifier) -> tuple[Verdict, owners.Accounts]:
    """What a code of ours to this address would come to, as far as somebody is known who has it: an account, by its
    own word or by a pool user's who came into it, and whose pool verified the address."""
    verdict, accounts = owners.owner_by_code(address)
    if verdict.action is Action.ENTER or not accounts.holders:
        return verdict, accounts
    came = [row for row in carrying(address) if _state(row) is State.CAME and address.value in row.verified_keys]
    # An account with another verified address is whoever's proved that one: this address may have a new owner.
    open_to = {holder.account for holder in accounts.holders if not holder.is_proven_elsewhere(address.value)}
    for row in came:
        if row.user_id in open_to:
            evidence = Evidence(
                {address.value: Claim.PROVEN},
                in_pool=True,
                by_our_code=True,
                record=Record.MIGRATED,
                account=row.user_id,
            )
            return judge(evidence, accounts.holders, Policy(staff_sign_in=conf.staff_sign_in)), accounts
    return verdict, accounts


def is_wanted(row: MigratedUser, address: Identifier) -> bool:
    """Whether a human has said that a proof of this address is enough for this pool user."""
    decision = Decision.of(row)
    return decision is not None and decision.address == address.value


def is_welcome(row: MigratedUser) -> bool:
    """Whether the site wants whoever proves an address of this pool user, although nobody may sign up."""
    return row.pool_enabled and row.status in {Status.PENDING, Status.MIGRATED}


def was_deleted(rows: Sequence[MigratedUser], address: Identifier) -> bool:
    """Whether this was the address of somebody whose Django user has been deleted since."""
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
    """Whether the pool asked this person for one, as far as the import could see."""
    return bool(row.attributes.get("cognito:mfa_enabled") == "true")


def claims_of(profile: CognitoProfile) -> dict[Identifier, Claim]:
    """The addresses of a person that have a key, each with what speaks for it."""
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
    """Links the pool user to the Django user, for allauth too, and writes down that they are migrated."""
    account = {"provider": connection.alias, "uid": profile.sub}
    told = {"pool": profile.pool, "sub": profile.sub}
    _, added = SocialAccount.objects.get_or_create(**account, defaults={"user_id": user.pk, "extra_data": told})
    if changes.account and not added:
        # allauth's hooks have made it and have seen what the pool said: none of that is kept.
        SocialAccount.objects.filter(**account).update(extra_data=told)
    changes.account = changes.account or added
    record.connection, record.username = connection.alias, profile.username[:MAX_LENGTH] or record.username
    email, phone = _addresses(profile)
    record.email, record.phone_number = email or record.email, phone or record.phone_number
    record.attributes = {**record.attributes, **_verified(profile, method)}
    record.status, record.method, record.last_error = Status.MIGRATED, method, ""
    record.user_id, record.migrated_at, record.active_at = user.pk, now, now
    record.changes, record.decision = changes.as_json(), None
    record.save()


def _addresses(profile: CognitoProfile) -> tuple[str, str]:
    """The e-mail address and the number. What was proven counts where the connection's scope kept it from us."""
    proven = {channel_of(address): address for address in profile.proven}
    return profile.email or proven.get(Channel.EMAIL, ""), profile.phone_number or proven.get(Channel.SMS, "")


def _verified(profile: CognitoProfile, method: MigratedUser.Method) -> dict[str, str]:
    """What the pool says of the addresses, as an import would have kept it: after an undo, the person may prove
    themselves to us by an address that was theirs in the pool as well. A code of the pool's own shows the same."""
    by_pool = profile.proven if method == MigratedUser.Method.COGNITO_OTP else frozenset[str]()
    email, phone = _addresses(profile)
    flags = {
        "email_verified": (profile.email_verified and email == profile.email) or email in by_pool,
        "phone_number_verified": (profile.phone_number_verified and phone == profile.phone_number) or phone in by_pool,
    }
    return {name: "true" for name, verified in flags.items() if verified}


def others_of_person(record: MigratedUser, proven_keys: Collection[str]) -> list[tuple[MigratedUser, Connection]]:
    """The other pool users of somebody who has proven these addresses: those whose pool verified one of them too, in
    the same spelling, and those whom a human called the same person.

    Whoever wrote the address there without may be somebody else, and so may those that a human should look at first.
    """
    decision = Decision.of(record)
    named = decision.rows if decision is not None and decision.choice == "merge" else ()
    keys = {"email_key": record.email_key, "phone_key": record.phone_key}
    shared = {field: key for field, key in keys.items() if key and key in proven_keys and key in record.verified_keys}
    rows = MigratedUser.objects.select_for_update().exclude(pk=record.pk).order_by("pk")
    found = []
    for row in rows.filter(pk__in=named) if named else _sharing(rows, shared):
        theirs, connection = Decision.of(row), connections.configured(row.connection)
        if named:
            agreed = theirs is not None and theirs.rows == named and row.status not in _SETTLED
        else:
            agreed = row.status == Status.PENDING and theirs is None and _is_spelled_alike(row, record, shared)
        verified = bool(row.verified_keys & set(proven_keys))
        if agreed and verified and row.pool_enabled and connection is not None and connection.pool == row.pool:
            found.append((row, connection))
    return found


def _sharing(rows: Any, shared: dict[str, str]) -> Any:
    found = rows.none()
    for field, key in shared.items():
        found |= rows.filter(**{field: key})
    return found


def _is_spelled_alike(row: MigratedUser, record: MigratedUser, shared: Collection[str]) -> bool:
    return ("email_key" in shared and row.email == record.email) or (
        "phone_key" in shared and row.phone_number == record.phone_number
    )


def record_refusal(
    profile: CognitoProfile, connection: Connection | None, refusal: MigrationRefused, now: datetime
) -> None:
    """Puts the case before a human, where there is one to decide. Of somebody who is erased, nothing is written but
    that they came."""
    if refusal.reason == ERASED:
        tombstones.record_return(profile.pool, profile.sub, now=now)
        return
    if connection is None:
        if refusal.reason == UNUSABLE:
            _record_unusable(profile)
        return
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        _write_refusal(profile, connection, refusal, now)
        # An erasure may have come between: the insert has waited for it, so it is seen by now.
        if not tombstones.delete_erased(profile.pool, [profile.sub]):
            return
    tombstones.record_return(profile.pool, profile.sub, now=now)


def _write_refusal(profile: CognitoProfile, connection: Connection, refusal: MigrationRefused, now: datetime) -> None:
    record = MigratedUser(
        connection=connection.alias,
        pool=profile.pool,
        sub=profile.sub,
        username=profile.username[:MAX_LENGTH],
        email=profile.email[:MAX_LENGTH],
        phone_number=profile.phone_number[:32],
    )
    MigratedUser.objects.bulk_create([record.set_keys()], ignore_conflicts=True)
    conflict = isinstance(refusal, MigrationConflict)
    written: dict[str, Any] = {
        "status": Status.CONFLICT if conflict else Status.FAILED,
        "last_error": refusal.reason,
        "active_at": now,
    }
    if refusal.reason != _STILL_DECIDED:
        written["decision"] = None
    rows = MigratedUser.objects.filter(pool=profile.pool, sub=profile.sub)
    left = [Status.MIGRATED, Status.EXCLUDED, *([Status.GONE] if refusal.reason == Refusal.GONE else [])]
    rows.exclude(status__in=left).update(**written)


def _record_unusable(profile: CognitoProfile) -> None:
    for address in claims_of(profile):
        rows = carrying(address)
        # Whoever's record has become usable since it was looked at comes in the next time.
        unusable = {row.pk for row in rows if row.status == Status.PENDING} - {r.pk for r in proven(rows, address)}
        MigratedUser.objects.filter(pk__in=unusable, pool_enabled=True).update(
            status=Status.CONFLICT, last_error=UNUSABLE
        )

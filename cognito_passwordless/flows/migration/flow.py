"""From a proven profile to the one Django user: every route ends here (laws 6, 7, 8).

A pool person is (pool, sub). Their record is inserted first and locked, so that two first sign-ins at once wait for
each other and give one user. `identity` judges who the person is; this module reads the facts and carries the verdict
out, in one transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from allauth.socialaccount.models import SocialLogin
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, router, transaction
from django.http import HttpRequest

from ... import connections
from ...cognito import CognitoProfile, Connection
from ...conf import conf
from ...exceptions import JoinOffered, MigrationConflict, MigrationRefused, SecondFactorNeeded
from ...identifiers import Identifier, known
from ...identity import Action, Claim, Conflict, Evidence, Policy, Record, Refusal, Verdict, channel_of, judge
from ...models import SUB_LENGTH, MigratedUser
from ...signals import user_migrated
from ..accounts import locking, owners, pool_records, takeover, tombstones
from ..accounts.attributes import apply_groups, fill
from ..accounts.changes import MigrationChanges
from ..accounts.decisions import Decision
from ..accounts.new_users import SignUp, reason_of
from ..challenges import attempts
from ..pool_sync import outbox
from . import returning

Status = MigratedUser.Status
_FINAL: dict[str, Record] = {Status.EXCLUDED: Record.EXCLUDED, Status.GONE: Record.GONE}
TRIES = 3  # two sign-ins at once can collide on a unique address; the second one looks again


@dataclass(frozen=True, slots=True)
class Migrated:
    """The Django user of a proven person.

    ``created``: there was none before. ``record`` is None for a person who was in no pool; ``just_now``: this sign-in
    migrated them. ``signed_up``: the first sign-in as this user, created now or by a bulk activation. ``left_out``:
    for the timeline, why an address of theirs was not given to the user: another account has it.
    """

    user: AbstractBaseUser
    created: bool
    record: MigratedUser | None = None
    just_now: bool = False
    signed_up: bool = False
    left_out: str = ""


def migrate(
    profile: CognitoProfile,
    *,
    connection: Connection | None,
    method: MigratedUser.Method,
    now: datetime,
    request: HttpRequest | None = None,
    login: SocialLogin | None = None,
    shown: Collection[Any] = (),
    declined: Collection[Any] = (),
    alone: bool = False,
) -> Migrated:
    """Finds or creates the Django user of ``profile``; ``connection`` is None for a person who was in no pool.

    The profile must have been proven in this sign-in. ``shown`` and ``declined``: accounts whose second factor the
    person has shown, or cannot show; ``alone``: they do not want to join an existing account. ``request``, and
    ``login`` after a hosted one, are passed to allauth's hooks when a user is created.

    Raises `SecondFactorNeeded` and `JoinOffered`, which change nothing; `MigrationRefused`, and `MigrationConflict`
    after having recorded the case; and what else a hook raises, after which nothing has been written.
    """
    if connection is None:
        # Most sign-ins: an account that the person has already. It is only read, so there is nothing to try again.
        verdict, accounts = owners.owner_by_code(_proven_address(profile))
        if verdict.action is Action.ENTER:
            return Migrated(accounts.user_of(verdict), created=False)
    person = _Person(profile, method, now, frozenset(shown), frozenset(declined), SignUp(request, login), alone)
    return _enter(person, connection)


@locking.retry_on_deadlock
def _enter(person: "_Person", connection: Connection | None) -> Migrated:
    profile, now = person.profile, person.now
    enter = person.without_pool if connection is None else partial(person.with_pool, connection)
    try:
        return locking.retrying(TRIES, on=IntegrityError)(enter)()
    except (SecondFactorNeeded, JoinOffered):
        raise
    except MigrationRefused as refusal:
        pool_records.record_refusal(profile, connection, refusal, now)
        raise
    except (IntegrityError, DataError, ValidationError) as error:
        # A value does not fit, or a unique value of the site's own (a mapped attribute, say) is taken at every try.
        conflict = MigrationConflict(reason_of(error))
        pool_records.record_refusal(profile, connection, conflict, now)
        raise conflict from error


def _proven_address(profile: CognitoProfile) -> Identifier:
    """The one address that a code of ours has proven."""
    (address,) = filter(None, map(known, profile.proven))
    return address


@dataclass(frozen=True)
class _Person:
    profile: CognitoProfile
    method: MigratedUser.Method
    now: datetime
    shown: frozenset[Any]
    declined: frozenset[Any]
    sign_up: SignUp
    alone: bool

    def without_pool(self) -> Migrated:
        address = _proven_address(self.profile)
        with transaction.atomic(using=router.db_for_write(MigratedUser)):
            # A second proof of this address waits here, and then finds the user that the first one got. It is a write:
            # on SQLite, a transaction that begins with a read may not write once another one has written.
            attempts.lock_identifier(address.value)
            verdict, accounts = pool_records.by_our_code(address)
            if verdict.action is not Action.ENTER:
                rows, policy = pool_records.carrying(address), policy_of()
                # People of a pool may get an account although sign-up is closed.
                is_known = any(
                    row.status in {Status.PENDING, Status.MIGRATED} and not pool_records.not_admitted(row)
                    for row in rows
                )
                proof, welcome = {address.value: Claim.PROVEN}, conf.signup or is_known
                evidence = Evidence(proof, welcome=welcome, shown=self.shown, declined=self.declined)
                verdict = judge(evidence, accounts.holders, policy)
                if verdict.action is Action.CREATE:
                    if pool_records.keeps_out(rows, address) or pool_records.proven(rows, address):
                        raise MigrationRefused(pool_records.UNUSABLE)
                    if pool_records.was_deleted(rows, address) and not policy.deleted_may_return:
                        raise MigrationRefused(Refusal.USER_DELETED)
                    self._offer_join(verdict)
                    if not is_known:
                        self.sign_up.must_be_open(address)
            changes, sign_up = MigrationChanges(), self.sign_up
            user, created = carry_out(verdict, accounts, self.profile, [address], changes=changes, sign_up=sign_up)
            return Migrated(user, created, signed_up=created)

    def _offer_join(self, verdict: Verdict) -> None:
        """Raises `JoinOffered` if a hosted login would open an account that has the address written."""
        if self.alone or not verdict.owned:
            return
        records = MigratedUser.objects.filter(user_id__in=list(verdict.owned), status=Status.MIGRATED)
        for alias in sorted(set(records.values_list("connection", flat=True))):
            connection = connections.find(alias)
            if connection is not None and connection.active and "oidc" in connection.routes:
                raise JoinOffered(connection=alias)

    def with_pool(self, connection: Connection) -> Migrated:
        if len(self.profile.sub) > SUB_LENGTH:
            raise MigrationRefused("sub_too_long")
        with transaction.atomic(using=router.db_for_write(MigratedUser)):
            migrated, case = self._as_pool_person(connection)
        if case is not None:
            pool_records.record_refusal(self.profile, connection, MigrationConflict(case), self.now)
        return migrated

    def _as_pool_person(self, connection: Connection) -> tuple[Migrated, Conflict | None]:
        record = _locked_record(self.profile, connection)
        claims = pool_records.claims_of(self.profile)
        decision = Decision.of(record)
        returns = record.status == Status.MIGRATED and not record.awaits_proof
        if returns:
            accounts = owners.find_accounts(returning.looked_at(record, claims), own=record.user)
        else:
            carriers = owners.carriers_of(self.profile, connection, record)
            everything = decision is not None
            accounts = owners.find_accounts(claims, carriers=carriers, record=record, everything=everything)
        standing = Record.MIGRATED if returns else _FINAL.get(record.status)
        if standing is None:
            is_erased = tombstones.find_tombstone(self.profile.pool, self.profile.sub) is not None
            standing = Record.ERASED if is_erased else Record.OPEN
        by_our_code = self.method == MigratedUser.Method.LOCAL_OTP
        evidence = Evidence(
            {address.value: claim for address, claim in claims.items()},
            in_pool=True,
            record=standing,
            account=record.user_id if returns else None,
            decision=decision.as_rule() if decision else None,
            by_our_code=by_our_code,
            fewer_factors=by_our_code and decision is None and pool_records.has_second_factor(record),
            shown=self.shown,
            declined=self.declined,
        )
        verdict = judge(evidence, accounts.holders, policy_of(connection))
        if returns and verdict.action is Action.ENTER:
            left_out = returning.come_back(record, self.profile, claims, verdict, accounts, now=self.now)
            return Migrated(accounts.user_of(verdict), created=False, record=record, left_out=left_out), None
        if verdict.case is not None:
            return Migrated(accounts.user_of(verdict), created=False), verdict.case
        if verdict.action is Action.CREATE and verdict.joins and not evidence.proven and not self.alone:
            raise JoinOffered(address=min(verdict.joins, key=lambda address: (channel_of(address), address)))
        changes = MigrationChanges.load(record)
        was_activated = record.awaits_proof and changes.user
        user, created = carry_out(verdict, accounts, self.profile, claims, changes=changes, sign_up=self.sign_up)
        signed_up = created or (was_activated and user.last_login is None)
        changes.record_groups(apply_groups(user, self.profile))
        others = pool_records.others_of_person(record, evidence.proven)
        settled = [(record, self.profile, connection, changes)]
        settled += [(row, pool_records.profile_of(row), theirs, MigrationChanges.load(row)) for row, theirs in others]
        for row, profile, theirs, written in settled:
            pool_records.settle(row, profile, theirs, user, written, method=self.method, now=self.now)
            outbox.request_update(row, theirs, now=self.now)
        transaction.on_commit(
            lambda: user_migrated.send(sender=MigratedUser, user=user, migrated_user=record, created=created)
        )
        is_whole = not created or {*evidence.claims} <= verdict.gains | verdict.writes
        left_out = "" if is_whole else "address_dropped"
        return Migrated(user, created, record, just_now=True, signed_up=signed_up, left_out=left_out), None


def carry_out(
    verdict: Verdict,
    accounts: owners.Accounts,
    profile: CognitoProfile,
    addresses: Collection[Identifier],
    *,
    changes: MigrationChanges,
    sign_up: SignUp = SignUp(),  # noqa: B008  (frozen)
) -> tuple[AbstractBaseUser, bool]:
    """The user of a verdict, and whether it was created. What is written is recorded in ``changes``. Raises
    `MigrationConflict`, `MigrationRefused` and `SecondFactorNeeded` if the verdict lets the person into no account,
    and whatever the hooks of ``sign_up`` raise."""
    match verdict.action:
        case Action.CONFLICT:
            raise MigrationConflict(str(verdict.reason))
        case Action.REFUSE:
            raise MigrationRefused(str(verdict.reason))
        case Action.ASK_SECOND_FACTOR:
            raise SecondFactorNeeded(accounts.user_of(verdict))
        case Action.CREATE:
            return takeover.create(profile, addresses, verdict, sign_up, changes), True
    user = accounts.user_of(verdict)
    gained = [address for address in addresses if address.value in verdict.gains]
    if verdict.action is Action.TAKE_OVER:
        proven = [known(spelling) for spelling in profile.proven]
        takeover.take_over(user, next(address for address in gained if address in proven))
    takeover.give(user, gained)
    fill(user, profile, changes, policy="empty")
    return user, False


def policy_of(connection: Connection | None = None) -> Policy:
    """What the settings and the connection allow."""
    return Policy(
        staff_sign_in=conf.staff_sign_in,
        deleted_may_return=conf.deleted_user_returns == "new_user",
        trust_verified=connection is not None and connection.trust_verified,
    )


def _locked_record(profile: CognitoProfile, connection: Connection) -> MigratedUser:
    # The insert comes first: PostgreSQL makes the second of two wait for it, SQLite takes its write lock by it.
    rows = MigratedUser.objects.using(router.db_for_write(MigratedUser))
    record = None
    while record is None:  # an erasure may delete the row between the two
        rows.bulk_create(
            [MigratedUser(connection=connection.alias, pool=profile.pool, sub=profile.sub)], ignore_conflicts=True
        )
        record = rows.select_for_update().filter(pool=profile.pool, sub=profile.sub).first()
    return record

"""From a proven profile to the one Django user: every route ends here (laws 6, 7, 8).

A pool person is (pool, sub). Their row is written first and locked, so two first sign-ins at once meet on it and give
one user. Who they are is judged by `identity`; here the facts are read and the verdict is carried out, in one
transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

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
from ...identity import Action, Claim, Conflict, Evidence, Policy, Record, Refusal, Verdict, judge
from ...models import SUB_LENGTH, MigratedUser
from ...signals import user_migrated
from ..accounts import locking, owners, pool_records, takeover, tombstones
from ..accounts.attributes import apply_groups, fill
from ..accounts.changes import Made
from ..accounts.decisions import Decision
from ..accounts.new_users import SignUp, reason_of
from ..challenges import attempts
from ..pool_sync import outbox
from . import returning

Status = MigratedUser.Status
TRIES = 3  # two people at once can meet on a unique address; whoever comes second looks again


@dataclass(frozen=True, slots=True)
class Migrated:
    """The Django user of a proven person; ``created`` when there was none. ``record`` is None for somebody who never
    was in a pool; ``just_now`` says that they left it in this sign-in. ``signed_up``: nobody has come in as this user
    before, who was made now or by a bulk activation. ``left_out``: for the timeline, why an address of theirs did not
    become theirs: it is somebody else's."""

    user: AbstractBaseUser
    created: bool
    record: MigratedUser | None = None
    just_now: bool = False
    signed_up: bool = False
    left_out: str = ""


@locking.again_after_deadlock
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
    """Finds or makes the Django user of ``profile``; ``connection`` is None for somebody who never was in a pool.

    The profile must have been proven in this sign-in. ``shown`` and ``declined``: accounts whose second factor the
    person has shown, or cannot show; ``alone``: they do not want to join an account that is there. ``request``, and
    ``login`` after a hosted one, are what allauth's hooks are told when a user is made.

    Raises `SecondFactorNeeded` and `JoinOffered`, which change nothing; `MigrationRefused`, and `MigrationConflict`
    after having recorded the case; and what else a hook raises, after which nothing has been written.
    """
    person = _Person(
        profile, connection, method, now, frozenset(shown), frozenset(declined), SignUp(request, login), alone
    )
    for left in reversed(range(TRIES)):
        try:
            return person.without_pool() if connection is None else person.with_pool(connection)
        except (SecondFactorNeeded, JoinOffered):
            raise
        except MigrationRefused as refusal:
            pool_records.record_refusal(profile, connection, refusal, now)
            raise
        except IntegrityError as error:
            if not left:
                # A unique value of the site's own (a mapped attribute, say) is already taken, each time anew.
                _give_up(profile, connection, now, error)
        except (DataError, ValidationError) as error:
            _give_up(profile, connection, now, error)
    raise AssertionError("unreachable")


def _give_up(profile: CognitoProfile, connection: Connection | None, now: datetime, error: Exception) -> NoReturn:
    conflict = MigrationConflict(reason_of(error))
    pool_records.record_refusal(profile, connection, conflict, now)
    raise conflict from error


@dataclass(frozen=True)
class _Person:
    profile: CognitoProfile
    connection: Connection | None
    method: MigratedUser.Method
    now: datetime
    shown: frozenset[Any]
    declined: frozenset[Any]
    sign_up: SignUp
    alone: bool

    def without_pool(self) -> Migrated:
        (address,) = filter(None, map(known, self.profile.proven))
        verdict, accounts = owners.owner_by_code(address)
        if verdict.action is Action.ENTER:
            return Migrated(accounts.user_of(verdict), created=False)
        with transaction.atomic(using=router.db_for_write(MigratedUser)):
            # Whoever proves this address at the same time waits here, and then finds the user that the first one got.
            # It is a write: on SQLite, a transaction that begins with a read may not write once others have written.
            attempts.take_turn(address.value)
            verdict, accounts = pool_records.by_our_code(address)
            if verdict.action is Action.ENTER:
                user, created = carry_out(verdict, accounts, self.profile, [address], made=Made())
                return Migrated(user, created)
            rows = pool_records.carrying(address)
            evidence = Evidence(
                {address.value: Claim.PROVEN},
                welcome=conf.signup or any(pool_records.is_welcome(row) for row in rows),
                shown=self.shown,
                declined=self.declined,
            )
            verdict = judge(evidence, accounts.holders, policy_of())
            is_in_a_pool = pool_records.keeps_out(rows, address) or pool_records.proven(rows, address)
            if verdict.action is Action.CREATE and is_in_a_pool:
                raise MigrationRefused(pool_records.UNUSABLE)
            if verdict.action is Action.CREATE and pool_records.was_deleted(rows, address) and not _may_return():
                raise MigrationRefused(Refusal.USER_DELETED)
            if verdict.action is Action.CREATE:
                self._may_join(verdict)
                self.sign_up.must_be_open(address)
            user, created = carry_out(verdict, accounts, self.profile, [address], made=Made(), sign_up=self.sign_up)
            return Migrated(user, created, signed_up=created)

    def _may_join(self, verdict: Verdict) -> None:
        """Raises `JoinOffered` where a hosted login would open an account that has the address written."""
        if self.alone or not verdict.owned:
            return
        names = MigratedUser.objects.filter(user_id__in=list(verdict.owned), status=Status.MIGRATED)
        for alias in sorted(set(names.values_list("connection", flat=True))):
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
            accounts = owners.read(returning.looked_at(record, claims), own=record.user)
        else:
            carriers = owners.carriers_of(self.profile, connection, record)
            accounts = owners.read(claims, carriers=carriers, record=record, everything=decision is not None)
        by_our_code = self.method == MigratedUser.Method.LOCAL_OTP
        evidence = Evidence(
            {address.value: claim for address, claim in claims.items()},
            in_pool=True,
            record=_standing(record, self.profile, returns=returns),
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
            raise JoinOffered(address=min(verdict.joins, key=lambda address: ("@" not in address, address)))
        made = Made.of(record)
        made_ahead = record.awaits_proof and made.user
        user, created = carry_out(verdict, accounts, self.profile, claims, made=made, sign_up=self.sign_up)
        signed_up = created or (made_ahead and user.last_login is None)
        made.added(apply_groups(user, self.profile))
        others = pool_records.others_of_person(record, evidence.proven)
        pool_records.settle(record, self.profile, connection, user, made, method=self.method, now=self.now)
        outbox.request_update(record, connection, now=self.now)
        for other, theirs in others:
            other_profile = pool_records.profile_of(other)
            pool_records.settle(other, other_profile, theirs, user, Made.of(other), method=self.method, now=self.now)
            outbox.request_update(other, theirs, now=self.now)
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
    made: Made,
    sign_up: SignUp = SignUp(),  # noqa: B008  (frozen)
) -> tuple[AbstractBaseUser, bool]:
    """The user that a verdict comes to, and whether there was none; ``made`` learns what was written. Raises
    `MigrationConflict`, `MigrationRefused` and `SecondFactorNeeded` where nobody comes in by it, and
    whatever the hooks of ``sign_up`` raise."""
    match verdict.action:
        case Action.CONFLICT:
            raise MigrationConflict(str(verdict.reason))
        case Action.REFUSE:
            raise MigrationRefused(str(verdict.reason))
        case Action.ASK_SECOND_FACTOR:
            raise SecondFactorNeeded(accounts.user_of(verdict))
        case Action.CREATE:
            return takeover.create(profile, addresses, verdict, sign_up, made), True
    user = accounts.user_of(verdict)
    gained = [address for address in addresses if address.value in verdict.gains]
    if verdict.action is Action.TAKE_OVER:
        takeover.take_over(user, next(address for address in gained if _is_proven(address, profile)))
    takeover.give(user, gained)
    fill(user, profile, made, policy="empty")
    return user, False


def policy_of(connection: Connection | None = None) -> Policy:
    """What the settings and the connection allow."""
    return Policy(
        staff_sign_in=conf.staff_sign_in,
        deleted_may_return=_may_return(),
        trust_verified=connection is not None and connection.trust_verified,
    )


def _may_return() -> bool:
    return conf.deleted_user_returns == "new_user"


def _is_proven(address: Identifier, profile: CognitoProfile) -> bool:
    return any(known(spelling) == address for spelling in profile.proven)


def _standing(record: MigratedUser, profile: CognitoProfile, *, returns: bool) -> Record:
    if record.status == Status.EXCLUDED:
        return Record.EXCLUDED
    if returns:
        return Record.MIGRATED
    if record.status == Status.GONE:
        return Record.GONE
    return Record.ERASED if tombstones.find(profile.pool, profile.sub) else Record.OPEN


def _locked_record(profile: CognitoProfile, connection: Connection) -> MigratedUser:
    # The insert comes first: PostgreSQL makes the second of two wait for it, SQLite takes its write lock by it.
    rows = MigratedUser.objects.using(router.db_for_write(MigratedUser))
    record = None
    while record is None:  # an erasure may take the row away between the two
        rows.bulk_create(
            [MigratedUser(connection=connection.alias, pool=profile.pool, sub=profile.sub)], ignore_conflicts=True
        )
        record = rows.select_for_update().filter(pool=profile.pool, sub=profile.sub).first()
    return record

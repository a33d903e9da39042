"""Activation: links imported people to existing Django users, or creates users for them, before their first sign-in.

The rules are those of a sign-in in which nothing has been proven. A Django user who carries the sub is theirs; an
address links only if the connection trusts it and both sides call it verified; staff are never linked. A new user gets
only the addresses that the pool calls verified, and in Django they stay unverified (unless the connection trusts
them): the first sign-in still asks for a proof (`MigratedUser.awaits_proof`).

Nobody loses a second factor: a Django user signs in by our code alone, so people who have a second factor in the pool,
or might have one, have to sign in there first.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from allauth.core.exceptions import ImmediateHttpResponse
from django.core.exceptions import ValidationError
from django.db import DatabaseError, OperationalError, router, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ...cognito import CognitoError, CognitoProfile, Connection, describe_pool
from ...exceptions import MigrationConflict
from ...identity import Action, Evidence, Verdict, judge
from ...models import ImportProblem, ImportRun, MigratedUser
from ...signals import user_migrated
from ..accounts import owners, pool_records
from ..accounts.changes import MigrationChanges
from ..accounts.new_users import reason_of
from ..migration.flow import carry_out, policy_of
from . import run_lease
from .lookup import ExistingUsers
from .rows import MFA
from .shared_addresses import mark_shared_addresses
from .writer import write_again

State, Status = ImportRun.State, MigratedUser.Status
# Rows of one transaction. A sign-in of one of these people waits for it.
BATCH: Final = 50
_USABLE: Final = frozenset({"CONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"})

Outcome = tuple[str, str]  # "create", "link", "conflict", "wait" or "failed", and why


# The counts of a run by outcome.
_COUNTED_AS: Final = {
    "create": "created",
    "link": "updated",
    "wait": "unchanged",
    "conflict": "unchanged",
    "failed": "skipped",
}


@dataclass
class Totals:
    """What was done, or in a dry run would be done. ``examples`` has a few subs for each outcome."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, list[str]] = field(default_factory=dict)
    seen: int = 0

    def add(self, outcome: Outcome, sub: str, user: object = None) -> None:
        self.seen += 1
        self.outcomes[outcome] += 1
        subs = self.examples.setdefault(outcome, [])
        if len(subs) < 3:
            subs.append(sub if user is None else f"{sub} → user {user}")


@dataclass(frozen=True, kw_only=True)
class Activation:
    """``makes_users`` False only links existing users. ``tell`` gets the numbers of people done and of all."""

    connection: Connection
    makes_users: bool
    stop: threading.Event
    clock: Callable[[], datetime] = timezone.now
    tell: Callable[[int, int | None], None] = lambda seen, total: None


def preview_activation(activation: Activation) -> Totals:
    """What `activate` would do. Reads only."""
    totals, after = Totals(), 0
    total, rules = _waiting(activation.connection).count(), _Rules(activation)
    while not activation.stop.is_set():
        rows = list(_waiting(activation.connection).filter(pk__gt=after).select_related("user")[:BATCH])
        if not rows:
            break
        existing = ExistingUsers.lookup(activation.connection, rows)
        for row in rows:
            outcome, candidate = rules.of(row, existing)
            totals.add(outcome, row.sub, candidate.verdict.account if candidate else None)
        after = rows[-1].pk
        activation.tell(totals.seen, total)
    return totals


def activate(activation: Activation, *, fresh: bool | None = None) -> tuple[ImportRun, Totals]:
    """Activates all pending people, or continues an unfinished activation (``fresh`` False: only continue; True: never
    continue). Returns the run, and the totals of this process alone.

    Raises `run_lease.Busy`, `run_lease.NothingToContinue` and `run_lease.Lost`.
    """
    connection, totals = activation.connection, Totals()
    run = run_lease.claim(
        connection.alias,
        ImportRun.Source.ACTIVATION,
        now=activation.clock(),
        fingerprint="all" if activation.makes_users else "pair",
        fresh=fresh,
        expected=_waiting(connection).count(),
    )
    try:
        rules = _Rules(activation)
        mark_shared_addresses()  # an interrupted import has not
        batch = partial(_write_batch, run, activation, rules, totals)
        while not activation.stop.is_set():
            if not write_again(batch, run):
                run_lease.close(run, State.DONE, now=activation.clock())
                return run, totals
            activation.tell(run.position, run.expected)
        run_lease.close(run, State.INTERRUPTED, now=activation.clock())
    except (KeyboardInterrupt, SystemExit):
        run_lease.close(run, State.INTERRUPTED, now=activation.clock())
        raise
    except CognitoError as error:
        run_lease.close(run, State.FAILED, now=activation.clock(), error=str(error))
    return run, totals


def _waiting(connection: Connection) -> "QuerySet[MigratedUser]":
    rows = MigratedUser.objects.filter(connection=connection.alias, pool=connection.pool)
    return rows.filter(status=Status.PENDING, decision__isnull=True).order_by("pk")


@dataclass(frozen=True, slots=True)
class Candidate:
    """The verdict on one person, and the facts that it was judged by."""

    profile: CognitoProfile
    accounts: owners.Accounts
    verdict: Verdict


class _Rules:
    """Decides the outcome for one person."""

    def __init__(self, activation: Activation) -> None:
        self._connection, self._makes_users = activation.connection, activation.makes_users
        # A retired pool asks for no factor any more: people sign in by our code alone.
        self._may_have_mfa = (
            activation.makes_users
            and not activation.connection.retired
            and describe_pool(activation.connection).mfa != "OFF"
        )

    def of(self, row: MigratedUser, existing: ExistingUsers) -> tuple[Outcome, Candidate | None]:
        if not row.pool_enabled:
            return ("wait", "disabled"), None
        if row.shares_address:
            return ("wait", "several_pool_users"), None
        # Without the addresses that the pool never verified: they may be another person's.
        profile = pool_records.profile_of(row)
        profile = replace(
            profile,
            email=profile.email if profile.email_verified else "",
            phone_number=profile.phone_number if profile.phone_number_verified else "",
        )
        candidate = Candidate(profile, owners.Accounts(), Verdict(Action.CREATE))
        if existing.has(row):
            candidate = self._judged(row, profile)
        verdict = candidate.verdict
        if not verdict.comes_in:
            return ("conflict", str(verdict.reason)), None
        if verdict.action is Action.ENTER:
            by_sub = candidate.accounts.holder_of(verdict).carries_sub
            return ("link", "carries_sub" if by_sub else "verified_address"), candidate
        if candidate.accounts.holders:
            return ("wait", "address_not_proven"), None
        obstacle = self._obstacle(row, profile)
        if obstacle:
            return ("wait", obstacle), None
        return ("create", "nobody_known"), self._judged(row, profile)

    def _judged(self, row: MigratedUser, profile: CognitoProfile) -> Candidate:
        """By the rules of a sign-in in which nothing is proven."""
        claims = pool_records.claims_of(profile)
        carriers = owners.carriers_of(profile, self._connection, row)
        accounts = owners.find_accounts(claims, carriers=carriers, record=row)
        evidence = Evidence({address.value: claim for address, claim in claims.items()}, in_pool=True)
        return Candidate(profile, accounts, judge(evidence, accounts.holders, policy_of(self._connection)))

    def _obstacle(self, row: MigratedUser, profile: CognitoProfile) -> str:
        """Why this person gets no new Django user; empty if they get one."""
        if not self._makes_users:
            return "no_user_to_pair"
        if row.pool_status == "EXTERNAL_PROVIDER":
            return "external_provider"
        if row.pool_status not in _USABLE:
            return "not_confirmed"
        has_mfa = row.attributes.get(MFA)
        if has_mfa == "true":
            return "mfa"
        if self._may_have_mfa and has_mfa != "false":
            return "mfa_unknown"
        return "" if pool_records.claims_of(profile) else "no_verified_address"


def _write_batch(run: ImportRun, activation: Activation, rules: _Rules, totals: Totals) -> bool:
    """Activates the next people of a run and advances it, in one transaction. False if there is nobody left."""
    now, batch = activation.clock(), Totals()
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        run_lease.hold(run, now=now)
        waiting = _waiting(activation.connection).filter(pk__gt=int(run.page_token or 0))
        # Locked by key, in order: sign-ins lock theirs one by one.
        rows = list(waiting.select_for_update(of=("self",)).select_related("user")[:BATCH])
        if not rows:
            return False
        existing = ExistingUsers.lookup(activation.connection, rows)
        problems = []
        counted: Counter[str] = Counter(seen=len(rows))
        for position, row in enumerate(rows, start=run.position + 1):
            outcome, candidate = rules.of(row, existing)
            user = None
            if outcome[0] == "conflict":
                MigratedUser.objects.filter(pk=row.pk).update(status=Status.CONFLICT, last_error=outcome[1])
            elif candidate:
                try:
                    with transaction.atomic(using=router.db_for_write(MigratedUser)):
                        user = _give_user(row, candidate, run, now)
                except OperationalError:
                    raise
                except (MigrationConflict, DatabaseError, ValidationError, ImmediateHttpResponse) as error:
                    # A unique value may belong to a user who was made in this batch, or by a concurrent sign-in. The
                    # person stays pending.
                    outcome = "failed", error.reason if isinstance(error, MigrationConflict) else reason_of(error)
                    kind = ImportProblem.Reason.FAILED
                    detail = outcome[1][:100]
                    problems.append(ImportProblem(run=run, position=position, sub=row.sub, reason=kind, detail=detail))
            batch.add(outcome, row.sub, user)
            counted[_COUNTED_AS[outcome[0]]] += 1
            counted["conflicts"] += outcome[0] == "conflict"
        ImportProblem.objects.bulk_create(problems, ignore_conflicts=True)
        run_lease.advance(run, str(rows[-1].pk), problems=len(problems), **counted)
    totals.outcomes.update(batch.outcomes)
    totals.examples = batch.examples | totals.examples
    totals.seen += batch.seen
    return True


def _give_user(row: MigratedUser, candidate: Candidate, run: ImportRun, now: datetime) -> object:
    changes = MigrationChanges.load(row)
    addresses = pool_records.claims_of(candidate.profile)
    user, created = carry_out(candidate.verdict, candidate.accounts, candidate.profile, addresses, changes=changes)
    row.user_id, row.status, row.method = user.pk, Status.MIGRATED, MigratedUser.Method.BULK
    row.migrated_at, row.last_error, row.changes = now, "", changes.as_json()
    row.import_run = run
    row.save(update_fields=["user", "status", "method", "migrated_at", "last_error", "changes", "import_run"])
    transaction.on_commit(
        lambda: user_migrated.send(sender=MigratedUser, user=user, migrated_user=row, created=created)
    )
    return user.pk

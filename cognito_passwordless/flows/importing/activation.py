"""Django users for imported people ahead of their first sign-in, by choice: those who are there already are paired,
those who are not are made.

The laws are those of a sign-in in which nothing has been proven. A user who carries the sub is theirs; an address
links nobody, unless the connection trusts what both sides call verified; staff are reached by none of it. Who is made
here gets only addresses that the pool calls verified, and in Django they stay unverified (unless the connection trusts
them): the first sign-in still asks for a proof (`MigratedUser.awaits_proof`), and until then nobody has come in.

Nobody loses a factor by it. A Django user signs in by our code, so whoever has a second factor in the pool, or might
have one, is left to sign in there first.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
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
from ..accounts.changes import Made
from ..accounts.new_users import reason_of
from ..migration.flow import carry_out, policy_of
from . import run_lease
from .lookup import ExistingUsers
from .rows import MFA
from .shared_addresses import mark_shared_addresses

logger = logging.getLogger(__name__)
State, Status = ImportRun.State, MigratedUser.Status
# Rows of one transaction. Whoever signs in meanwhile as one of them waits for it.
BATCH: Final = 50
TRIES: Final = 3  # a deadlock with a sign-in, or a SQLite that is busy
_USABLE: Final = frozenset({"CONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"})

Outcome = tuple[str, str]  # "create", "link", "conflict", "wait" or "failed", and why


@dataclass
class Totals:
    """What was done, or in a dry run would be; ``examples`` are some of the people, by sub."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, list[str]] = field(default_factory=dict)
    seen: int = 0

    def add(self, outcome: Outcome, sub: str, user: object = "") -> None:
        self.seen += 1
        self.outcomes[outcome] += 1
        named = self.examples.setdefault(outcome, [])
        if len(named) < 3:
            named.append(f"{sub} → user {user}" if user else sub)


@dataclass(frozen=True, kw_only=True)
class Activation:
    """What to do for whom. ``makes_users`` False only pairs. ``tell`` hears how many were looked at, of how many."""

    connection: Connection
    makes_users: bool
    stop: threading.Event
    clock: Callable[[], datetime] = timezone.now
    tell: Callable[[int, int | None], None] = lambda seen, total: None


def preview_activation(activation: Activation) -> Totals:
    """What `activate` would do. Reads only."""
    found, after = Totals(), 0
    total, rules = _waiting(activation.connection).count(), _Rules(activation)
    while not activation.stop.is_set():
        rows = list(_waiting(activation.connection).filter(pk__gt=after).select_related("user")[:BATCH])
        if not rows:
            break
        existing = ExistingUsers.lookup(activation.connection, rows)
        for row in rows:
            outcome, judged = rules.of(row, existing)
            found.add(outcome, row.sub, _account(judged))
        after = rows[-1].pk
        activation.tell(found.seen, total)
    return found


def activate(activation: Activation, *, fresh: bool | None = None) -> tuple[ImportRun, Totals]:
    """Works through everybody who is pending, or goes on where an earlier activation ended (``fresh`` False: only
    that; True: never). Its run says how far it came. The totals are of this process alone.

    Raises `run_lease.Busy`, `run_lease.NothingToContinue` and `run_lease.Lost`.
    """
    connection, found = activation.connection, Totals()
    kind = "all" if activation.makes_users else "pair"
    total = _waiting(connection).count()
    run = run_lease.claim(
        connection.alias,
        ImportRun.Source.ACTIVATION,
        now=activation.clock(),
        fingerprint=kind,
        fresh=fresh,
        expected=total,
    )
    try:
        rules = _Rules(activation)
        mark_shared_addresses()  # an import that was broken off has not
        while not activation.stop.is_set():
            if not _batch(run, activation, rules, found):
                run_lease.close(run, State.DONE, now=activation.clock())
                return run, found
            activation.tell(run.position, run.expected)
        run_lease.close(run, State.INTERRUPTED, now=activation.clock())
    except (KeyboardInterrupt, SystemExit):
        run_lease.close(run, State.INTERRUPTED, now=activation.clock())
        raise
    except CognitoError as error:
        run_lease.close(run, State.FAILED, now=activation.clock(), error=str(error))
    return run, found


def _waiting(connection: Connection) -> "QuerySet[MigratedUser]":
    rows = MigratedUser.objects.filter(connection=connection.alias, pool=connection.pool)
    return rows.filter(status=Status.PENDING, decision__isnull=True).order_by("pk")


def _batch(run: ImportRun, activation: Activation, rules: "_Rules", found: Totals) -> bool:
    """Whether there was anybody left. A batch is written as a whole, with how far the run is."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic(using=router.db_for_write(MigratedUser)):
                return _Batch(run, activation, rules, found).write()
        except OperationalError:
            if not left:
                raise
            logger.warning("Activation %s does the people after %s again", run.pk, run.page_token or "-")
    raise AssertionError("unreachable")


def _account(found: "Found | None") -> object:
    return found.verdict.account if found and found.verdict.account is not None else ""


class _Rules:
    """What becomes of one person."""

    def __init__(self, activation: Activation) -> None:
        self._connection, self._makes_users = activation.connection, activation.makes_users
        # A retired pool asks nobody for anything any more: whoever is left signs in by our code as it is.
        self._may_have_mfa = (
            activation.makes_users
            and not activation.connection.retired
            and describe_pool(activation.connection).mfa != "OFF"
        )

    def of(self, row: MigratedUser, existing: ExistingUsers) -> tuple[Outcome, "Found | None"]:
        if not row.pool_enabled:
            return ("wait", "disabled"), None
        if row.shares_address:
            return ("wait", "several_pool_users"), None
        profile = verified_part(row)
        found = Found(profile, owners.Accounts(), Verdict(Action.CREATE))
        if existing.has(row):
            found = self._judged(row, profile)
        verdict = found.verdict
        if not verdict.comes_in:
            return ("conflict", str(verdict.reason)), None
        if verdict.action is Action.ENTER:
            by_sub = found.accounts.holder_of(verdict).carries_sub
            return ("link", "carries_sub" if by_sub else "verified_address"), found
        if found.accounts.holders:
            return ("wait", "address_not_proven"), None
        obstacle = self._obstacle(row, profile)
        if obstacle:
            return ("wait", obstacle), None
        return ("create", "nobody_known"), self._judged(row, profile)

    def _judged(self, row: MigratedUser, profile: CognitoProfile) -> "Found":
        """By the rules of a sign-in in which nothing is proven."""
        claims = pool_records.claims_of(profile)
        carriers = owners.carriers_of(profile, self._connection, row)
        accounts = owners.read(claims, carriers=carriers, record=row)
        evidence = Evidence({address.value: claim for address, claim in claims.items()}, in_pool=True)
        return Found(profile, accounts, judge(evidence, accounts.holders, policy_of(self._connection)))

    def _obstacle(self, row: MigratedUser, profile: CognitoProfile) -> str:
        """Why no Django user is made for somebody ahead of time; empty where one is."""
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


@dataclass(frozen=True, slots=True)
class Found:
    """Whom one person would become, and the facts that it was judged by."""

    profile: CognitoProfile
    accounts: owners.Accounts
    verdict: Verdict


def verified_part(row: MigratedUser) -> CognitoProfile:
    """The profile of a row, less the addresses that its pool never verified: somebody else may have them."""
    profile = pool_records.profile_of(row)
    return replace(
        profile,
        email=profile.email if profile.email_verified else "",
        phone_number=profile.phone_number if profile.phone_number_verified else "",
    )


class _Batch:
    """The next people of a run, in a transaction of their own."""

    def __init__(self, run: ImportRun, activation: Activation, rules: _Rules, found: Totals) -> None:
        self._run, self._activation, self._rules = run, activation, rules
        self._connection, self._now = activation.connection, activation.clock()
        self._found = found

    def write(self) -> bool:
        run = self._run
        run_lease.hold(run, now=self._now)
        waiting = _waiting(self._connection).filter(pk__gt=int(run.page_token or 0))
        # Locked by key, in order: sign-ins lock theirs one by one.
        rows = list(waiting.select_for_update(of=("self",)).select_related("user")[:BATCH])
        if not rows:
            return False
        existing, batch = ExistingUsers.lookup(self._connection, rows), Totals()
        counted: Counter[str] = Counter(seen=len(rows))
        for position, row in enumerate(rows, start=run.position + 1):
            outcome, user = self._one(row, existing, position)
            batch.add(outcome, row.sub, user)
            counted[_COUNTED_AS[outcome[0]]] += 1
            counted["conflicts"] += outcome[0] == "conflict"
            counted["problems"] += outcome[0] == "failed"
        run_lease.advance(run, str(rows[-1].pk), **counted)
        self._found.outcomes.update(batch.outcomes)
        self._found.examples = batch.examples | self._found.examples
        self._found.seen += batch.seen
        return True

    def _one(self, row: MigratedUser, existing: ExistingUsers, position: int) -> tuple[Outcome, object]:
        outcome, found = self._rules.of(row, existing)
        if outcome[0] == "conflict":
            MigratedUser.objects.filter(pk=row.pk).update(status=Status.CONFLICT, last_error=outcome[1])
        if found is None:
            return outcome, ""
        try:
            with transaction.atomic(using=router.db_for_write(MigratedUser)):
                return outcome, self._give_user(row, found)
        except OperationalError:
            raise
        except MigrationConflict as conflict:
            reason = conflict.reason
        except (DatabaseError, ValidationError, ImmediateHttpResponse) as error:
            # A unique value may be that of somebody made in this very batch, or by a sign-in of just now.
            reason = reason_of(error)
        return self._failed(row, position, reason), ""

    def _give_user(self, row: MigratedUser, found: Found) -> object:
        made = Made.of(row)
        addresses = pool_records.claims_of(found.profile)
        user, created = carry_out(found.verdict, found.accounts, found.profile, addresses, made=made)
        row.user_id, row.status, row.method = user.pk, Status.MIGRATED, MigratedUser.Method.BULK
        row.migrated_at, row.last_error, row.made = self._now, "", made.as_json()
        row.import_run = self._run
        row.save(update_fields=["user", "status", "method", "migrated_at", "last_error", "made", "import_run"])
        transaction.on_commit(
            lambda: user_migrated.send(sender=MigratedUser, user=user, migrated_user=row, created=created)
        )
        return user.pk

    def _failed(self, row: MigratedUser, position: int, reason: str) -> Outcome:
        """They stay pending, and the run says so."""
        ImportProblem.objects.bulk_create(
            [
                ImportProblem(
                    run_id=self._run.pk,
                    position=position,
                    sub=row.sub,
                    reason=ImportProblem.Reason.FAILED,
                    detail=reason[:100],
                )
            ],
            ignore_conflicts=True,
        )
        return "failed", reason


# The counts of a run: users that were made, that were paired, people who were left as they are, and failures.
_COUNTED_AS: Final = {
    "create": "created",
    "link": "updated",
    "wait": "unchanged",
    "conflict": "unchanged",
    "failed": "skipped",
}

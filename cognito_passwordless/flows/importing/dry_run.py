"""Dry run: what an import would do, and what would happen at each person's first sign-in. Writes nothing.

The outcomes come from the rules of `identity`, as if every person proved what the connection's routes can prove, and
are for the Django users of this moment.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from ...cognito import Connection
from ...identity import Action, Claim, Evidence, Verdict, channel_of, judge
from ...models import ImportProblem, ImportRun, MigratedUser, in_pages
from ..accounts import owners, pool_records
from ..migration.flow import policy_of
from . import gone
from .diff import diff_page, erased_among
from .lookup import ExistingUsers
from .rows import FACTS, InvalidRow, Row, completed
from .sources import Page, Source, Stopped

Status = MigratedUser.Status
TWIN: Final = ("conflict", "several_pool_users")
GONE: Final = ("gone", "not_seen")
SAME: Final = ("link", "same_person")
# Statuses in the pool with which nobody can sign in.
_NOT_NOW: Final = {"ARCHIVED": "archived", "UNCONFIRMED": "unconfirmed"}
EXAMPLES: Final = 3  # subs that are kept for each outcome

# "create", "link", "conflict" or "skip", and why.
Outcome = tuple[str, str]


@dataclass
class Preview:
    """``outcomes`` of people, with ``examples`` of their subs; ``rows`` is what an import would count. ``decisions``:
    how often an operator has to say whether pool users with one address are one person. ``why_not``: why nobody would
    be marked as gone."""

    rows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, list[str]] = field(default_factory=dict)
    decisions: int = 0
    complete: bool = False
    why_not: str = ""

    def add(self, outcome: Outcome, sub: str = "", count: int = 1) -> None:
        self.outcomes[outcome] += count
        named = self.examples.setdefault(outcome, [])
        if sub and len(named) < EXAMPLES:
            named.append(sub)


def preview(
    connection: Connection,
    source: Source,
    *,
    stop: threading.Event,
    gone_limit: int | None = gone.LIMIT,
    tell: Callable[[int], None] = lambda seen: None,
) -> Preview:
    """Reads a whole directory. ``stop`` ends it early, with the preview of the rows so far.

    Raises `CognitoError`; nothing is kept, so there is nothing to continue.
    """
    people = _People(connection)
    # A run that is not stored: it has written no row.
    run = ImportRun(pk=0, connection=connection.alias, source=ImportRun.Source.POOL)
    token: str | None = ""
    while token is not None and not stop.is_set():
        try:
            page = source.read_page(token)
        except Stopped:
            break
        people.add_page(page, run)
        run.position += len(page.rows)
        tell(run.position)
        token = page.following
    people.preview.complete = token is None
    if people.preview.complete and gone_limit is not None:
        people.add_missing(gone_limit)
    return people.preview


class _People:
    """Fills the preview of one connection. Keeps hashes of subs and addresses, never the texts."""

    def __init__(self, connection: Connection) -> None:
        self.preview = Preview()
        self._connection = connection
        self._met: set[int] = set()  # hashes of subs
        self._invalid: set[str] = set()  # subs of rows that cannot be used
        # For each verified address its spelling, and the outcome of the first person who has it; in a list, because
        # it changes for both addresses of one person at once.
        self._first: dict[int, tuple[int, list[Outcome]]] = {}

    def add_page(self, page: Page, run: ImportRun) -> None:
        preview, pool = self.preview, self._connection.pool
        rows = [
            InvalidRow(ImportProblem.Reason.DUPLICATE, row.sub)
            if isinstance(row, Row) and hash(row.sub) in self._met
            else row
            for row in page.rows
        ]
        self._met.update(hash(row.sub) for row in rows if isinstance(row, Row))
        self._invalid.update(row.sub for row in page.rows if isinstance(row, InvalidRow))
        diff = diff_page(Page(rows, None), run, pool)
        preview.rows.update(
            created=len(diff.new),
            updated=len(diff.changed),
            unchanged=len(diff.unchanged),
            skipped=len(diff.problems) + diff.erased,
        )
        for position, invalid in diff.problems:
            line = page.detail_of(position - run.position - 1, invalid) if page.lines else ""
            preview.add(("skip", str(invalid.reason)), line or invalid.sub)
        if diff.erased:
            preview.add(("skip", "erased"), count=diff.erased)
        latest = {row.sub: row for row in rows if isinstance(row, Row)}
        for sub in erased_among(list(latest), pool):
            del latest[sub]
        known = MigratedUser.objects.filter(pool=pool, sub__in=list(latest)).select_related("user")
        by_sub = {record.sub: record for record in known}
        records = []
        for sub, row in latest.items():
            # The record as it would be after an import; not saved.
            record = by_sub[sub] if sub in by_sub else MigratedUser(pool=pool, sub=sub)
            record.connection = self._connection.alias
            row = completed(row, page.columns, by_sub.get(sub))  # noqa: PLW2901
            for fact in FACTS:
                if sub not in by_sub or fact not in page.silent:
                    setattr(record, fact, getattr(row, fact))
            records.append(record)
        existing = ExistingUsers.lookup(self._connection, records)
        for record in records:
            outcome = outcome_of(record, self._connection, existing)
            if outcome[0] != "skip":
                outcome = self._compare(record, outcome)
            preview.add(outcome, record.sub)

    def add_missing(self, limit: int) -> None:
        """The people whom no page had."""
        everybody = gone.expected(self._connection.pool)
        subs = in_pages(everybody.values_list("pk", "sub"), itemgetter(0))
        missing = [sub for _pk, sub in subs if hash(sub) not in self._met and sub not in self._invalid]
        unreadable = "" in self._invalid
        self.preview.why_not = gone.obstacle(len(missing), everybody.count(), unreadable=unreadable, limit=limit)
        for sub in missing if not self.preview.why_not else ():
            self.preview.add(GONE, sub)

    def _compare(self, record: MigratedUser, outcome: Outcome) -> Outcome:
        """The outcome of a person who may share a verified address with an earlier one: one person if it is spelled
        alike, else a conflict of both."""
        spelled = {record.email_key: record.email, record.phone_key: record.phone_number}
        mine = [outcome]
        for key in record.verified_keys:
            spelling, cell = self._first.setdefault(hash(key), (hash(spelled[key]), mine))
            if cell is mine:
                continue
            if spelling == hash(spelled[key]):
                mine[0] = SAME if mine[0] != TWIN else TWIN
                continue
            if cell[0] != TWIN:
                self.preview.decisions += 1
                self.preview.outcomes[cell[0]] -= 1
                self.preview.add(TWIN)
                cell[0] = TWIN
            mine[0] = TWIN
        return mine[0]


def outcome_of(record: MigratedUser, connection: Connection, existing: ExistingUsers) -> Outcome:
    """The outcome of a person's first sign-in, by what the connection's routes can prove: a code proves one address
    that the pool has verified, a hosted login proves only the sub."""
    if record.status in {Status.MIGRATED, Status.EXCLUDED}:
        return "skip", record.status
    if record.decision is not None:
        return "skip", "decided"
    if not record.pool_enabled:
        return "skip", "disabled"
    if record.pool_status in _NOT_NOW:
        return "skip", _NOT_NOW[record.pool_status]
    addresses = pool_records.claims_of(pool_records.profile_of(record))
    provable = [address.value for address in addresses if address.value in record.verified_keys]
    if not provable and "oidc" not in connection.routes:
        return "skip", "no_verified_address" if addresses else "no_address"
    if not existing.has(record):
        return "create", "nobody_known"
    carriers = owners.carriers_of(pool_records.profile_of(record), connection, record)
    accounts = owners.find_accounts(addresses, carriers=carriers, record=record)
    written = {address.value: claim for address, claim in addresses.items()}
    by_code = provable if "otp" in connection.routes or connection.retired else []
    outcome: Outcome = ("skip", "no_verified_address")
    for proven in sorted(by_code, key=channel_of) or [""]:
        claims = {**written, proven: Claim.PROVEN} if proven else written
        verdict = judge(Evidence(claims, in_pool=True), accounts.holders, policy_of(connection))
        outcome = _named(verdict, accounts)
        if outcome[0] in {"create", "link"}:
            break
    return outcome


def _named(verdict: Verdict, accounts: owners.Accounts) -> Outcome:
    if verdict.case or not verdict.comes_in:
        return "conflict", str(verdict.case or verdict.reason)
    if verdict.action is Action.CREATE:
        return "create", "may_join" if verdict.joins else "nobody_known"
    if accounts.holder_of(verdict).carries_sub:
        return "link", "carries_sub"
    return "link", {
        Action.ENTER: "verified_address",
        Action.TAKE_OVER: "unverified_address",
        Action.ASK_SECOND_FACTOR: "second_factor_asked",
    }[verdict.action]

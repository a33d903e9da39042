"""What an import would do, and whom its people would become at their first sign-in. Writes nothing.

"Would become" is by the rules of `identity` themselves, as if everybody proved what the connection's routes can prove,
and against the Django users of this moment.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...cognito import Connection
from ...identity import Action, Claim, Evidence, Verdict, judge
from ...models import ImportProblem, ImportRun, MigratedUser
from ..accounts import owners, pool_records
from ..migration.flow import policy_of
from . import gone
from .diff import PageDiff, diff_page, erased_among
from .lookup import ExistingUsers
from .rows import FACTS, InvalidRow, Row
from .sources import Page, Source, Stopped

Status = MigratedUser.Status
TWIN: Final = ("conflict", "several_pool_users")
GONE: Final = ("gone", "not_seen")
SAME: Final = ("link", "same_person")
# Who cannot come in as the pool has them now.
_NOT_NOW: Final = {"ARCHIVED": "archived", "UNCONFIRMED": "unconfirmed"}
# Of whom the names are kept, for each kind of outcome.
EXAMPLES: Final = 3

# "create", "link", "conflict" or "skip", and why.
Outcome = tuple[str, str]


@dataclass
class Preview:
    """``outcomes`` of people, with the subs of some; ``rows`` is what an import would count. ``decisions``: how many
    times a human has to say whether the pool users that carry one address are one person. ``why_not``: nobody would be
    marked as gone."""

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
    """Walks through a whole directory. ``stop`` ends it early, and what was found by then is returned.

    Raises `CognitoError`; nothing is kept, so there is nothing to continue.
    """
    found, people = Preview(), _People(connection)
    # Rows of no walk: none of them was written by this one.
    run = ImportRun(pk=0, connection=connection.alias, source=ImportRun.Source.POOL)
    token: str | None = ""
    while token is not None and not stop.is_set():
        try:
            page = source.read_page(token)
        except Stopped:
            break
        people.look(found, page, run)
        run.position += len(page.rows)
        tell(run.position)
        token = page.following
    found.complete = token is None
    if found.complete and gone_limit is not None:
        people.miss(found, gone_limit)
    return found


class _People:
    """Whom the people of one connection would become."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._twins = _Twins()
        self._met: set[int] = set()  # hashes of subs
        self._broken: set[str] = set()  # subs of rows that cannot be used

    def look(self, found: Preview, page: Page, run: ImportRun) -> None:
        rows = [self._or_again(row) for row in page.rows]
        self._met.update(hash(row.sub) for row in rows if isinstance(row, Row))
        self._broken.update(row.sub for row in page.rows if isinstance(row, InvalidRow))
        sorted_rows = diff_page(Page(rows, None), run, self._connection.pool)
        _count(found, sorted_rows)
        latest = {row.sub: row for row in rows if isinstance(row, Row)}
        for sub in erased_among(list(latest), self._connection.pool):
            del latest[sub]
        self._decide(found, latest, page.silent)

    def miss(self, found: Preview, limit: int) -> None:
        """Whom the whole walk has not met."""
        everybody = gone.expected(self._connection.pool)
        subs = everybody.values_list("sub", flat=True).iterator()
        missing = [sub for sub in subs if hash(sub) not in self._met and sub not in self._broken]
        unreadable = "" in self._broken
        found.why_not = gone.obstacle(len(missing), everybody.count(), unreadable=unreadable, limit=limit)
        for sub in missing if not found.why_not else ():
            found.add(GONE, sub)

    def _or_again(self, row: Row | InvalidRow) -> Row | InvalidRow:
        if isinstance(row, Row) and hash(row.sub) in self._met:
            return InvalidRow(ImportProblem.Reason.DUPLICATE, row.sub)
        return row

    def _decide(self, found: Preview, rows: Mapping[str, Row], silent: Collection[str]) -> None:
        pool = self._connection.pool
        known = MigratedUser.objects.filter(pool=pool, sub__in=list(rows)).select_related("user")
        by_sub = {record.sub: record for record in known}
        records = []
        for sub, row in rows.items():
            # The record as it would be after an import; not saved.
            record = by_sub[sub] if sub in by_sub else MigratedUser(pool=pool, sub=sub)
            record.connection = self._connection.alias
            for fact in FACTS:
                if sub not in by_sub or fact not in silent:
                    setattr(record, fact, getattr(row, fact))
            records.append(record)
        existing = ExistingUsers.lookup(self._connection, records)
        for record in records:
            outcome = _settled(record) or outcome_of(record, self._connection, existing)
            if outcome[0] != "skip":
                outcome = self._twins.meet(found, record, outcome)
            found.add(outcome, record.sub)


def _count(found: Preview, rows: PageDiff) -> None:
    found.rows.update(
        created=len(rows.new),
        updated=len(rows.changed),
        unchanged=len(rows.unchanged),
        skipped=len(rows.problems) + rows.erased,
    )
    for _, broken in rows.problems:
        found.add(("skip", str(broken.reason)), broken.sub)
    if rows.erased:
        found.add(("skip", "erased"), count=rows.erased)


class _Twins:
    """People who carry the same verified address, met one after the other: one person where it is spelled alike, else
    two. Keeps hashes, not addresses."""

    def __init__(self) -> None:
        # Of each address its spelling, and the outcome of whoever was met with it first; in a list, for it changes for
        # both addresses of one person at once.
        self._first: dict[int, tuple[int, list[Outcome]]] = {}

    def meet(self, found: Preview, record: MigratedUser, outcome: Outcome) -> Outcome:
        """The outcome of somebody, who may be a twin; whoever was met with the address before may be one, too."""
        spelled = {record.email_key: record.email, record.phone_key: record.phone_number}
        mine = [outcome]
        for key in record.verified_keys:
            spelling, cell = self._first.setdefault(hash(key), (hash(spelled[key]), mine))
            if cell is mine:
                continue
            if spelling == hash(spelled[key]):
                mine[0] = SAME if mine[0] != TWIN else TWIN
                continue
            found.decisions += cell[0] != TWIN
            if cell[0] != TWIN:
                found.outcomes[cell[0]] -= 1
                found.add(TWIN)
                cell[0] = TWIN
            mine[0] = TWIN
        return mine[0]


def outcome_of(record: MigratedUser, connection: Connection, existing: ExistingUsers) -> Outcome:
    """Whom somebody would become by the proof that the connection's routes can give of them: a code proves one
    address, which the pool has to have verified; a hosted login proves the sub alone."""
    addresses = pool_records.claims_of(pool_records.profile_of(record))
    provable = [address.value for address in addresses if address.value in record.verified_keys]
    if not provable and "oidc" not in connection.routes:
        return "skip", "no_verified_address" if addresses else "no_address"
    if not existing.has(record):
        return "create", "nobody_known"
    carriers = owners.carriers_of(pool_records.profile_of(record), connection, record)
    accounts = owners.read(addresses, carriers=carriers, record=record)
    written = {address.value: claim for address, claim in addresses.items()}
    by_code = provable if "otp" in connection.routes or connection.retired else []
    outcome: Outcome = ("skip", "no_verified_address")
    for proven in sorted(by_code, key=lambda address: "@" not in address) or [""]:
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
        Action.ASK_SECOND_FACTOR: "second_factor",
    }[verdict.action]


def _settled(record: MigratedUser) -> Outcome | None:
    """The outcome of somebody whom the rules of linking are not asked about; else None."""
    if record.status in {Status.MIGRATED, Status.EXCLUDED}:
        return "skip", record.status
    if record.decision is not None:
        return "skip", "decided"
    if not record.pool_enabled:
        return "skip", "disabled"
    return ("skip", _NOT_NOW[record.pool_status]) if record.pool_status in _NOT_NOW else None

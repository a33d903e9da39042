"""What an import would do, and whom its people would become at their first sign-in. Writes nothing.

"Would become" is by the rules of `flows.linking` themselves, as if everybody proved the addresses that their pool user
has, and against the Django users of this moment.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ...cognito import Connection
from ...exceptions import MigrationConflict
from ...models import ImportProblem, ImportRun, MigratedUser
from .. import linking, pool_records
from .carried import Carried
from .pool import Page, Source, Stopped
from .rows import Broken, Row
from .sorting import Sorted, erased_among, sort_out

Status = MigratedUser.Status
TWIN: Final = ("conflict", "several_pool_users")
# Nothing is open about these, and they are in nobody's way.
_DONE: Final = frozenset({Status.MIGRATED.value, Status.EXCLUDED.value, "decided"})
# Who cannot come in as the pool has them now.
_NOT_NOW: Final = {"ARCHIVED": "archived", "UNCONFIRMED": "unconfirmed"}
# Of whom the names are kept, for each kind of outcome.
EXAMPLES: Final = 3

# "create", "link", "conflict" or "skip", and why.
Outcome = tuple[str, str]


@dataclass
class Preview:
    """``outcomes`` of people, with the subs of some; ``rows`` is what an import would count. ``decisions``: how many
    times a human has to say whether the pool users that carry one address are one person."""

    rows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, list[str]] = field(default_factory=dict)
    decisions: int = 0
    complete: bool = False

    def add(self, outcome: Outcome, sub: str = "", count: int = 1) -> None:
        self.outcomes[outcome] += count
        named = self.examples.setdefault(outcome, [])
        if sub and len(named) < EXAMPLES:
            named.append(sub)


def preview(
    connection: Connection, source: Source, *, stop: threading.Event, tell: Callable[[int], None] = lambda seen: None
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
            page = source.read(token)
        except Stopped:
            break
        people.look(found, page, run)
        run.position += len(page.rows)
        tell(run.position)
        token = page.following
    found.complete = token is None
    return found


class _People:
    """Whom the people of one connection would become."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._twins = _Twins()
        self._met: set[int] = set()  # hashes of subs

    def look(self, found: Preview, page: Page, run: ImportRun) -> None:
        rows = [self._or_again(row) for row in page.rows]
        self._met.update(hash(row.sub) for row in rows if isinstance(row, Row))
        sorted_rows = sort_out(Page(rows, None), run, self._connection.pool)
        _count(found, sorted_rows)
        latest = {row.sub: row for row in rows if isinstance(row, Row)}
        for sub in erased_among(list(latest), self._connection.pool):
            del latest[sub]
        self._decide(found, latest, page.silent)

    def _or_again(self, row: Row | Broken) -> Row | Broken:
        if isinstance(row, Row) and hash(row.sub) in self._met:
            return Broken(ImportProblem.Reason.DUPLICATE, row.sub)
        return row

    def _decide(self, found: Preview, rows: Mapping[str, Row], silent: Collection[str]) -> None:
        pool = self._connection.pool
        known = MigratedUser.objects.filter(pool=pool, sub__in=list(rows)).select_related("user")
        by_sub = {record.sub: record for record in known}
        records = [_record(row, by_sub.get(sub), self._connection, silent) for sub, row in rows.items()]
        carried, elsewhere = Carried.by(self._connection, records), self._elsewhere(records)
        for record in records:
            outcome = _settled(record) or outcome_of(record, self._connection, carried)
            if outcome[1] not in _DONE:
                addresses = {record.email, record.phone_number} - {""}
                is_shared = not addresses.isdisjoint(elsewhere)
                outcome = self._twins.meet(found, addresses, outcome, is_shared=is_shared)
            found.add(outcome, record.sub)

    def _elsewhere(self, records: Collection[MigratedUser]) -> set[str]:
        """Addresses of these people that pool users of other pools carry."""
        others = MigratedUser.objects.exclude(pool=self._connection.pool).exclude(status=Status.EXCLUDED)
        emails = others.filter(email__in={record.email for record in records} - {""})
        phones = others.filter(phone_number__in={record.phone_number for record in records} - {""})
        return {*emails.values_list("email", flat=True), *phones.values_list("phone_number", flat=True)}


def _count(found: Preview, rows: Sorted) -> None:
    found.rows.update(
        created=len(rows.new),
        updated=len(rows.changed),
        unchanged=rows.unchanged,
        skipped=len(rows.problems) + rows.erased,
    )
    for _, broken in rows.problems:
        found.add(("skip", str(broken.reason)), broken.sub)
    if rows.erased:
        found.add(("skip", "erased"), count=rows.erased)


class _Twins:
    """People who carry the same address, met one after the other. Keeps hashes, not addresses."""

    def __init__(self) -> None:
        # Of each address the outcome of whoever was met with it first; in a list, for it changes for both addresses
        # of one person at once.
        self._first: dict[int, list[Outcome]] = {}

    def meet(self, found: Preview, addresses: Collection[str], outcome: Outcome, *, is_shared: bool) -> Outcome:
        """The outcome of somebody, who may be a twin; whoever was met with the address before is one, too."""
        met = [self._first[key] for key in map(hash, addresses) if key in self._first]
        mine = [TWIN] if met or is_shared else [outcome]
        if mine[0] == TWIN:
            found.decisions += all(cell[0] != TWIN for cell in met)
        for cell in met:
            if cell[0] != TWIN:
                found.outcomes[cell[0]] -= 1
                found.add(TWIN)
                cell[0] = TWIN
        for address in addresses:
            self._first.setdefault(hash(address), mine)
        return mine[0]


def outcome_of(record: MigratedUser, connection: Connection, carried: Carried) -> Outcome:
    """Whom somebody would become who proves the addresses of their pool user."""
    profile = pool_records.profile_of(record)
    addresses = frozenset(address for address in (record.email, record.phone_number) if address)
    profile = replace(profile, proven=addresses)
    try:
        linking.addresses_of(profile)
        if not carried.has(record):
            return "create", "nobody_known"
        chosen = linking.choose(profile, connection, record)
    except MigrationConflict as conflict:
        return "conflict", conflict.reason
    if chosen.user is None:
        return "create", "nobody_known"
    if chosen.by_sub:
        return "link", "carries_sub"
    verified = any(owner.proven for owner in chosen.owners.values())
    return "link", "verified_address" if verified else "unverified_address"


def _settled(record: MigratedUser) -> Outcome | None:
    """The outcome of somebody whom the rules of linking are not asked about; else None."""
    if record.status in {Status.MIGRATED, Status.EXCLUDED}:
        return "skip", record.status
    if record.decision is not None:
        return "skip", "decided"
    if not record.pool_enabled:
        return "skip", "disabled"
    return ("skip", _NOT_NOW[record.pool_status]) if record.pool_status in _NOT_NOW else None


def _record(row: Row, known: MigratedUser | None, connection: Connection, silent: Collection[str]) -> MigratedUser:
    """The record as it would be after an import; not saved."""
    record = known or MigratedUser(pool=connection.pool, sub=row.sub)
    record.connection, record.username, record.attributes = connection.alias, row.username, row.attributes
    for fact in ("email", "phone_number", "pool_status", "pool_enabled"):
        if known is None or fact not in silent:
            setattr(record, fact, getattr(row, fact))
    return record

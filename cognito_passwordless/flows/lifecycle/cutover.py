"""Cut-over: readiness checklist, retire a connection, reinstate it.

A retirement is a row in the database, so that it holds for every process from its next request on. It ends the open
challenges of its connection; people who have not migrated, and were enabled, sign in by our own code
(`flows.sending.routing`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter
from pathlib import Path
from uuid import UUID, uuid5

from django.db import router, transaction
from django.db.models import Max, QuerySet

from ...cognito import Connection
from ...models import ChallengeSession, ConnectionState, Delivery, ImportRun, MigratedUser, in_pages
from ..accounts import tombstones
from ..accounts.pool_records import has_second_factor
from ..conflicts import cases
from ..events import audit
from . import export

Status = MigratedUser.Status
Outcome = ChallengeSession.Outcome
COVERAGE = 0.95
RECENT = timedelta(hours=24)
_NAMESPACE = UUID("b2c0c5e9-9f0e-4a3e-8a43-51d3b1a1f6a7")

MAPPING_COLUMNS = ("connection", "pool", "sub", "status", "user", "method", "migrated_at")
NOT_MIGRATED_COLUMNS = (
    "connection",
    "sub",
    "username",
    "email",
    "phone_number",
    "status",
    "last_error",
    "comes_in_by",
)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the checklist: what was found, and how to fix it if it has failed. Only a ``must`` stops a
    retirement."""

    name: str
    passed: bool
    found: str
    fix: str = ""
    must: bool = True


def pool_users(connection: Connection) -> "QuerySet[MigratedUser]":
    """All records of the connection's pool, whatever the connection's alias was when they were written (law 7)."""
    return MigratedUser.objects.filter(pool=connection.pool)


def not_migrated(connection: Connection) -> "QuerySet[MigratedUser]":
    """Pool users who have not migrated, without those who are excluded or gone."""
    return pool_users(connection).exclude(status__in=[Status.MIGRATED, *MigratedUser.OUT])


def checklist(connection: Connection, *, now: datetime, coverage: float = COVERAGE) -> list[Item]:
    """All items, in the order in which to fix them. Counts all rows of the pool: for a command, not for a page."""
    runs = ImportRun.objects.filter(connection=connection.alias, state=ImportRun.State.DONE)
    imported = runs.exclude(source=ImportRun.Source.ACTIVATION).aggregate(at=Max("finished_at"))["at"]
    people = pool_users(connection).exclude(status__in=MigratedUser.OUT)
    total, migrated = people.count(), people.filter(status=Status.MIGRATED).count()
    share = migrated / total if total else 0.0
    undecided = cases.undecided(pool_users(connection).filter(decision__isnull=True)).count()
    blind = tombstones.unreadable()
    waiting = open_challenges(connection).filter(expires_at__gt=now).count()
    return [
        Item(
            "import",
            imported is not None and imported >= now - RECENT,
            f"last finished {imported:%Y-%m-%d %H:%M} UTC" if imported else "never imported",
            "Run cognito_import once more: after the cut-over, whoever is not known here does not exist.",
        ),
        Item(
            "coverage",
            total > 0 and share >= coverage,
            f"{migrated} of {total} migrated ({share:.1%}, wanted {coverage:.1%})",
            "Wait, invite the others, or lower --coverage: whoever is left proves themselves by our own code.",
        ),
        Item(
            "conflicts",
            not undecided,
            f"{undecided} need review",
            "Decide them in the admin, under Conflicts.",
        ),
        _senders(connection, now),
        _backup(connection, now),
        Item(
            "erasures",
            not blind,
            f"{blind} tombstones have lost their key" if blind else "every tombstone has its key",
            "Put the SECRET_KEY that they were made with back into SECRET_KEY_FALLBACKS: until then an import, or a "
            "sign-in, brings erased people back.",
        ),
        Item(
            "challenges",
            not waiting,
            f"{waiting} sign-ins are waiting for the pool's code",
            "Wait some minutes, or go on: these people have to start again, and are sent our own code.",
            must=False,
        ),
    ]


def _senders(connection: Connection, now: datetime) -> Item:
    """Fails for channels that people still need and by which our own senders have delivered nothing lately."""
    waiting = not_migrated(connection)
    used = {
        "email": waiting.exclude(email="").exists() or not waiting.exists(),
        "sms": waiting.exclude(phone_number="").filter(email="").exists(),
    }
    sent = Delivery.objects.filter(status=Delivery.Status.SENT, finished_at__gte=now - RECENT)
    sent = sent.exclude(sender__in=["", "cognito"])
    proven = set(sent.values_list("channel", flat=True).distinct().order_by())
    unproven = [channel for channel, is_used in used.items() if is_used and channel not in proven]
    return Item(
        "senders",
        not unproven,
        f"no message of ours went out in 24 hours by: {', '.join(unproven)}" if unproven else "proven in 24 hours",
        "Sign in with our own code, by each channel, as somebody who lives in Django already.",
    )


def _backup(connection: Connection, now: datetime) -> Item:
    state = ConnectionState.objects.filter(alias=connection.alias).first()
    exported = state.exported_at if state else None
    return Item(
        "backup",
        exported is not None and exported >= now - RECENT,
        f"mapping exported {exported:%Y-%m-%d %H:%M} UTC, {state.exported_rows} rows, SHA-256 {state.exported_digest}"
        if state and exported
        else "the mapping was never exported",
        "Write it with --export, and keep the file where the database's own backups are.",
    )


def open_challenges(connection: Connection) -> "QuerySet[ChallengeSession]":
    """Sign-ins that wait for this pool, expired ones included."""
    return ChallengeSession.objects.filter(connection=connection.alias, outcome=Outcome.OPEN)


def retire(connection: Connection, *, now: datetime, by: str = "") -> int:
    """Retires a connection: its pool is never called again. Returns how many open challenges it ended. A second call
    changes nothing.

    Raises `RuntimeError` inside a transaction: other processes must see the retirement before the open challenges are
    read.
    """
    with transaction.atomic(using=router.db_for_write(ConnectionState), durable=True):
        if _state(connection).filter(retired_at__isnull=True).update(retired_at=now):
            audit.write(attempt_of(connection.alias), "retired", connection=connection.alias, now=now, by=by)
    # Only now: a challenge that is opened from here on has seen that the connection is retired.
    return end_open_challenges(connection)


def end_open_challenges(connection: Connection) -> int:
    """Ends them; their people have to start again. One statement."""
    return open_challenges(connection).update(outcome=Outcome.SUPERSEDED, pool_session="")


def unretire(connection: Connection, *, now: datetime, by: str = "") -> bool:
    """Reinstates a connection. False if it was not retired here."""
    with transaction.atomic(using=router.db_for_write(ConnectionState)):
        retired = ConnectionState.objects.filter(alias=connection.alias, retired_at__isnull=False)
        if not retired.update(retired_at=None):
            return False
        audit.write(attempt_of(connection.alias), "unretired", connection=connection.alias, now=now, by=by)
    return True


def _state(connection: Connection) -> "QuerySet[ConnectionState]":
    """The one row of the connection, created if there was none. The write comes first: SQLite locks by it."""
    ConnectionState.objects.bulk_create([ConnectionState(alias=connection.alias)], ignore_conflicts=True)
    return ConnectionState.objects.filter(alias=connection.alias)


def attempt_of(alias: str) -> UUID:
    """The id that the events of a connection's cut-over share."""
    return uuid5(_NAMESPACE, alias)


def export_mapping(connection: Connection, path: Path, *, now: datetime) -> export.Written:
    """Writes the backup of which pool user became which Django user, and records that it exists."""
    columns = ("connection", "pool", "sub", "status", "user_id", "method", "migrated_at")
    rows = in_pages(pool_users(connection).values_list("pk", *columns), itemgetter(0))
    texts = ([*values, moment.isoformat() if moment else ""] for _pk, *values, moment in rows)
    written = export.write(path, MAPPING_COLUMNS, texts)
    _state(connection).update(exported_at=now, exported_rows=written.rows, exported_digest=written.digest)
    return written


def export_not_migrated(connection: Connection, path: Path) -> export.Written:
    """Writes who has not migrated, and how each could sign in after the cut-over."""
    columns = NOT_MIGRATED_COLUMNS[:-1]
    rows = in_pages(not_migrated(connection), attrgetter("pk"))
    texts = ([*(getattr(row, column) for column in columns), sign_in_options(row)] for row in rows)
    return export.write(path, NOT_MIGRATED_COLUMNS, texts)


def sign_in_options(row: MigratedUser) -> str:
    """The channels by which our code lets in a person who never migrated; else the reason why none does."""
    if not row.pool_enabled:
        return "no: disabled in the pool"
    if row.decision is None and row.status != Status.PENDING:
        return "no: waits for a decision"
    if row.decision is None and has_second_factor(row):
        return "no: a second factor in the pool"
    good = row.verified_keys | {(row.decision or {}).get("address", "")} - {""}
    channels = [name for name, key in (("email", row.email_key), ("sms", row.phone_key)) if key in good]
    return ", ".join(channels) or (
        "no: no address verified in the pool" if row.email or row.phone_number else "no: no address"
    )


def count_not_migrated(connection: Connection) -> dict[str, int]:
    """How many have not migrated, by whether they were enabled at the last import. Two statements."""
    waiting = not_migrated(connection)
    enabled, disabled = (waiting.filter(pool_enabled=is_enabled).count() for is_enabled in (True, False))
    return {"enabled": enabled, "disabled": disabled}

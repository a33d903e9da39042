"""Leaving a pool: is everything ready, call it never again, and back if needed.

A retirement is a row in the database, so that it holds for every process from its next request on. It ends the open
challenges of its connection; who is left and was enabled proves themselves by our own code (`flows.sending.routing`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from django.db import router, transaction
from django.db.models import Max, QuerySet

from ...cognito import Connection
from ...models import ChallengeSession, ConnectionState, Delivery, ImportRun, MigratedUser
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


class NotReady(Exception):
    """Nothing was changed: these items of the checklist have failed."""

    def __init__(self, failed: list[str]) -> None:
        super().__init__(", ".join(failed))
        self.failed = failed


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the checklist: what was found, and how to mend it where it has failed. Where it is no ``must``, it
    stops nobody."""

    name: str
    passed: bool
    found: str
    mend: str = ""
    must: bool = True


def pool_users(connection: Connection) -> "QuerySet[MigratedUser]":
    """Everybody of the connection's pool, whatever it was called when they came (law 7)."""
    return MigratedUser.objects.filter(pool=connection.pool)


def not_migrated(connection: Connection) -> "QuerySet[MigratedUser]":
    """Who has not come over, and is not out."""
    return pool_users(connection).exclude(status__in=[Status.MIGRATED, *MigratedUser.OUT])


def checklist(connection: Connection, *, now: datetime, coverage: float = COVERAGE) -> list[Item]:
    """Every item, in the order in which to mend them. Counts all rows of the pool: for a command, not for a page."""
    return [
        _imported(connection, now),
        _covered(connection, coverage),
        _decided(connection),
        _sendable(connection, now),
        _backed_up(connection, now),
        _readable(),
        _idle(connection, now),
    ]


def _imported(connection: Connection, now: datetime) -> Item:
    runs = ImportRun.objects.filter(connection=connection.alias, state=ImportRun.State.DONE)
    runs = runs.exclude(source=ImportRun.Source.ACTIVATION)
    latest = runs.aggregate(latest=Max("finished_at"))["latest"]
    return Item(
        "import",
        latest is not None and latest >= now - RECENT,
        f"last finished {latest:%Y-%m-%d %H:%M} UTC" if latest else "never imported",
        "Run cognito_import once more: after the cut-over, whoever is not known here does not exist.",
    )


def _covered(connection: Connection, wanted: float) -> Item:
    everybody = pool_users(connection).exclude(status__in=MigratedUser.OUT)
    total, migrated = everybody.count(), everybody.filter(status=Status.MIGRATED).count()
    share = migrated / total if total else 0.0
    return Item(
        "coverage",
        total > 0 and share >= wanted,
        f"{migrated} of {total} migrated ({share:.1%}, wanted {wanted:.1%})",
        "Wait, invite the others, or lower --coverage: whoever is left proves themselves by our own code.",
    )


def _decided(connection: Connection) -> Item:
    waiting = cases.undecided(pool_users(connection).filter(decision__isnull=True)).count()
    return Item("conflicts", not waiting, f"{waiting} wait for a human", "Decide them in the admin, under Conflicts.")


def _sendable(connection: Connection, now: datetime) -> Item:
    """Channels that people are left on, by whom our own senders have reached nobody lately."""
    waiting = not_migrated(connection)
    used = {
        "email": waiting.exclude(email="").exists() or not waiting.exists(),
        "sms": waiting.exclude(phone_number="").filter(email="").exists(),
    }
    proven = set(
        Delivery.objects.filter(status=Delivery.Status.SENT, finished_at__gte=now - RECENT)
        .exclude(sender__in=["", "cognito"])
        .values_list("channel", flat=True)
        .distinct()
        .order_by()
    )
    missing = [channel for channel, is_used in used.items() if is_used and channel not in proven]
    return Item(
        "senders",
        not missing,
        f"no message of ours went out in 24 hours by: {', '.join(missing)}" if missing else "proven in 24 hours",
        "Sign in with our own code, by each channel, as somebody who lives in Django already.",
    )


def _backed_up(connection: Connection, now: datetime) -> Item:
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


def _readable() -> Item:
    blind = tombstones.unreadable()
    return Item(
        "erasures",
        not blind,
        f"{blind} tombstones have lost their key" if blind else "every tombstone has its key",
        "Put the SECRET_KEY that they were made with back into SECRET_KEY_FALLBACKS: until then an import, or a "
        "sign-in, brings erased people back.",
    )


def _idle(connection: Connection, now: datetime) -> Item:
    open_ones = open_challenges(connection).filter(expires_at__gt=now).count()
    return Item(
        "challenges",
        not open_ones,
        f"{open_ones} sign-ins are waiting for the pool's code",
        "Wait some minutes, or go on: these people have to start again, and are sent our own code.",
        must=False,
    )


def open_challenges(connection: Connection) -> "QuerySet[ChallengeSession]":
    """Sign-ins that wait for this pool, expired ones too."""
    return ChallengeSession.objects.filter(connection=connection.alias, outcome=Outcome.OPEN)


def retire(connection: Connection, *, now: datetime, by: str = "") -> int:
    """From now on nobody calls this pool. Returns how many open challenges it ended. A second time changes nothing.

    Raises `RuntimeError` inside a transaction: others must see it before the open challenges are looked for.
    """
    with transaction.atomic(using=router.db_for_write(ConnectionState), durable=True):
        if _state(connection).filter(retired_at__isnull=True).update(retired_at=now):
            audit.write(attempt_of(connection.alias), "retired", connection=connection.alias, now=now, by=by)
    # Only now: whoever opens one from here on has seen that the connection is retired.
    return end_open_challenges(connection)


def end_open_challenges(connection: Connection) -> int:
    """Their people start again. One statement."""
    return open_challenges(connection).update(outcome=Outcome.SUPERSEDED, pool_session="")


def unretire(connection: Connection, *, now: datetime, by: str = "") -> bool:
    """The pool may be called again. False where it was not this that had retired it."""
    with transaction.atomic(using=router.db_for_write(ConnectionState)):
        retired = ConnectionState.objects.filter(alias=connection.alias, retired_at__isnull=False)
        if not retired.update(retired_at=None):
            return False
        audit.write(attempt_of(connection.alias), "unretired", connection=connection.alias, now=now, by=by)
    return True


def _state(connection: Connection) -> "QuerySet[ConnectionState]":
    """The one row of the connection, made where there was none. The write comes first, as SQLite wants it."""
    ConnectionState.objects.bulk_create([ConnectionState(alias=connection.alias)], ignore_conflicts=True)
    return ConnectionState.objects.filter(alias=connection.alias)


def attempt_of(alias: str) -> UUID:
    """What ties the events of a connection's cut-over together."""
    return uuid5(_NAMESPACE, alias)


def export_mapping(connection: Connection, path: Path, *, now: datetime) -> export.Written:
    """The backup of who became whom, and a note that there is one."""
    rows = pool_users(connection).order_by("pk")
    columns = ("connection", "pool", "sub", "status", "user_id", "method", "migrated_at")
    written = export.write(path, MAPPING_COLUMNS, _as_text(rows.values_list(*columns).iterator(chunk_size=2000)))
    _state(connection).update(exported_at=now, exported_rows=written.rows, exported_digest=written.digest)
    return written


def _as_text(rows: Any) -> Iterator[list[Any]]:
    for *values, moment in rows:
        yield [*values, moment.isoformat() if moment else ""]


def export_not_migrated(connection: Connection, path: Path) -> export.Written:
    """Who is left, and how each would come in after the cut-over."""
    rows = not_migrated(connection).order_by("pk").iterator(chunk_size=2000)
    return export.write(path, NOT_MIGRATED_COLUMNS, ([*_who(row), sign_in_options(row)] for row in rows))


def _who(row: MigratedUser) -> list[str]:
    return [row.connection, row.sub, row.username, row.email, row.phone_number, row.status, row.last_error]


def sign_in_options(row: MigratedUser) -> str:
    """By which of our codes somebody comes in who was never migrated; else why they do not."""
    if not row.pool_enabled:
        return "no: disabled in the pool"
    if row.decision is None and row.status != Status.PENDING:
        return "no: waits for a decision"
    if row.decision is None and has_second_factor(row):
        return "no: a second factor in the pool"
    good = row.verified_keys | {(row.decision or {}).get("address", "")} - {""}
    found = [name for name, key in (("email", row.email_key), ("sms", row.phone_key)) if key in good]
    return ", ".join(found) or (
        "no: no address verified in the pool" if row.email or row.phone_number else "no: no address"
    )


def count_not_migrated(connection: Connection) -> dict[str, int]:
    """Who is left, by whether they were enabled at the last import. Two statements."""
    waiting = not_migrated(connection)
    return {
        "enabled": waiting.filter(pool_enabled=True).count(),
        "disabled": waiting.filter(pool_enabled=False).count(),
    }

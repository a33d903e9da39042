"""Leases on runs: one process at a time for each connection. The run of a dead process can be taken over at once, the
run of a silent one after `LEASE`.

A process proves in every transaction that it still holds the run (`hold`), so one that was wrongly taken for dead
stops at its next page and has written nothing twice.
"""

import os
import secrets
import socket
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, router, transaction

from ...models import ImportRun

State = ImportRun.State
LEASE: Final = timedelta(seconds=120)
HEARTBEAT: Final = 15.0  # seconds: how often a process that waits renews its lease


class Busy(Exception):
    """Another process works on this connection."""

    def __init__(self, run: ImportRun | None) -> None:
        super().__init__("another process is importing")
        self.run = run


class Lost(Exception):
    """Another process has taken this run over."""


class NothingToContinue(Exception):
    """There is no unfinished run."""


def claim(
    alias: str,
    source: ImportRun.Source,
    *,
    now: datetime,
    fingerprint: str = "",
    fresh: bool | None = None,
    expected: int | None = None,
) -> ImportRun:
    """Takes the unfinished run of this connection, or begins a new one, for this process alone.

    ``fresh`` True always begins a new one, False never. Raises `Busy` and `NothingToContinue`.
    """
    running = _running(alias)
    if running:
        if running.updated_at > now - LEASE and not _is_dead(running.holder):
            raise Busy(running)
        ImportRun.objects.filter(pk=running.pk, holder=running.holder, updated_at=running.updated_at).update(
            state=State.INTERRUPTED, holder="", finished_at=running.updated_at, last_error="no sign of life"
        )
    holder = f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(8)}"
    runs = ImportRun.objects.filter(connection=alias, source=source).order_by("-started_at", "-pk")
    # Only the latest run can be continued, and only with the same file.
    unfinished = None if fresh else runs.first()
    continuable = {State.INTERRUPTED, State.FAILED}
    if unfinished and (unfinished.state not in continuable or unfinished.fingerprint != fingerprint):
        unfinished = None
    if fresh is False and unfinished is None:
        raise NothingToContinue
    try:
        # A constraint of the database allows one run in the state RUNNING for each connection.
        with transaction.atomic(using=router.db_for_write(ImportRun)):
            if unfinished is None:
                return ImportRun.objects.create(
                    connection=alias,
                    source=source,
                    holder=holder,
                    fingerprint=fingerprint,
                    expected=expected,
                    started_at=now,
                    updated_at=now,
                )
            same = ImportRun.objects.filter(pk=unfinished.pk, state=unfinished.state, updated_at=unfinished.updated_at)
            taken = same.update(state=State.RUNNING, holder=holder, updated_at=now, finished_at=None, last_error="")
    except IntegrityError:
        raise Busy(_running(alias)) from None
    if not taken:
        raise Busy(_running(alias))
    # Read again: the other process may have come further since.
    return ImportRun.objects.get(pk=unfinished.pk)


def hold(run: ImportRun, *, now: datetime) -> None:
    """Renews the lease; the first statement of a transaction that writes. Raises `Lost` if another process holds the
    run, or has advanced it."""
    ours = ImportRun.objects.filter(pk=run.pk, holder=run.holder, state=State.RUNNING, position=run.position)
    if not ours.update(updated_at=now):
        raise Lost
    run.updated_at = now


def advance(run: ImportRun, page_token: str, **counted: int) -> None:
    """Stores the position and the counts; the last statement of a transaction that writes. Raises `Lost`."""
    position = run.position + counted["seen"]
    after = {name: getattr(run, name) + more for name, more in counted.items()}
    after |= {"page_token": page_token, "position": position}
    ours = ImportRun.objects.filter(pk=run.pk, holder=run.holder, state=State.RUNNING, position=run.position)
    if not ours.update(**after):
        raise Lost
    for name, value in after.items():
        setattr(run, name, value)


def close(run: ImportRun, state: ImportRun.State, *, now: datetime, error: str = "") -> None:
    """Ends the work on a run and releases it. Raises `Lost`."""
    ended = {"state": state, "updated_at": now, "finished_at": now, "last_error": error[:200], "holder": ""}
    if not ImportRun.objects.filter(pk=run.pk, holder=run.holder, state=State.RUNNING).update(**ended):
        raise Lost
    for name, value in ended.items():
        setattr(run, name, value)


def _running(alias: str) -> ImportRun | None:
    return ImportRun.objects.filter(connection=alias, state=State.RUNNING).first()


def _is_dead(holder: str) -> bool:
    """Whether the process is known to have ended; of another machine's process nothing is known."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname()[:80] or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False

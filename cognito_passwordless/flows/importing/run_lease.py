"""Who works on which run. One at a time for each connection; a dead process's run can be taken over at once, one that
gives no sign of life after `LEASE`.

Whoever works proves in every transaction that the run is still theirs (`hold`), so a process that was only thought
dead stops at its next page and has written nothing twice.
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
# How long somebody who works is silent at most.
HEARTBEAT: Final = 15.0  # seconds


class Busy(Exception):
    """Somebody else works on this connection."""

    def __init__(self, run: ImportRun | None) -> None:
        super().__init__("another process is importing")
        self.run = run


class Lost(Exception):
    """Somebody else has taken this run over."""


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
    """The unfinished run of this connection, or a new one, for this process alone.

    ``fresh`` True begins a new one in any case, False never. Raises `Busy` and `NothingToContinue`.
    """
    _give_up_the_dead(alias, now)
    holder = f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(8)}"
    if not fresh:
        left = _unfinished(alias, source, fingerprint)
        if left is not None:
            return _take(left, holder, now)
        if fresh is False:
            raise NothingToContinue
    try:
        with transaction.atomic(using=router.db_for_write(ImportRun)):
            return ImportRun.objects.create(
                connection=alias,
                source=source,
                holder=holder,
                fingerprint=fingerprint,
                expected=expected,
                started_at=now,
                updated_at=now,
            )
    except IntegrityError:
        raise Busy(_running(alias)) from None


def hold(run: ImportRun, *, now: datetime) -> None:
    """The first statement of whoever writes: the run is ours, and is where we think it is. Raises `Lost`."""
    ours = ImportRun.objects.filter(pk=run.pk, holder=run.holder, state=State.RUNNING, position=run.position)
    if not ours.update(updated_at=now):
        raise Lost
    run.updated_at = now


def advance(run: ImportRun, page_token: str, **counted: int) -> None:
    """The last statement of whoever writes: how far the run is, and what it counted."""
    position = run.position + counted["seen"]
    after = {name: getattr(run, name) + more for name, more in counted.items()}
    after |= {"page_token": page_token, "position": position}
    ours = ImportRun.objects.filter(pk=run.pk, holder=run.holder, state=State.RUNNING, position=run.position)
    if not ours.update(**after):
        raise Lost
    for name, value in after.items():
        setattr(run, name, value)


def close(run: ImportRun, state: ImportRun.State, *, now: datetime, error: str = "") -> None:
    """Ends the work on a run, and lets it go."""
    ended = {"state": state, "updated_at": now, "finished_at": now, "last_error": error[:200], "holder": ""}
    if not ImportRun.objects.filter(pk=run.pk, holder=run.holder, state=State.RUNNING).update(**ended):
        raise Lost
    for name, value in ended.items():
        setattr(run, name, value)


def _unfinished(alias: str, source: ImportRun.Source, fingerprint: str) -> ImportRun | None:
    """The latest of its kind, if it did not come to its end. One of another file is another one."""
    latest = ImportRun.objects.filter(connection=alias, source=source).order_by("-started_at", "-pk").first()
    if latest is None or latest.state not in {State.INTERRUPTED, State.FAILED} or latest.fingerprint != fingerprint:
        return None
    return latest


def _take(run: ImportRun, holder: str, now: datetime) -> ImportRun:
    mine = {"state": State.RUNNING, "holder": holder, "updated_at": now, "finished_at": None, "last_error": ""}
    try:
        with transaction.atomic(using=router.db_for_write(ImportRun)):
            taken = ImportRun.objects.filter(pk=run.pk, state=run.state, updated_at=run.updated_at).update(**mine)
    except IntegrityError:
        taken = 0
    if not taken:
        raise Busy(_running(run.connection))
    # Not what was read before: the other process may have come further since.
    return ImportRun.objects.get(pk=run.pk)


def _give_up_the_dead(alias: str, now: datetime) -> None:
    run = _running(alias)
    if run is None:
        return
    if not _is_dead(run.holder) and run.updated_at > now - LEASE:
        raise Busy(run)
    ImportRun.objects.filter(pk=run.pk, holder=run.holder, updated_at=run.updated_at).update(
        state=State.INTERRUPTED, holder="", finished_at=run.updated_at, last_error="no sign of life"
    )


def _running(alias: str) -> ImportRun | None:
    return ImportRun.objects.filter(connection=alias, state=State.RUNNING).first()


def _is_dead(holder: str) -> bool:
    """Whether the process is known not to be there; of another machine's nothing is known."""
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

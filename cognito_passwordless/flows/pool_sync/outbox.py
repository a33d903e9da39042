"""Transactional outbox: pending updates for the pool about migrated users, and their hand-off to a worker.

A notice is a row, written in the transaction of the migration; `worker` carries it out. It may be handed over twice,
late or again (law 9), and no sign-in waits for a pool or fails because of it.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import router, transaction
from django.db.models import F
from django.utils.module_loading import import_string

from ...cognito import Connection
from ...conf import conf
from ...exceptions import DispatchFailed
from ...models import MigratedUser, PoolNotice

logger = logging.getLogger(__name__)

CELERY: Final = "cognito_passwordless.tasks.ask_to_mark"
INLINE: Final = "cognito_passwordless.tasks.mark_inline"
# A notice that fell out of the queue, or failed too often in a row, is handed over again after this time.
AGAIN: Final = timedelta(hours=1)
AT_ONCE: Final = 500
# A key of `PoolNotice.told`: the user was disabled in the pool, or may have been.
DISABLED: Final = "disable"


def request_update(person: MigratedUser, connection: Connection, *, now: datetime) -> None:
    """Writes the notice in the transaction of the migration, and hands it over after commit. Two statements, or none
    if the connection has no ``after_migration``."""
    if not connection.after_migration:
        return
    # The person's row is locked, so no other process creates the notice. One from before an undo knows what the pool
    # was told then.
    if not _request_again(person, now):
        PoolNotice.objects.create(person=person, asked_at=now)
    _hand_over_on_commit(person.pk)


def request_revert(person: MigratedUser, *, now: datetime) -> None:
    """Called in the transaction of an undo: the worker will remove our mark and enable the user again. One statement,
    or three if the pool was told of this person."""
    if not _request_again(person, now):
        return
    if PoolNotice.objects.filter(pk=person.pk, told__has_key=DISABLED).exists():
        # An import may have stored that they are disabled, which we caused and which would keep them out.
        MigratedUser.objects.filter(pk=person.pk).update(pool_enabled=True)
    _hand_over_on_commit(person.pk)


def _request_again(person: MigratedUser, now: datetime) -> int:
    rows = PoolNotice.objects.filter(pk=person.pk)
    return rows.update(waiting=True, version=F("version") + 1, tries=0, cause="", asked_at=now)


def _hand_over_on_commit(pk: int) -> None:
    transaction.on_commit(partial(hand_over, pk), using=router.db_for_write(PoolNotice), robust=True)


def hand_over(pk: int) -> bool:
    """Gives only the id to a worker. False if the broker takes no message: `hand_over_again` will find the notice."""
    try:
        import_string(INLINE if conf.dispatch == "inline" else CELERY)(pk)
    except DispatchFailed as error:
        logger.warning("the pool hears later of %s: %s", pk, error)
        return False
    return True


def hand_over_again(now: datetime) -> int:
    """Hands over notices that have waited for `AGAIN`. Returns how many. May run at any time."""
    waiting = PoolNotice.objects.filter(waiting=True, asked_at__lte=now - AGAIN).order_by("asked_at")
    handed = 0
    for pk in list(waiting.values_list("pk", flat=True)[:AT_ONCE]):
        if not hand_over(pk):
            break
        PoolNotice.objects.filter(pk=pk, asked_at__lte=now).update(asked_at=now)
        handed += 1
    return handed

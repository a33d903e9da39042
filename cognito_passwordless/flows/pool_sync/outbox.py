"""What a pool shall be told about somebody who has left it, or come back: the wish, and how it gets to a worker.

The wish is a row, written with the migration; `worker` carries it out. So it may be handed out twice, late or again
(law 9), and a sign-in never waits for a pool nor fails by it.
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
# What fell out of the queue, and what has failed too often in a row, is handed out anew after this time.
AGAIN: Final = timedelta(hours=1)
AT_ONCE: Final = 500
# A word of `PoolNotice.told`: it happened, or may have happened.
DISABLED: Final = "disable"


def request_update(person: MigratedUser, connection: Connection, *, now: datetime) -> None:
    """Writes the wish, in the transaction of the migration; a worker is told after commit. Two statements, or none
    where the connection tells its pool nothing."""
    if not connection.after_migration:
        return
    # The person's row is locked: nobody else makes this one. One of before an undo knows what the pool was told then.
    if not _request_again(person, now):
        PoolNotice.objects.create(person=person, asked_at=now)
    _tell_a_worker(person.pk)


def request_revert(person: MigratedUser, *, now: datetime) -> None:
    """After an undo, in its transaction: whoever was marked or disabled by us shall not be any longer. One statement;
    three for somebody of whom the pool was told."""
    if not _request_again(person, now):
        return
    if PoolNotice.objects.filter(pk=person.pk, told__has_key=DISABLED).exists():
        # An import may have seen that they are disabled, which was our doing and would keep them out.
        MigratedUser.objects.filter(pk=person.pk).update(pool_enabled=True)
    _tell_a_worker(person.pk)


def _request_again(person: MigratedUser, now: datetime) -> int:
    rows = PoolNotice.objects.filter(pk=person.pk)
    return rows.update(waiting=True, version=F("version") + 1, tries=0, cause="", asked_at=now)


def _tell_a_worker(pk: int) -> None:
    transaction.on_commit(partial(hand_over, pk), using=router.db_for_write(PoolNotice), robust=True)


def hand_over(pk: int) -> bool:
    """Gives the id, and nothing else, to a worker. False where none takes it: the wish is still there for
    `hand_over_again`."""
    try:
        import_string(INLINE if conf.dispatch == "inline" else CELERY)(pk)
    except DispatchFailed as error:
        logger.warning("the pool hears later of %s: %s", pk, error)
        return False
    return True


def hand_over_again(now: datetime) -> int:
    """Hands out anew what has waited for long. Returns how many. May run at any time."""
    waiting = PoolNotice.objects.filter(waiting=True, asked_at__lte=now - AGAIN).order_by("asked_at")
    handed = 0
    for pk in list(waiting.values_list("pk", flat=True)[:AT_ONCE]):
        if not hand_over(pk):
            break
        PoolNotice.objects.filter(pk=pk, asked_at__lte=now).update(asked_at=now)
        handed += 1
    return handed

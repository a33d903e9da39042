"""The Celery tasks: thin, and free of secrets. Messages in the queue carry ids only (law 1)."""

import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.worker.control import inspect_command
from django.db import Error as DatabaseFailure
from django.utils import timezone

from .delivery import Failure, SendFailed
from .exceptions import DispatchFailed
from .flows import importing, purge
from .flows.accounts import owner_notices
from .flows.limits import guard
from .flows.pool_sync import outbox
from .flows.pool_sync.worker import RetryLater, update_pool
from .flows.progress import rollup
from .flows.sending import recovery, workers
from .flows.sending.send_code import QUEUES, TryLater, send
from .identity import Channel

# Those that a schedule names or a site calls; the rest is for `DISPATCH` and the package itself.
__all__ = [
    "import_directory",
    "mark_migrated_in_pool",
    "purge_expired",
    "recover_notices",
    "recover_sends",
    "roll_up_progress",
    "send_code",
    "tell_owner",
    "watch_conversion",
]

logger = logging.getLogger(__name__)
NOTICE_TRIES = 6
DATABASE_TRIES = 12


# Acknowledged after the work, and handed back when the process that does it dies; `flows.sending.deliveries` makes a
# second run harmless. How often a message is tried is counted on its row, not here.
@shared_task(
    bind=True,
    name="cognito_passwordless.send_code",
    acks_late=True,
    reject_on_worker_lost=True,
    ignore_result=True,
    max_retries=None,
)
def send_code(self: Any, challenge_id: str, generation: int) -> None:
    """Sends what a challenge asks for, or finds that nothing is to be sent. Throttling, time-outs, 5xx and errors of
    the database are retried with a jittered back-off of 1 to 16 seconds."""
    alone = self.request.is_eager  # eager tasks are retried at once: no other worker is waited for
    try:
        send(UUID(challenge_id), generation, now=timezone.now(), final=alone)
    except TryLater as later:
        delay = later.seconds or importing.back_off(later.tries)
        logger.info("%s will be tried again in %.1f s: %s", challenge_id, delay, later)
        raise self.retry(countdown=delay, exc=None) from None
    except DatabaseFailure as error:
        # Counted by the queue: the row cannot be asked. What is given up is found by `recover_sends`.
        tries = self.request.retries + 1
        if alone or tries >= DATABASE_TRIES:
            raise
        delay = importing.back_off(tries)
        logger.warning("%s will be tried again in %.1f s: %s", challenge_id, delay, type(error).__name__)
        raise self.retry(countdown=delay, exc=None) from None


@shared_task(name="cognito_passwordless.purge_expired", ignore_result=True)
def purge_expired() -> None:
    """Deletes what `RETENTION` no longer keeps. Meant for Celery beat, once a day."""
    purge.purge_expired(timezone.now())


@shared_task(name="cognito_passwordless.roll_up_progress", ignore_result=True)
def roll_up_progress() -> None:
    """Counts how far the migration is, for the admin. Meant for Celery beat, every five minutes."""
    rollup.roll_up(timezone.now())


@shared_task(name="cognito_passwordless.recover_sends", ignore_result=True)
def recover_sends() -> None:
    """Asks again for messages that fell out of the queue. Meant for Celery beat, once a minute."""
    recovery.recover_sends(timezone.now())


@shared_task(name="cognito_passwordless.watch_conversion", ignore_result=True)
def watch_conversion() -> None:
    """Stops SMS to numbers whose codes are no longer entered. Meant for Celery beat, once a minute."""
    guard.look(timezone.now())


@shared_task(
    bind=True,
    name="cognito_passwordless.mark_migrated_in_pool",
    acks_late=True,
    reject_on_worker_lost=True,
    ignore_result=True,
    max_retries=None,
)
def mark_migrated_in_pool(self: Any, migrated_user_id: int) -> None:
    """Tells the pool what `after_migration` of the connection says of one person, or takes it back after an undo.
    Retried as `send_code` is."""
    try:
        update_pool(migrated_user_id, clock=timezone.now)
    except RetryLater as later:
        if self.request.is_eager:
            return
        raise self.retry(countdown=later.seconds or importing.back_off(later.tries), exc=None) from None


@shared_task(name="cognito_passwordless.recover_notices", ignore_result=True)
def recover_notices() -> None:
    """Tells the pools what they have not been told yet. Meant for Celery beat, every ten minutes."""
    outbox.hand_over_again(timezone.now())


@shared_task(
    bind=True,
    name="cognito_passwordless.import_directory",
    acks_late=True,
    reject_on_worker_lost=True,
    ignore_result=True,
    max_retries=None,
)
def import_directory(
    self: Any, alias: str, *, rate: float = importing.QUOTA, goes_on: bool = False, failures: int = 0
) -> None:
    """Imports the pool of a connection, or goes on where an import of it ended; `flows.importing.task` says how.
    The rest of a long one is the next message; only that one says ``goes_on`` and ``failures``."""
    alone = self.request.is_eager  # there is no other message to let through, and no later
    seconds = None if alone else importing.SLICE
    left = importing.import_slice(
        alias, clock=timezone.now, goes_on=goes_on, failures=failures, rate=rate, seconds=seconds
    )
    if left is not None and not alone:
        following = {"rate": rate, "goes_on": True, "failures": left.failures}
        raise self.retry(args=(alias,), kwargs=following, countdown=left.seconds, exc=None)


@shared_task(
    bind=True,
    name="cognito_passwordless.tell_owner",
    acks_late=True,
    reject_on_worker_lost=True,
    ignore_result=True,
    max_retries=None,
)
def tell_owner(self: Any, sealed: str) -> None:
    """Sends a notice to the owner of an account. Throttling, time-outs and 5xx are retried a few times; what fails
    then is in the log."""
    try:
        owner_notices.send(sealed)
    except SendFailed as error:
        tries = self.request.retries + 1
        if error.failure is Failure.LATER and tries < NOTICE_TRIES and not self.request.is_eager:
            raise self.retry(countdown=importing.back_off(tries), exc=None) from None


def ask_to_tell_owner(sealed: str) -> None:
    """Queues `tell_owner`. Raises `DispatchFailed`."""
    _queue(tell_owner, sealed, queue=QUEUES[Channel.EMAIL])


def tell_owner_here(sealed: str) -> None:
    """In this process, once."""
    with suppress(SendFailed):
        owner_notices.send(sealed)


def ask_to_mark(migrated_user_id: int) -> None:
    """Queues `mark_migrated_in_pool`. Raises `DispatchFailed`."""
    _queue(mark_migrated_in_pool, migrated_user_id)


def mark_inline(migrated_user_id: int) -> None:
    """In this process, for development and tests: once, and what fails waits for `recover_notices`."""
    with suppress(RetryLater):
        update_pool(migrated_user_id, clock=timezone.now)


@inspect_command(name=workers.COMMAND)
def tell_keys(state: Any) -> list[str]:
    """What a running worker answers to ``manage.py cognito_workers``."""
    del state
    return workers.fingerprints()


class _Broker:
    """Whether the broker took the last message; only a change is worth a line in the log."""

    down = False

    def failed(self, error: Exception) -> None:
        if not self.down:
            logger.error("The broker takes no messages: %s. No code can be sent until it does", type(error).__name__)
        self.down = True

    def worked(self) -> None:
        if self.down:
            logger.warning("The broker takes messages again")
        self.down = False


broker = _Broker()


def dispatch_by_celery(challenge_id: str, generation: int, channel: str) -> None:
    """Queues `send_code`. Raises `DispatchFailed` at once when the broker is down: the person waits for the answer."""
    _queue(send_code, challenge_id, generation, queue=QUEUES[Channel(channel)])


def _queue(task: Any, *arguments: Any, **options: Any) -> None:
    try:
        task.apply_async(arguments, retry=False, **options)
    except Exception as error:  # noqa: BLE001  (each broker has errors of its own, and kombu hands them on)
        broker.failed(error)
        raise DispatchFailed("broker") from None
    broker.worked()

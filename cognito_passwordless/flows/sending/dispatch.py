"""Handing a challenge to the worker: by Celery, in this process, or by a callable of the site's."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from ...conf import conf
from ...identity import Channel
from ...models import ChallengeSession
from .send_code import TryLater, send

INLINE_TRIES = 2
QUEUES = {channel: f"cognito_{channel}" for channel in Channel}


def dispatch(challenge: ChallengeSession) -> None:
    """Asks for the challenge's next message, after commit when a transaction is open.

    Only ids travel. Raises `DispatchFailed` when the broker does not take it; inside a caller's transaction that
    happens after their commit, so it is logged there and the person asks for another code.
    """

    def hand_over() -> None:
        path = BUILT_IN.get(conf.dispatch, conf.dispatch)
        import_string(path)(str(challenge.pk), challenge.generation, challenge.channel)

    if transaction.get_connection(challenge._state.db).in_atomic_block:
        transaction.on_commit(hand_over, using=challenge._state.db, robust=True)
    else:
        hand_over()


BUILT_IN = {
    "celery": "cognito_passwordless.tasks.dispatch_by_celery",
    "inline": "cognito_passwordless.flows.sending.dispatch.dispatch_inline",
}


def dispatch_inline(challenge_id: str, generation: int, channel: str) -> None:
    """Sends in this process, for development and tests: a person waits for the provider, and timing tells."""
    del channel
    for tries in range(1, INLINE_TRIES + 1):
        try:
            send(UUID(challenge_id), generation, now=timezone.now(), final=tries == INLINE_TRIES)
        except TryLater:
            continue
        return

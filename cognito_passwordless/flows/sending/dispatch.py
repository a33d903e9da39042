"""Handing a challenge to the worker: by Celery, in this process, or by a callable of the site's."""

import logging

from django.db import transaction
from django.utils.module_loading import import_string

from ...conf import conf
from ...models import ChallengeSession

logger = logging.getLogger(__name__)

QUEUES = {"email": "cognito_email", "sms": "cognito_sms"}


def dispatch(challenge: ChallengeSession) -> None:
    """Asks for the challenge's next message, after commit when a transaction is open.

    Only ids travel. Raises `DispatchFailed` when the broker does not take it; inside a caller's transaction that
    happens after their commit, so it is logged there and the person asks for another code.
    """
    if transaction.get_connection(challenge._state.db).in_atomic_block:
        transaction.on_commit(lambda: _dispatch(challenge), using=challenge._state.db, robust=True)
        return
    _dispatch(challenge)


def _dispatch(challenge: ChallengeSession) -> None:
    chosen = conf.dispatch
    path = BUILT_IN.get(chosen, chosen)
    import_string(path)(str(challenge.pk), challenge.generation, challenge.channel)


BUILT_IN = {
    "celery": "cognito_passwordless.tasks.dispatch_by_celery",
    "inline": "cognito_passwordless.tasks.dispatch_inline",
}

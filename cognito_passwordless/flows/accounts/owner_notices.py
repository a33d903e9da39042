"""Mails that tell the owner of an account what has become of it. They carry no code and no token.

A notice goes to a worker after commit, and a sign-in neither waits for it nor fails by it. What travels is encrypted
with the site's own key: no address is in the queue, and the address may be one that the account has no longer.
"""

import json
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from uuid import uuid4

from django.db import router, transaction
from django.utils import translation
from django.utils.module_loading import import_string

from ... import keys
from ...conf import conf
from ...delivery import SendFailed, deliver, owner_message
from ...exceptions import DispatchFailed
from ...models import MigratedUser

logger = logging.getLogger(__name__)

CELERY: Final = "cognito_passwordless.tasks.ask_to_tell_owner"
# Where sign-ins are handed to something of the site's own, nobody else is known to take these.
HERE: Final = "cognito_passwordless.tasks.tell_owner_here"


def tell_owner(recipient: str, notice: str, facts: Mapping[str, Any]) -> None:
    """Has a mail sent after commit: ``notice`` names its templates, ``facts`` are what they show."""
    sealed = keys.encrypt(
        json.dumps(
            {
                "recipient": recipient,
                "notice": notice,
                "facts": facts,
                "language": translation.get_language() or "",
                "reference": str(uuid4()),
            }
        )
    )
    transaction.on_commit(partial(_hand_over, sealed, notice), using=router.db_for_write(MigratedUser), robust=True)


def _hand_over(sealed: str, notice: str) -> None:
    try:
        import_string(CELERY if conf.dispatch == "celery" else HERE)(sealed)
    except DispatchFailed as error:
        logger.error("An owner is not told (%s): no worker takes the mail: %s", notice, error)


def send(sealed: str) -> None:
    """The worker's part. Raises `SendFailed`."""
    opened = keys.decrypt(sealed)
    if opened is None:
        logger.error("An owner is not told: this process lacks the site's SECRET_KEY")
        return
    told = json.loads(opened)
    message = owner_message(
        told["notice"],
        recipient=told["recipient"],
        facts=told["facts"],
        language=told["language"],
        reference=told["reference"],
    )
    try:
        deliver(message)
    except SendFailed as error:
        logger.warning("An owner could not be told (%s): %s", told["notice"], error.cause)
        raise

"""Mails that tell the owner of an account what changed in it. They carry no code and no token.

A notice goes to a worker after commit; a sign-in neither waits for it nor fails with it. Queue messages are encrypted
with the site's own key and show no address. The address may be one that the account no longer has.
"""

import json
import logging
from collections.abc import Mapping
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
# With a dispatcher of the site's own for sign-ins, no worker is known to take these mails.
HERE: Final = "cognito_passwordless.tasks.tell_owner_here"


def tell_owner(recipient: str, notice: str, facts: Mapping[str, Any]) -> None:
    """Sends a mail after commit: ``notice`` names its templates, which show ``facts``."""
    mail = {"recipient": recipient, "notice": notice, "facts": facts}
    mail |= {"language": translation.get_language() or "", "reference": str(uuid4())}
    sealed = keys.encrypt(json.dumps(mail))

    def hand_over() -> None:
        try:
            import_string(CELERY if conf.dispatch == "celery" else HERE)(sealed)
        except DispatchFailed as error:
            logger.error("An owner is not told (%s): no worker takes the mail: %s", notice, error)

    transaction.on_commit(hand_over, using=router.db_for_write(MigratedUser), robust=True)


def send(sealed: str) -> None:
    """Called by the worker. Raises `SendFailed`."""
    opened = keys.decrypt(sealed)
    if opened is None:
        logger.error("An owner is not told: this process lacks the site's SECRET_KEY")
        return
    mail = json.loads(opened)
    notice = mail.pop("notice")
    try:
        deliver(owner_message(notice, **mail))
    except SendFailed as error:
        logger.warning("An owner could not be told (%s): %s", notice, error.cause)
        raise

"""Events from the pool's triggers: a person has signed up or signed in there. Nothing here calls the pool."""

import hashlib
import logging
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.core.cache import cache
from django.utils.translation import gettext as _

from ...cognito import Connection
from ...conf import conf
from ...delivery import Message
from ...delivery.base import SendFailed
from ...delivery.failover import deliver
from ...identifiers import MAX_LENGTH, known
from ...models import SUB_LENGTH, JourneyEvent, MigratedUser
from ...signals import pool_device_added, pool_user_confirmed
from ..accounts import tombstones
from ..events import journey
from ..events.journey import POOL_SIGN_IN

logger = logging.getLogger(__name__)
Status = MigratedUser.Status
# Seconds in which another call about the same person is a repeat: Cognito calls a trigger up to three times.
REPEAT_WINDOW = 60


def confirmed(
    connection: Connection,
    attributes: Mapping[str, str],
    *,
    username: str,
    now: datetime,
    said: Mapping[str, str] | None = None,
) -> None:
    """Stores a new pool user as pending, and sends a welcome mail. A repeated call changes nothing."""
    sub = attributes.get("sub", "")
    if not sub or len(sub) > SUB_LENGTH or tombstones.find_tombstone(connection.pool, sub):
        return
    email, phone = attributes.get("email", ""), attributes.get("phone_number", "")
    record, created = MigratedUser.objects.get_or_create(
        pool=connection.pool,
        sub=sub,
        defaults={
            "connection": connection.alias,
            "username": username[:MAX_LENGTH],
            "email": email[:MAX_LENGTH],
            "phone_number": phone[:32],
            "pool_status": "CONFIRMED",
            "imported_at": now,
        },
    )
    if not created:
        return
    pool_user_confirmed.send(sender=MigratedUser, migrated_user=record, client_metadata=said or {})
    if conf.lambda_welcome and known(email):
        app = {"app": conf.app_name}
        text = _("Welcome to %(app)s. You can sign in with a code that we send you.") % app
        _write(email, _("Welcome to %(app)s") % app, text, reference=f"welcome-{record.pk}")


def _write(address: str, subject: str, text: str, *, reference: str) -> None:
    message = Message(channel="email", recipient=address, subject=subject, text=text + "\n", reference=reference)
    try:
        deliver(message)
    except SendFailed as error:
        logger.warning("The mail %s could not be sent: %s", reference.partition("-")[0], error.cause)


def signed_in(
    connection: Connection,
    attributes: Mapping[str, str],
    *,
    new_device: bool,
    now: datetime,
    said: Mapping[str, str] | None = None,
) -> None:
    """Stores a sign-in that Cognito finished by itself, and sends the signal and the mail about a new device."""
    sub = attributes.get("sub", "")
    if not sub or len(sub) > SUB_LENGTH:
        return
    record = MigratedUser.objects.filter(pool=connection.pool, sub=sub).first()
    if record is None and tombstones.find_tombstone(connection.pool, sub):
        return
    event = JourneyEvent.objects.create(
        # An attempt of its own: the sign-in had no challenge of ours.
        attempt=uuid.uuid4(),
        at=now,
        step=POOL_SIGN_IN,
        outcome=JourneyEvent.Outcome.OK,
        connection=connection.alias,
        user_id=record.user_id if record else None,
        data={"sub": sub, "new_device": new_device},
    )
    if record:
        MigratedUser.objects.filter(pk=record.pk).update(active_at=now)
        # An import has missed a person who is marked as gone.
        MigratedUser.objects.filter(pk=record.pk, status=Status.GONE).update(status=Status.PENDING)
    journey.tell(event)
    if new_device:
        pool_device_added.send(
            sender=MigratedUser, connection=connection, sub=sub, migrated_user=record, client_metadata=said or {}
        )
        email = attributes.get("email", "")
        # Only to an address that was proven to the pool; anybody can claim one.
        proven = known(email) and attributes.get("email_verified") == "true"
        digest = hashlib.sha256(f"{connection.pool} {sub}".encode()).hexdigest()
        # Atomic, in the cache that all processes share: one mail for repeated calls.
        once = f"cognito_passwordless.new_device.{digest}"
        if conf.lambda_new_device_mail and proven and cache.add(once, 1, timeout=REPEAT_WINDOW):
            app = {"app": conf.app_name}
            text = _(
                "Somebody has just signed in to your account at %(app)s on a device that we did not know. "
                "If it was you, there is nothing to do. If it was not you, sign out everywhere and tell us."
            )
            _write(email, _("A new device at %(app)s") % app, text % app, reference=f"device-{event.attempt}")

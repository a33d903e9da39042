"""For observers outside: the package's own logic never listens to these.

Each signal has a TypedDict of its arguments, which also documents it. A receiver that wants types says
``def greet(sender: object, **sent: Unpack[UserMigrated]) -> None``. A receiver that raises inside a transaction takes
the step back.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypedDict

from django.dispatch import Signal

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser

    from .cognito import Connection
    from .models import JourneyEvent, MigratedUser

__all__ = [
    "BudgetNearlySpent",
    "JourneyEventRecorded",
    "MigrationUndone",
    "OwnershipProven",
    "PersonErased",
    "PoolDeviceAdded",
    "PoolUserConfirmed",
    "SmsBlockClosed",
    "UserMigrated",
    "budget_nearly_spent",
    "journey_event",
    "migration_undone",
    "ownership_proven",
    "person_erased",
    "pool_device_added",
    "pool_user_confirmed",
    "sms_block_closed",
    "user_migrated",
]


class _Sent(TypedDict):
    signal: Signal


class OwnershipProven(_Sent):
    """A person proved an address that their Django account had not verified. What an unproven holder left (password,
    sessions, links) is gone; a site drops its own tokens here. Sent inside the transaction."""

    user: "AbstractBaseUser"
    address: str


class UserMigrated(_Sent):
    """A pool user belongs to Django from now on; ``created``: the Django user is new. Sent after the commit."""

    user: "AbstractBaseUser"
    migrated_user: "MigratedUser"
    created: bool


class MigrationUndone(_Sent):
    """A migration was taken back, and the pool user is pending again; ``link_removed`` leaves a user who was there
    before. Sent after the commit."""

    migrated_user: "MigratedUser"
    outcome: Literal["user_removed", "user_kept", "link_removed"]


class PersonErased(_Sent):
    """A person is being erased; a site erases its own data here. ``user`` is None where there is none;
    ``user_removed``: the user is about to be deleted, with all that belongs to them. Sent inside the transaction."""

    user: "AbstractBaseUser | None"
    user_removed: bool


class JourneyEventRecorded(_Sent):
    """A step of a sign-in has been recorded. What a receiver raises is logged and changes nothing. Sent after the
    commit."""

    event: "JourneyEvent"


class BudgetNearlySpent(_Sent):
    """A budget of `LIMITS` has reached four fifths, or its end: each is told once in a window. ``name`` is a key of
    `LIMITS`, ``key`` a country or a number's prefix, empty for a total; ``window`` in seconds."""

    name: str
    key: str
    used: int
    limit: int
    window: int


class SmsBlockClosed(_Sent):
    """Codes to some numbers are no longer entered, so SMS to them have stopped. ``key``: ``"block +491511234"``,
    ``"network +49151"`` or ``"country DE"``. Sent after the commit; what a receiver raises is ignored."""

    key: str
    next_probe_at: "datetime"


class PoolUserConfirmed(_Sent):
    """A pool user has confirmed their sign-up in the pool, and is known as pending. ``client_metadata`` is what the
    client said; it may be anything."""

    migrated_user: "MigratedUser"
    client_metadata: Mapping[str, str]


class PoolDeviceAdded(_Sent):
    """A pool user has signed in, in the pool, from a device that it had not seen. ``migrated_user`` is None for a pool
    user whom Django does not know."""

    connection: "Connection"
    sub: str
    migrated_user: "MigratedUser | None"
    client_metadata: Mapping[str, str]


ownership_proven = Signal()  # OwnershipProven
user_migrated = Signal()  # UserMigrated
migration_undone = Signal()  # MigrationUndone
person_erased = Signal()  # PersonErased
journey_event = Signal()  # JourneyEventRecorded
budget_nearly_spent = Signal()  # BudgetNearlySpent
sms_block_closed = Signal()  # SmsBlockClosed
pool_user_confirmed = Signal()  # PoolUserConfirmed
pool_device_added = Signal()  # PoolDeviceAdded

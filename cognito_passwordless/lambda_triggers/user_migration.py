"""User migration: fetches a user from Django during a sign-in by password, or after a forgotten password.

It runs only for those two: never for a code sign-in or a custom challenge.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html
"""

import re
from collections.abc import Mapping

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, mapping, request_of, source_of, text, username_of
from .errors import Unavailable, not_allowed
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask

AUTHENTICATION, FORGOT = "UserMigration_Authentication", "UserMigration_ForgotPassword"
STATUSES = ("CONFIRMED", "RESET_REQUIRED", "FORCE_CHANGE_PASSWORD")
MEDIA = frozenset({"EMAIL", "SMS"})
VERIFIABLE = {"email": "email_verified", "phone_number": "phone_number_verified"}
# Names of attributes that Cognito takes from a migration; ``sub`` and its own are not among them.
_ATTRIBUTE = re.compile(r"(?:custom:)?[A-Za-z][A-Za-z0-9_]{0,19}", re.ASCII)
_OURS = frozenset({"sub", "identities", *VERIFIABLE.values()})
LONGEST = 2048
LONGEST_PASSWORD = 256


def respond(
    event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note, ask: "Ask | None" = None
) -> "dict[str, Any]":
    """The attributes and options that Django gives, each validated. Raises `Refused` if Django knows no such user."""
    from .site import client  # noqa: PLC0415  # kept beside its one use, so that a test may run without a network

    source, password = source_of(event), text(request_of(event).get("password"))
    # Django refuses unusable passwords, which it marks with a ``!``.
    usable = 0 < len(password) <= LONGEST_PASSWORD
    if source not in {AUTHENTICATION, FORGOT} or (source == AUTHENTICATION and not usable):
        raise not_allowed("source" if password else "password")
    payload = {**client.about(event), "attributes": {}}
    if source == AUTHENTICATION:
        payload["password"] = password
    user = (ask or client.ask)("user_migration", payload, settings=settings, deadline=deadline)
    if user.get("found") is not True:
        raise not_allowed("not_found")
    note("found")
    return answered(event, _response(user, username_of(event), source, settings))


def _response(user: "Mapping[str, Any]", username: str, source: str, settings: Settings) -> "dict[str, Any]":
    attributes = _attributes(mapping(user.get("attributes")), user.get("verified"))
    if not attributes:
        raise Unavailable("django_attributes")
    response: dict[str, Any] = {
        "userAttributes": {"username": username, **attributes},
        "messageAction": "SUPPRESS" if user.get("messageAction", "SUPPRESS") == "SUPPRESS" else None,
        # Taking an alias away from another user is never a default.
        "forceAliasCreation": user.get("forceAliasCreation") is True and settings.flag("MIGRATION_FORCE_ALIAS"),
    }
    if source == AUTHENTICATION:
        response["finalUserStatus"] = user.get("finalUserStatus", "CONFIRMED")
        if response["finalUserStatus"] not in STATUSES:
            raise Unavailable("django_finalUserStatus")
    media = user.get("desiredDeliveryMediums")
    if media is not None:
        if not isinstance(media, list) or not media or not MEDIA.issuperset(map(str, media)):
            raise Unavailable("django_desiredDeliveryMediums")
        response["desiredDeliveryMediums"] = media
    if user.get("enableSMSMFA") is not None:
        response["enableSMSMFA"] = user["enableSMSMFA"] is True
    return {name: value for name, value in response.items() if value is not None}


def _attributes(given: Mapping[str, object], verified: object) -> dict[str, str]:
    """An address is verified only where Django lists its name in ``verified``."""
    attributes = {}
    for name, value in given.items():
        if name in _OURS:
            continue
        if not _ATTRIBUTE.fullmatch(name) or not isinstance(value, str) or len(value) > LONGEST:
            raise Unavailable("django_attributes")
        attributes[name] = value
    proven = verified if isinstance(verified, list) else []
    for name, flag in VERIFIABLE.items():
        if attributes.get(name):
            attributes[flag] = "true" if name in proven else "false"
    return attributes


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("user_migration", respond, event, context)

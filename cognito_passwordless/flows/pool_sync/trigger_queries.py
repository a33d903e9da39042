"""Queries by the pool's triggers: may a person sign in there, which Django user is this, what goes into the tokens."""

from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from ...cognito import Connection
from ...conf import conf
from ...exceptions import InvalidIdentifier
from ...identifiers import parse
from ...models import MigratedUser, PhoneNumber
from ..accounts import owners

Status = MigratedUser.Status
ADDRESSES = ("email", "phone_number")
# https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html
OPTIONS = frozenset(
    {"finalUserStatus", "messageAction", "desiredDeliveryMediums", "forceAliasCreation", "enableSMSMFA"}
)
NOBODY: Mapping[str, Any] = {"found": False}


def may_sign_in(connection: Connection, sub: str) -> bool:
    """False for people who have been migrated, are excluded, or whose Django user is inactive. One statement."""
    record = MigratedUser.objects.filter(pool=connection.pool, sub=sub).select_related("user").first()
    if not sub or record is None:
        return bool(sub)
    if record.user is not None and not record.user.is_active:
        return False
    return record.status not in {Status.MIGRATED, Status.EXCLUDED}


@sensitive_variables()
def user_for_pool(
    connection: Connection, username: str, password: str | None, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """A Django user as the pool may take them over, with the addresses that Django has verified; ``password`` is None
    for a person who forgot theirs. The site's own callable (``LAMBDA["USER_MIGRATION"]``) may add attributes and
    `OPTIONS`; it cannot make an address verified.

    An unknown name, a wrong or unusable password, staff and inactive users give the same answer, and each costs one
    hashing of a password.
    """
    try:
        user = owners.verified_owner(parse(username))
    except InvalidIdentifier:
        user = None
    if password is not None:
        if user is None or not user.has_usable_password():
            make_password(password)
            user = None
        elif not user.check_password(password):
            user = None
    if user is None:
        return dict(NOBODY)
    email = EmailAddress.objects.filter(user_id=user.pk, verified=True).order_by("-primary").first()
    number = PhoneNumber.objects.filter(user_id=user.pk, verified=True).first()
    attributes = {
        "email": email.email if email else "",
        "phone_number": number.number if number else "",
        "given_name": str(getattr(user, "first_name", "") or ""),
        "family_name": str(getattr(user, "last_name", "") or ""),
    }
    given = {name: value for name, value in attributes.items() if value}
    verified = [name for name in ADDRESSES if name in given]
    if not verified:
        return dict(NOBODY)
    more = _own(conf.lambda_user_migration, connection, user, payload)
    options = {name: value for name, value in more.items() if name in OPTIONS}
    added = {name: value for name, value in dict(more.get("attributes") or {}).items() if name not in ADDRESSES}
    return {"found": True, "attributes": {**given, **added}, "verified": verified, **options}


def token_rules(connection: Connection, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the site's own callable (``LAMBDA["TOKEN_RULES"]``) says about the tokens of an event; {} without one."""
    return _own(conf.lambda_token_rules, connection, payload)


def _own(path: str, *about: Any) -> dict[str, Any]:
    """What a callable of the site says; {} without one."""
    if not path:
        return {}
    own: Callable[..., Mapping[str, Any]] = import_string(path)
    return dict(own(*about))

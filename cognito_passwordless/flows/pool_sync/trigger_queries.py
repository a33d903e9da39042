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
def user_for_pool(username: str, password: str | None) -> dict[str, Any]:
    """A Django user as the pool may take them over, with the addresses that Django has verified; ``password`` is None
    for a person who forgot theirs.

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
    verified = [name for name in ("email", "phone_number") if name in given]
    return {"found": True, "attributes": given, "verified": verified} if verified else dict(NOBODY)


def token_rules(connection: Connection, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the site's own callable (``LAMBDA["TOKEN_RULES"]``) says about the tokens of an event; {} without one."""
    path = conf.lambda_token_rules
    if not path:
        return {}
    rules: Callable[[Connection, Mapping[str, Any]], Mapping[str, Any]] = import_string(path)
    return dict(rules(connection, payload))

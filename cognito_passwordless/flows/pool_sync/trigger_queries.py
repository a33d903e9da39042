"""What a pool's triggers ask: may this person sign in there, who is this, and what goes into their tokens."""

from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
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
    """Not who has been migrated, is excluded, or has a Django account that is switched off. One statement."""
    record = MigratedUser.objects.filter(pool=connection.pool, sub=sub).select_related("user").first()
    if not sub or record is None:
        return bool(sub)
    if record.user is not None and not record.user.is_active:
        return False
    return record.status not in {Status.MIGRATED, Status.EXCLUDED}


@sensitive_variables()
def user_for_pool(username: str, password: str | None) -> dict[str, Any]:
    """A Django user as the pool may take them over; ``password`` is None for somebody who forgot theirs.

    Nobody, a wrong password, an unusable one, staff and people who are switched off look the same, and cost one
    hashing of a password each.
    """
    user = _owner(username)
    if password is not None and not _knows(user, password):
        return dict(NOBODY)
    if user is None:
        return dict(NOBODY)
    attributes, verified = _attributes(user)
    return {"found": True, "attributes": attributes, "verified": verified} if verified else dict(NOBODY)


def _owner(username: str) -> AbstractBaseUser | None:
    try:
        return owners.verified_owner(parse(username))
    except InvalidIdentifier:
        return None


@sensitive_variables()
def _knows(user: AbstractBaseUser | None, password: str) -> bool:
    if user is None or not user.has_usable_password():
        make_password(password)
        return False
    return user.check_password(password)


def _attributes(user: AbstractBaseUser) -> tuple[dict[str, str], list[str]]:
    """The pool's attributes of a user, and which of the addresses Django has verified. Others are not given."""
    email = EmailAddress.objects.filter(user_id=user.pk, verified=True).order_by("-primary").first()
    number = PhoneNumber.objects.filter(user_id=user.pk, verified=True).first()
    attributes = {
        "email": email.email if email else "",
        "phone_number": number.number if number else "",
        "given_name": str(getattr(user, "first_name", "") or ""),
        "family_name": str(getattr(user, "last_name", "") or ""),
    }
    given = {name: value for name, value in attributes.items() if value}
    return given, [name for name in ("email", "phone_number") if name in given]


def token_rules(connection: Connection, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the site's own callable (``LAMBDA["TOKEN_RULES"]``) says about the tokens of an event; {} without one."""
    path = conf.lambda_token_rules
    if not path:
        return {}
    rules: Callable[[Connection, Mapping[str, Any]], Mapping[str, Any]] = import_string(path)
    return dict(rules(connection, payload))

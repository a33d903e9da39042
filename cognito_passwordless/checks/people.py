"""What a migration may write on the site's user model, and by what it recognises people."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from .. import compat, user_fields
from ..conf import conf
from ..flows.accounts.attributes import FORBIDDEN_FIELDS, forbidden_fields
from ..flows.adopting import ADOPT, count_at_risk
from ..models import MigratedUser, PhoneNumber
from .problems import SETTING, Messages, cannot_import, error, usable, warning
from .tables import rows_of


def match_user(**kwargs: Any) -> Messages:
    rule = usable(lambda: conf.match_user, None)
    if not rule:
        return []
    if "." in rule:
        reason = cannot_import(rule)
        hint = "Write a field of the user model, or the dotted path of callable(profile) that returns a user or None."
        return [error("E231", f"{SETTING}['MATCH_USER'] cannot be used: {reason}.", hint=hint)] if reason else []
    field = _field(rule)
    if field is None:
        text = f"{SETTING}['MATCH_USER']: the user model has no field {rule!r}."
        hint = "Name the field that holds the pool's sub."
        return [error("E232", text, hint=hint)]
    if _is_unique(field):
        return []
    text = f"{SETTING}['MATCH_USER']: the field {rule!r} is not unique."
    hint = "Make it unique: two users with one sub end as a conflict, and every first sign-in reads the whole table."
    return [warning("W233", text, hint=hint)]


def attributes(**kwargs: Any) -> Messages:
    mapping = usable(lambda: conf.attributes, {})
    if isinstance(mapping, str):
        reason = cannot_import(mapping)
        hint = "Write a dict, or the dotted path of callable(user, profile) that returns the changed fields."
        return [error("E234", f"{SETTING}['ATTRIBUTES'] cannot be used: {reason}.", hint=hint)] if reason else []
    found = []
    named: list[tuple[object, object]] = [*mapping.items()]
    for attribute, name in named:
        place, field = f"{SETTING}['ATTRIBUTES'][{attribute!r}]", _field(name)
        if isinstance(name, str) and name in usable(forbidden_fields, FORBIDDEN_FIELDS):
            text = f"{place}: an attribute of a pool may not write {name!r}."
            hint = "It decides who somebody is or what they may do, and people may write their own attributes."
            found.append(error("E235", text, hint=hint))
        elif field is None or not field.concrete:
            text = f"{place}: the user model has no field {name!r}."
            found.append(error("E236", text, hint="Name a field of the user model."))
        elif _is_unique(field):
            text = f"{place}: the field {name!r} is unique."
            hint = "Two people with the same value cannot both be migrated. Fill another field, or use a callable."
            found.append(warning("W237", text, hint=hint))
    return found


def groups(**kwargs: Any) -> Messages:
    named: list[object] = [name for pair in usable(lambda: conf.groups, {}).items() for name in pair]
    if all(isinstance(name, str) and name for name in named):
        return []
    text = f"{SETTING}['GROUPS'] is not a dict of pool groups to Django groups."
    hint = "Write the name of each, as in {'editors-in-the-pool': 'editors'}."
    return [error("E238", text, hint=hint)]


def groups_exist(*, databases: Any = None, **kwargs: Any) -> Messages:
    """Needs the table, so it runs with ``--database`` and with ``migrate``."""
    there = rows_of(Group, databases)
    named: list[object] = [*usable(lambda: conf.groups, {}).values()]
    wanted = {name for name in named if isinstance(name, str)}
    if not wanted or there is None:
        return []
    missing = wanted - set(there.filter(name__in=wanted).values_list("name", flat=True))
    if not missing:
        return []
    text = f"{SETTING}['GROUPS'] names Django groups that do not exist: {', '.join(sorted(missing))}."
    hint = "Create them: a migration adds people to groups and makes none."
    return [warning("W239", text, hint=hint)]


def unproven_users(*, databases: Any = None, **kwargs: Any) -> Messages:
    """Needs the tables, so it runs with ``--database`` and with ``migrate``."""
    factors = compat.second_factors()
    asked = (get_user_model(), EmailAddress, SocialAccount, PhoneNumber, MigratedUser)
    if any(rows_of(model, databases) is None for model in asked) or (
        factors is not None and rows_of(factors.model, databases) is None
    ):
        return []
    found = count_at_risk()
    return [warning("W243", f"{found}.", hint=ADOPT)] if found.people else []


def user_model(**kwargs: Any) -> Messages:
    """allauth writes the username and the e-mail address where these settings say."""
    return [
        error(
            "E240",
            f"ACCOUNT_USER_MODEL_{kind}_FIELD is {name!r}, and the user model has no such field.",
            hint=f"Set ACCOUNT_USER_MODEL_{kind}_FIELD to the field's name, or to None where there is none.",
        )
        for kind, name in compat.user_model_fields().items()
        if name and _field(name) is None
    ]


def people_without_an_address(**kwargs: Any) -> Messages:
    """Who comes by phone alone has no e-mail address, and two empty ones are not unique."""
    field = _field(compat.email_field() or None)
    if field is None or field.null or not field.unique or not usable(lambda: conf.sms_countries, []):
        return []
    text = (
        f"The user model's field {field.name!r} is unique and may not be null: of all people who have only a "
        "phone number, one can be created."
    )
    hint = "Add null=True to the field, or leave SMS_COUNTRIES empty."
    return [warning("W241", text, hint=hint)]


def people_without_a_number(**kwargs: Any) -> Messages:
    """Who is known to the site by a phone number has to have one."""
    field = _field(user_fields.phone_field() or None)
    if field is None or field.null or not field.unique:
        return []
    text = (
        f"The user model's field {field.name!r} is unique and may not be null: nobody who has only an e-mail "
        "address gets a user."
    )
    hint = "Add null=True to the field, or silence this where everybody has a number."
    return [warning("W242", text, hint=hint)]


def _field(name: object) -> Any:
    """A field of the user model, or None."""
    try:
        return get_user_model()._meta.get_field(name)  # type: ignore[arg-type]  # a setting may be anything
    except (FieldDoesNotExist, TypeError):
        return None


def _is_unique(field: Any) -> bool:
    alone = [
        list(constraint.fields)
        for constraint in get_user_model()._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    ]
    return bool(getattr(field, "unique", False)) or [field.name] in alone

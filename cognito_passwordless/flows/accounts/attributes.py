"""Attributes and groups of the pool, into Django: only through the site's explicit allow-lists (law 8)."""

import logging
from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils.module_loading import import_string

from ... import compat, user_fields
from ...cognito import CognitoProfile
from ...conf import conf
from .changes import MigrationChanges, field_values

logger = logging.getLogger(__name__)

# Fields that decide who somebody is or what they may do. No attribute of a pool ever writes them.
FORBIDDEN_FIELDS = frozenset(
    {
        "id",
        "pk",
        "password",
        "email",
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "user_permissions",
        "last_login",
    }
)


def forbidden_fields() -> frozenset[str]:
    """Those of every user model, and what the site's own calls otherwise: its key, its address, its field for the
    sub."""
    named = {get_user_model()._meta.pk.name, compat.email_field(), user_fields.phone_field(), conf.match_user or ""}
    return FORBIDDEN_FIELDS | (named - {""})


def apply_attributes(user: AbstractBaseUser, profile: CognitoProfile, *, policy: str) -> list[str]:
    """Fills the user's fields from the profile, and returns which changed; saves nothing.

    ``policy``: ``"empty"`` fills only fields without a value, ``"all"`` overwrites, ``"none"`` leaves all alone.
    """
    mapping = conf.attributes
    if policy == "none":
        return []
    if isinstance(mapping, str):
        return list(import_string(mapping)(user, profile) or [])
    return [
        field for attribute, field in mapping.items() if _fill(user, field, profile.attributes.get(attribute), policy)
    ]


def fill(user: AbstractBaseUser, profile: CognitoProfile, changes: MigrationChanges, *, policy: str) -> None:
    """The same, saved; ``changes`` learns what was written."""
    before = field_values(user)
    changed = apply_attributes(user, profile, policy=policy)
    if changed:
        user.save(update_fields=changed)
    changes.record_fields(before, user, changed)


def _fill(user: AbstractBaseUser, field: str, value: object, policy: str) -> bool:
    if value is None or field in forbidden_fields():
        return False
    current = getattr(user, field)
    if current == value or (policy == "empty" and current not in (None, "")):
        return False
    model_field = cast("Field[Any, Any]", user._meta.get_field(field))
    limit = model_field.max_length
    try:
        setattr(user, field, model_field.clean(value[:limit] if isinstance(value, str) and limit else value, None))
    except ValidationError:
        logger.warning("A pool attribute does not fit the user field %r and was left out", field)
        return False
    return True


def apply_groups(user: AbstractBaseUser, profile: CognitoProfile) -> list[Any]:
    """Adds the user to the Django groups that the site maps the person's pool groups to, and returns the keys of those
    they were not in. Removes none, makes none."""
    mapping: Mapping[str, str] = conf.groups
    wanted = {mapping[name] for name in profile.groups if name in mapping}
    if not wanted or not hasattr(user, "groups"):
        return []
    found = list(Group.objects.filter(name__in=wanted))
    missing = wanted - {group.name for group in found}
    if missing:
        logger.error("GROUPS names Django groups that do not exist: %s", ", ".join(sorted(missing)))
    before = set(user.groups.values_list("pk", flat=True))
    user.groups.add(*found)
    return [group.pk for group in found if group.pk not in before]

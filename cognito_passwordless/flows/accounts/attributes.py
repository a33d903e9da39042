"""Copies a pool's attributes and groups to the Django user, by the site's explicit allow-lists alone (law 8)."""

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

# Fields that decide who a user is or what they may do. No attribute of a pool writes them.
_IDENTITY_FIELDS = frozenset({"id", "pk", "password", "email", "last_login"})
_RIGHTS_FIELDS = frozenset({"is_active", "is_staff", "is_superuser", "groups", "user_permissions"})
FORBIDDEN_FIELDS = _IDENTITY_FIELDS | _RIGHTS_FIELDS


def forbidden_fields() -> frozenset[str]:
    """`FORBIDDEN_FIELDS`, and the site's own fields for the key, the address and the sub."""
    named = {get_user_model()._meta.pk.name, compat.email_field(), user_fields.phone_field(), conf.match_user or ""}
    return FORBIDDEN_FIELDS | (named - {""})


def apply_attributes(user: AbstractBaseUser, profile: CognitoProfile, *, policy: str) -> list[str]:
    """Sets the user's fields from the profile and returns the names of those that changed; saves nothing.

    ``policy``: ``"empty"`` sets only fields without a value, ``"all"`` overwrites, ``"none"`` sets none.
    """
    mapping = conf.attributes
    if policy == "none":
        return []
    if isinstance(mapping, str):
        return list(import_string(mapping)(user, profile) or [])
    forbidden, changed = forbidden_fields(), list[str]()
    for attribute, name in mapping.items():
        value = profile.attributes.get(attribute)
        if value is None or name in forbidden:
            continue
        current = getattr(user, name)
        if current == value or (policy == "empty" and current not in (None, "")):
            continue
        field = cast("Field[Any, Any]", user._meta.get_field(name))
        try:
            setattr(user, name, field.clean(value[: field.max_length], None))
        except ValidationError:
            logger.warning("A pool attribute does not fit the user field %r and was left out", name)
        else:
            changed.append(name)
    return changed


def fill(user: AbstractBaseUser, profile: CognitoProfile, changes: MigrationChanges, *, policy: str) -> None:
    """`apply_attributes`, saved and recorded in ``changes``."""
    before = field_values(user)
    changed = apply_attributes(user, profile, policy=policy)
    if changed:
        user.save(update_fields=changed)
    changes.record_fields(before, user, changed)


def apply_groups(user: AbstractBaseUser, profile: CognitoProfile) -> list[Any]:
    """Adds the user to the Django groups that the site maps the person's pool groups to, and returns the keys of those
    they were not in. Removes the user from no group and creates no group."""
    mapping: Mapping[str, str] = conf.groups
    wanted = {mapping[name] for name in profile.groups if name in mapping}
    if not wanted or not hasattr(user, "groups"):
        return []
    groups = list(Group.objects.filter(name__in=wanted))
    missing = wanted - {group.name for group in groups}
    if missing:
        logger.error("GROUPS names Django groups that do not exist: %s", ", ".join(sorted(missing)))
    before = set(user.groups.values_list("pk", flat=True))
    user.groups.add(*groups)
    return [group.pk for group in groups if group.pk not in before]

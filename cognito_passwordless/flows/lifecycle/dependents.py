"""Dependents: rows that a user acquired since the migration created them, besides what the migration wrote."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.fields import GenericRelation
from django.db.models import PROTECT, RESTRICT, Model, QuerySet

from ... import compat
from ...models import JourneyEvent, MigratedUser, PhoneNumber
from ..accounts.changes import MigrationChanges

# The longest that a sign-in takes from the proof of an address to its last factor.
SIGN_IN = timedelta(minutes=10)
PROTECTED = "protected_rows"


@dataclass(frozen=True, slots=True)
class Dependents:
    """``counts``: how many of each kind. ``blocked_by``: why the user cannot be deleted, else empty."""

    counts: dict[str, int] = field(default_factory=dict)
    blocked_by: str = ""


def find_dependents(user: AbstractBaseUser, record: MigratedUser, changes: MigrationChanges) -> Dependents:
    """Reads only: one statement for each table that refers to the user model."""
    counts: dict[str, int] = {}
    blocked_by = ""
    if user.has_usable_password():
        counts["password"] = 1
    if user.last_login and record.migrated_at and user.last_login > record.migrated_at + SIGN_IN:
        counts["later sign-in"] = 1
    for model, related, on_delete in _related_rows(user):
        rows = related
        # The rows that the migration wrote are not the user's own.
        if model is EmailAddress:
            rows = rows.exclude(pk__in=changes.emails)
        elif model is PhoneNumber and changes.phone:
            rows = rows.exclude(number=record.phone_number)
        elif model is SocialAccount and changes.account:
            rows = rows.exclude(provider=record.connection, uid=record.sub)
        elif any(column.name == "group" for column in model._meta.concrete_fields) and model._meta.auto_created:
            rows = rows.exclude(group__in=changes.groups)
        count = rows.count()
        if not count:
            continue
        name = str(model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural)
        counts[name] = counts.get(name, 0) + count
        if on_delete in (PROTECT, RESTRICT):
            blocked_by = PROTECTED
    return Dependents(counts, blocked_by)


def _related_rows(user: AbstractBaseUser) -> list[tuple[type[Model], "QuerySet[Any]", Any]]:
    """Each model that refers to the user, with its rows and what happens to them when the user is deleted."""
    related: list[tuple[type[Model], QuerySet[Any], Any]] = []
    for relation in user._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one):
            model: Any = relation.related_model
            if not _is_bookkeeping(model):
                # Also rows that the site's own manager hides: they would be deleted all the same.
                rows = model._base_manager.filter(**{relation.field.name: user})  # type: ignore[union-attr]
                related.append((model, rows, getattr(relation, "on_delete", None)))
    for private in user._meta.private_fields:
        if isinstance(private, GenericRelation):
            generic: Any = private.related_model
            rows = getattr(user, private.name).filter(**{private.object_id_field_name: user.pk})
            related.append((generic, rows, None))
    return related


def _is_bookkeeping(model: type[Model]) -> bool:
    """Our own records and session rows do not count as the user's data."""
    return model in {JourneyEvent, *MigratedUser.__subclasses__(), MigratedUser} or compat.is_tracked_session(model)

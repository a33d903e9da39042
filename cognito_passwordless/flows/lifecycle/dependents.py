"""What a Django user has come to own since a migration made them, beside what the migration gave them."""

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
    """How many of each kind, and why the user cannot be deleted, where something forbids it."""

    counts: dict[str, int] = field(default_factory=dict)
    blocked_by: str = ""


def find_dependents(user: AbstractBaseUser, record: MigratedUser, changes: MigrationChanges) -> Dependents:
    """Reads only: one statement for every table that points to the user model."""
    counts: dict[str, int] = {}
    blocked_by = ""
    if user.has_usable_password():
        counts["password"] = 1
    if user.last_login and record.migrated_at and user.last_login > record.migrated_at + SIGN_IN:
        counts["later sign-in"] = 1
    for model, rows, on_delete in _pointing_to(user):
        count = _without_ours(model, rows, record, changes).count()
        if not count:
            continue
        name = str(model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural)
        counts[name] = counts.get(name, 0) + count
        if on_delete in (PROTECT, RESTRICT):
            blocked_by = PROTECTED
    return Dependents(counts, blocked_by)


def _pointing_to(user: AbstractBaseUser) -> list[tuple[type[Model], "QuerySet[Any]", Any]]:
    found: list[tuple[type[Model], QuerySet[Any], Any]] = []
    for relation in user._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one):
            model: Any = relation.related_model
            if not _is_bookkeeping(model):
                # Also what a site's own manager hides: it would be deleted all the same.
                rows = model._base_manager.filter(**{relation.field.name: user})  # type: ignore[union-attr]  # noqa: SLF001
                found.append((model, rows, getattr(relation, "on_delete", None)))
    for private in user._meta.private_fields:
        if isinstance(private, GenericRelation):
            generic: Any = private.related_model
            kind = {f"{private.object_id_field_name}": user.pk}
            found.append((generic, getattr(user, private.name).filter(**kind), None))
    return found


def _is_bookkeeping(model: type[Model]) -> bool:
    """Our own history, and sessions: neither is anything that the person would miss."""
    return model in {JourneyEvent, *MigratedUser.__subclasses__(), MigratedUser} or compat.is_tracked_session(model)


def _without_ours(
    model: type[Model], rows: "QuerySet[Any]", record: MigratedUser, changes: MigrationChanges
) -> "QuerySet[Any]":
    if model is EmailAddress:
        return rows.exclude(pk__in=changes.emails)
    if model is PhoneNumber and changes.phone:
        return rows.exclude(number=record.phone_number)
    if model is SocialAccount and changes.account:
        return rows.exclude(provider=record.connection, uid=record.sub)
    if any(column.name == "group" for column in model._meta.concrete_fields) and model._meta.auto_created:
        return rows.exclude(group__in=changes.groups)
    return rows

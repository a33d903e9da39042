"""Counts the users who would lose something at their first code, because their address is not verified."""

from dataclasses import dataclass
from typing import Any, Final

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from ... import compat
from ...models import MigratedUser, PhoneNumber
from .written import fields

Status, Method = MigratedUser.Status, MigratedUser.Method
ADOPT: Final = (
    "If you know that the addresses are theirs, run `manage.py cognito_adopt --all`, which first shows whom it would "
    "reach (docs/adopting.md). Else the owners are told by mail what went."
)


@dataclass(frozen=True, slots=True)
class AtRisk:
    """``people`` would lose a ``password`` or social ``links``, some of them both. Users with a ``second_factor`` are
    asked for it and keep everything."""

    people: int
    password: int
    links: int
    second_factor: int

    def __str__(self) -> str:
        return (
            f"{self.people:,} users have an address that nobody has verified, and lose at their first code what an "
            f"unproven holder may have left: {self.password:,} a password, {self.links:,} social links. "
            f"{self.second_factor:,} more have a second factor: it is asked for, and whoever shows it keeps everything"
        )


def count_at_risk() -> AtRisk:
    """One statement for any number of users."""
    # Active users other than staff, as far as the user model has these fields.
    fields_of_model = {field.name for field in get_user_model()._meta.concrete_fields}
    reachable = {"is_active": True, "is_staff": False, "is_superuser": False}
    wanted = {name: value for name, value in reachable.items() if name in fields_of_model}
    users: QuerySet[Any] = get_user_model()._default_manager.filter(**wanted)
    of_user = OuterRef("pk")
    emails, numbers = EmailAddress.objects.filter(user_id=of_user), PhoneNumber.objects.filter(user_id=of_user)
    # A bulk activation created an account that no person has entered yet.
    came = MigratedUser.objects.filter(user_id=of_user, status=Status.MIGRATED).exclude(method=Method.BULK)
    is_written = Q(Exists(emails)) | Q(Exists(numbers))
    for name in fields().values():
        is_written |= Q(**{f"{name}__gt": ""})
    unproven = users.filter(
        is_written, ~Exists(emails.filter(verified=True)), ~Exists(numbers.filter(verified=True)), ~Exists(came)
    )
    factors = compat.second_factors()
    factor = Q(Exists(factors.filter(user_id=of_user))) if factors is not None else Q(pk__in=[])
    password = Q(password__gt="") & ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    links = Q(Exists(SocialAccount.objects.filter(user_id=of_user)))
    return AtRisk(
        **unproven.aggregate(
            people=Count("pk", filter=(password | links) & ~factor),
            password=Count("pk", filter=password & ~factor),
            links=Count("pk", filter=links & ~factor),
            second_factor=Count("pk", filter=factor),
        )
    )

"""Several pool users with one address: a federated and a native one of the same person, or two people.

A sign-in by that address goes to none of them, and nothing links them by itself: it is one decision, for a human.
"""

from typing import Any

from django.db import router, transaction
from django.db.models import Count, Q, QuerySet

from ...models import MigratedUser


def mark_shared_addresses() -> None:
    """Brings `MigratedUser.shares_address` up to date for everybody. Four statements, whatever the size."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        shared = Q(email__in=_several("email")) | Q(phone_number__in=_several("phone_number"))
        people = MigratedUser.objects.all()
        for field in ("email", "phone_number"):
            people.filter(shares_address=False, **{f"{field}__in": _several(field)}).update(shares_address=True)
        people.filter(shares_address=True).exclude(shared).update(shares_address=False)


def twins_of(person: MigratedUser) -> QuerySet[MigratedUser]:
    """The other pool users that carry an address of this one."""
    same = Q(pk__in=[])
    if person.email:
        same |= Q(email=person.email)
    if person.phone_number:
        same |= Q(phone_number=person.phone_number)
    return MigratedUser.objects.filter(same).exclude(pk=person.pk).order_by("pk")


def _several(field: str) -> Any:
    """The addresses that more than one person has, as a subquery."""
    groups = MigratedUser.objects.exclude(**{field: ""}).values(field).annotate(people=Count("pk"))
    return groups.filter(people__gt=1).values_list(field, flat=True)

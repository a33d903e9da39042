"""Several pool users with one address: a federated and a native one of the same person, or two people.

A sign-in by that address goes to none of them, and nothing links them by itself: it is one decision, for a human.
"""

from typing import Any

from django.db import router, transaction
from django.db.models import Count, Q

from ...models import MigratedUser


def mark_shared_addresses() -> None:
    """Brings `MigratedUser.shares_address` up to date for everybody. Four statements, whatever the size."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        shared = Q(email_key__in=_several("email_key")) | Q(phone_key__in=_several("phone_key"))
        people = MigratedUser.objects.all()
        for field in ("email_key", "phone_key"):
            people.filter(shares_address=False, **{f"{field}__in": _several(field)}).update(shares_address=True)
        people.filter(shares_address=True).exclude(shared).update(shares_address=False)


def _several(field: str) -> Any:
    """The addresses that more than one person has, as a subquery. Whoever is gone has none."""
    there = MigratedUser.objects.exclude(status=MigratedUser.Status.GONE)
    groups = there.exclude(**{field: ""}).values(field).annotate(people=Count("pk"))
    return groups.filter(people__gt=1).values_list(field, flat=True)

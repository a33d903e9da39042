"""Marks pool users who share an address: a federated and a native user of one person, or two people.

A sign-in by that address enters none of them, and nothing links them automatically: an operator decides.
"""

from typing import Any

from django.db import router, transaction
from django.db.models import Count, Q

from ...models import MigratedUser


def mark_shared_addresses() -> None:
    """Brings `MigratedUser.shares_address` up to date for all people. Four statements, whatever their number."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        shared = Q(email_key__in=_several("email_key")) | Q(phone_key__in=_several("phone_key"))
        people = MigratedUser.objects.all()
        for field in ("email_key", "phone_key"):
            people.filter(shares_address=False, **{f"{field}__in": _several(field)}).update(shares_address=True)
        people.filter(shares_address=True).exclude(shared).update(shares_address=False)


def _several(field: str) -> Any:
    """The addresses that more than one person has, as a subquery. People who are gone do not count."""
    there = MigratedUser.objects.exclude(status=MigratedUser.Status.GONE)
    groups = there.exclude(**{field: ""}).values(field).annotate(people=Count("pk"))
    return groups.filter(people__gt=1).values_list(field, flat=True)

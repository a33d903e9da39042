"""Locking what belongs to a person while somebody decides about them, undoes or erases: sign-ins go on meanwhile.

Records are locked in the order of their keys and before the Django user, so that two who act at once wait instead of
blocking each other. Sign-ins begin with their own record, whichever its key is: where the two orders meet, PostgreSQL
ends one of them, and `retry_on_deadlock` begins it anew.
"""

import functools
from collections.abc import Callable, Collection
from typing import Any, ParamSpec, TypeVar

from django.contrib.auth import get_user_model
from django.db import OperationalError, router
from django.db.models import F, QuerySet

from ...models import MigratedUser

P = ParamSpec("P")
R = TypeVar("R")
TRIES = 5
# SQLSTATE of a transaction that PostgreSQL ended for others to go on: deadlock, and a serialization failure.
_ENDED = frozenset({"40P01", "40001"})


def retry_on_deadlock(act: Callable[P, R]) -> Callable[P, R]:
    """For an act that is one transaction: begins it again where the database has ended it for another one's sake."""

    @functools.wraps(act)
    def repeated(*arguments: P.args, **named: P.kwargs) -> R:
        for left in reversed(range(TRIES)):
            try:
                return act(*arguments, **named)
            except OperationalError as error:
                if not left or not _was_ended(error):
                    raise
        raise AssertionError("unreachable")

    return repeated


def _was_ended(error: OperationalError) -> bool:
    cause = error.__cause__
    return (getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)) in _ENDED


def _records() -> "QuerySet[MigratedUser]":
    return MigratedUser.objects.using(router.db_for_write(MigratedUser))


def take_write_lock() -> None:
    """The first statement of a transaction that reads before it writes: SQLite takes its write lock by a write alone,
    and would fail later. It matches no row, so it locks none."""
    _records().filter(pk=0).update(status=F("status"))


def lock_records(keys: Collection[int]) -> list[MigratedUser]:
    """These records, locked until the transaction ends, in the order of their keys; those that are there."""
    rows = _records().select_for_update(of=("self",)).select_related("user")
    return list(rows.filter(pk__in=keys).order_by("pk"))


def lock_person(pk: int) -> MigratedUser | None:
    """A record, locked with all others of its Django user, and the user too: nobody is linked to the user meanwhile,
    and nothing is given to them. None where there is no such record."""
    take_write_lock()
    locked: set[int] = set()
    while True:
        wanted = {pk, *_with_same_user(pk)}
        if wanted <= locked:
            break
        found = lock_records(wanted)
        locked |= wanted
    record: MigratedUser | None = next((row for row in found if row.pk == pk), None)
    if record is not None and record.user_id is not None:
        users: Any = get_user_model()._default_manager.using(router.db_for_write(get_user_model()))
        record.user = users.select_for_update(of=("self",)).filter(pk=record.user_id).first()
    return record


def _with_same_user(pk: int) -> set[int]:
    user = _records().filter(pk=pk).values_list("user_id", flat=True).first()
    return set() if user is None else set(_records().filter(user_id=user).values_list("pk", flat=True))

"""Row locks for undo, erasure and decisions about a person while sign-ins go on, and retries after a deadlock.

Records are locked in the order of their keys and before the Django user, so that two who act at once wait instead of
blocking each other. A sign-in locks its own record first, whichever its key is: where the two orders meet, PostgreSQL
ends one of the transactions, and `retry_on_deadlock` begins it anew.
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


def retrying(
    times: int,
    *,
    on: type[Exception] | tuple[type[Exception], ...],
    when: Callable[[Any], bool] = lambda error: True,
    before_retry: Callable[[int], object] = lambda tries: None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: calls the function again after an exception ``on`` for which ``when`` is true, ``times`` times in
    all; the last one is raised. ``before_retry`` is told how many calls have failed, and may wait."""

    def decorate(act: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(act)
        def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
            for tries in range(1, times):
                try:
                    return act(*args, **kwargs)
                except on as error:
                    if not when(error):
                        raise
                before_retry(tries)
            return act(*args, **kwargs)

        return repeated

    return decorate


def retry_on_deadlock(act: Callable[P, R]) -> Callable[P, R]:
    """For a function that is one transaction: begins it again if PostgreSQL has ended it in favour of another one."""

    def was_ended(error: OperationalError) -> bool:
        cause = error.__cause__
        return (getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)) in _ENDED

    return retrying(TRIES, on=OperationalError, when=was_ended)(act)


def _records() -> "QuerySet[MigratedUser]":
    return MigratedUser.objects.using(router.db_for_write(MigratedUser))


def take_write_lock() -> None:
    """The first statement of a transaction that reads before it writes. SQLite takes its write lock at the first write
    and would fail later. This one matches no row, so it locks none."""
    _records().filter(pk=0).update(status=F("status"))


def lock_records(keys: Collection[int]) -> list[MigratedUser]:
    """The records that exist, locked until the transaction ends, in the order of their keys."""
    rows = _records().select_for_update(of=("self",)).select_related("user")
    return list(rows.filter(pk__in=keys).order_by("pk"))


def lock_person(pk: int) -> MigratedUser | None:
    """Locks a record, all other records of its Django user, and the user: no sign-in links another record to the user
    meanwhile. None if there is no such record."""
    take_write_lock()
    locked: set[int] = set()
    while True:
        user = _records().filter(pk=pk).values_list("user_id", flat=True).first()
        wanted = {pk}
        if user is not None:
            wanted |= set(_records().filter(user_id=user).values_list("pk", flat=True))
        if wanted <= locked:
            break
        rows = lock_records(wanted)
        locked |= wanted
    record: MigratedUser | None = next((row for row in rows if row.pk == pk), None)
    if record is not None and record.user_id is not None:
        users: Any = get_user_model()._base_manager.using(router.db_for_write(get_user_model()))
        record.user = users.select_for_update(of=("self",)).filter(pk=record.user_id).first()
    return record

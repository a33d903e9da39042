"""Records what an operator decides about a conflict, and withdraws it.

Nothing here links an account. A decision waits on the record, and the next sign-in that proves the address carries it
out (`flows.accounts.decisions`).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import router, transaction

from ...models import MigratedUser
from ..accounts import locking
from ..accounts.decisions import LET_IN, TWIN, Decision
from ..accounts.errors import ActionRefused
from ..events import audit
from .cases import Case, case_of, same_address_records, sharing

Status = MigratedUser.Status
EXCLUDED = "excluded_by_hand"


@locking.retry_on_deadlock
def decide(pk: int, key: str, *, now: datetime, by: str) -> Case:
    """Records one decision, as `case_of` offers it now. Raises `ActionRefused`."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        record = _held(pk)
        if record is None:
            raise ActionRefused("no_such_person")
        if record.status == Status.MIGRATED and record.user_id is not None:
            raise ActionRefused("migrated")
        case = case_of(record)
        option = case.option(key)
        if option is None:
            raise ActionRefused("not_offered")
        decision = Decision(
            choice=option.choice,  # type: ignore[arg-type]  # `retry` and `exclude` are not stored
            address=option.address,
            user=str(option.user.pk) if option.user is not None else "",
            rows=option.rows,
            aside=option.set_aside,
            by=by,
            at=now.isoformat(),
        )
        stored = None if option.choice in {"retry", "exclude"} else decision.as_json()
        status, error = (Status.EXCLUDED, EXCLUDED) if option.choice == "exclude" else (Status.PENDING, "")
        keys = {pk, *option.rows} - set(option.set_aside)
        _update(keys, status=status, last_error=error, decision=stored)
        _update(option.set_aside, status=Status.EXCLUDED, last_error=TWIN, decision=None)
        for row in MigratedUser.objects.filter(pk__in={*keys, *option.set_aside}):
            cause = "set_aside" if row.pk in option.set_aside else option.choice
            audit.record(row, "decided", now=now, cause=cause, by=by)
        return case


def _held(pk: int) -> MigratedUser | None:
    """The record, locked with those that a decision about it can affect: none of them is migrated meanwhile."""
    locking.take_write_lock()
    record = MigratedUser.objects.filter(pk=pk).first()
    if record is None:
        return None
    decision = Decision.of(record)
    chosen = (*decision.rows, *decision.aside) if decision else ()
    keys = {pk, *(twin.pk for twin in same_address_records(record)), *chosen}
    return next((row for row in locking.lock_records(keys) if row.pk == pk), None)


def _update(keys: Collection[int], **values: Any) -> None:
    MigratedUser.objects.filter(pk__in=keys).update(**values, method="", migrated_at=None)


@locking.retry_on_deadlock
def withdraw(pk: int, *, now: datetime, by: str) -> None:
    """Withdraws a decision that no sign-in has used yet, also from its twins; they wait for a decision again, and the
    records that it excluded are pending. Raises `ActionRefused`."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        record = _held(pk)
        decision = Decision.of(record) if record else None
        if record is None or decision is None:
            raise ActionRefused("not_decided")
        keys = {record.pk, *decision.rows}
        for row in MigratedUser.objects.filter(pk__in=keys, decision__isnull=False).exclude(status=Status.MIGRATED):
            row.decision, row.status, row.last_error = None, Status.CONFLICT, "decision_withdrawn"
            row.save(update_fields=["decision", "status", "last_error"])
            audit.record(row, "decision_withdrawn", now=now, by=by)
        for row in MigratedUser.objects.filter(pk__in=decision.aside, status=Status.EXCLUDED, last_error=TWIN):
            row.status, row.last_error = Status.PENDING, ""
            row.save(update_fields=["status", "last_error"])
            audit.record(row, "decision_withdrawn", now=now, by=by)


@locking.retry_on_deadlock
def let_in(pk: int, *, now: datetime, by: str) -> None:
    """Lets a person who is gone from the pool sign in all the same, by our code if the pool is retired. Raises
    `ActionRefused`."""
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        record = _held(pk)
        if record is None or record.status != Status.GONE:
            raise ActionRefused("not_gone")
        if any(row.verified_keys & record.verified_keys for row in sharing(record)):
            raise ActionRefused("address_given_on")
        record.status, record.last_error = Status.PENDING, LET_IN
        record.save(update_fields=["status", "last_error"])
        audit.record(record, "decided", now=now, cause=LET_IN, by=by)

"""Recognising whoever has been erased, without knowing who that is."""

from collections.abc import Collection
from datetime import datetime

from ... import keys
from ...models import Erasure, MigratedUser
from ..events import audit

# Why a sign-in of somebody who has been erased ends.
ERASED = "erased"


def create(pool: str, sub: str, *, connection: str, now: datetime) -> Erasure:
    """Sets a tombstone, once. Two statements."""
    fingerprint, mark = next(iter(_marks(pool, sub).items()))
    return find_tombstone(pool, sub) or Erasure.objects.create(
        mark=mark, key_fingerprint=fingerprint, connection=connection, erased_at=now
    )


def record_return(pool: str, sub: str, *, now: datetime) -> None:
    """Notes, on the tombstone's timeline, that whoever has been erased came back."""
    found = find_tombstone(pool, sub)
    if found is not None:
        audit.write(found.pk, "turned_away", connection=found.connection, now=now, cause=ERASED)


def remove(erasure: Erasure, *, now: datetime, by: str) -> None:
    """Takes a tombstone away: the next sign-in, or import, knows the person again as if for the first time."""
    audit.write(erasure.pk, "erasure_lifted", connection=erasure.connection, now=now, by=by)
    erasure.delete()


def find_tombstone(pool: str, sub: str) -> Erasure | None:
    """The tombstone of this pool user. One statement."""
    return Erasure.objects.filter(mark__in=_marks(pool, sub).values()).first()


def erased_among(pool: str, subs: Collection[str]) -> set[str]:
    """Those of a pool's users who have been erased, for imports. One statement for all."""
    by_mark = {mark: sub for sub in subs for mark in _marks(pool, sub).values()}
    if not by_mark:
        return set()
    return {by_mark[mark] for mark in Erasure.objects.filter(mark__in=by_mark).values_list("mark", flat=True)}


def delete_erased(pool: str, subs: Collection[str]) -> set[str]:
    """Takes away what has just been written of people who are erased, and returns their subs. Two statements at most.

    For every write of `MigratedUser` rows, in its transaction and *after* the write: an erasure at the same moment
    holds the row, so the write has waited for it, and its tombstone is there to be seen. Before, it may not be.
    """
    erased = erased_among(pool, subs)
    if erased:
        MigratedUser.objects.filter(pool=pool, sub__in=erased).delete()
    return erased


def unreadable() -> int:
    """Tombstones whose key is neither ``SECRET_KEY`` nor a fallback any more: they stand for nobody. One statement."""
    known = [key.fingerprint for key in keys.keyring().keys]
    return Erasure.objects.exclude(key_fingerprint__in=known).count()


def _marks(pool: str, sub: str) -> dict[str, str]:
    return keys.tombstones(f"{pool}\0{sub}")

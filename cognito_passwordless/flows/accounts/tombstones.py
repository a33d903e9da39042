"""Tombstones: recognise a person who was erased, from a keyed hash of their pool and sub alone."""

from collections.abc import Collection
from datetime import datetime

from ... import keys
from ...models import Erasure, MigratedUser
from ..events import audit

# Why the sign-in of an erased person is refused.
ERASED = "erased"


def create(pool: str, sub: str, *, connection: str, now: datetime) -> Erasure:
    """Creates a tombstone, or returns the one there is. Two statements."""
    fingerprint, mark = next(iter(_marks(pool, sub).items()))
    return find_tombstone(pool, sub) or Erasure.objects.create(
        mark=mark, key_fingerprint=fingerprint, connection=connection, erased_at=now
    )


def record_return(pool: str, sub: str, *, now: datetime) -> None:
    """Writes to the tombstone's timeline that the erased person tried to sign in."""
    erasure = find_tombstone(pool, sub)
    if erasure is not None:
        audit.write(erasure.pk, "turned_away", connection=erasure.connection, now=now, cause=ERASED)


def remove(erasure: Erasure, *, now: datetime, by: str) -> None:
    """Deletes a tombstone: the next sign-in or import treats the person as a new one."""
    audit.write(erasure.pk, "erasure_lifted", connection=erasure.connection, now=now, by=by)
    erasure.delete()


def find_tombstone(pool: str, sub: str) -> Erasure | None:
    """The tombstone of this pool user. One statement."""
    return Erasure.objects.filter(mark__in=_marks(pool, sub).values()).first()


def erased_among(pool: str, subs: Collection[str]) -> set[str]:
    """Which of these pool users are erased. One statement for all."""
    by_mark = {mark: sub for sub in subs for mark in _marks(pool, sub).values()}
    if not by_mark:
        return set()
    return {by_mark[mark] for mark in Erasure.objects.filter(mark__in=by_mark).values_list("mark", flat=True)}


def delete_erased(pool: str, subs: Collection[str]) -> set[str]:
    """Deletes the rows that were just written of erased people, and returns their subs. Two statements at most.

    For every write of `MigratedUser` rows, in its transaction and *after* the write: an erasure at the same moment
    holds the row, so the write has waited for it, and its tombstone is there to be seen. Before, it may not be.
    """
    erased = erased_among(pool, subs)
    if erased:
        MigratedUser.objects.filter(pool=pool, sub__in=erased).delete()
    return erased


def unreadable() -> int:
    """How many tombstones have lost their key, no longer ``SECRET_KEY`` or a fallback: they match no person. One
    statement."""
    known = [key.fingerprint for key in keys.keyring().keys]
    return Erasure.objects.exclude(key_fingerprint__in=known).count()


def _marks(pool: str, sub: str) -> dict[str, str]:
    return keys.tombstones(f"{pool}\0{sub}")

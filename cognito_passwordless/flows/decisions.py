"""What a human decided about a conflict, until the person proves themselves: by itself it links nobody (law 7).

It is used once, by a sign-in that proves the address it names. Staff and superusers are reached by none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from ..exceptions import MigrationConflict
from ..identifiers import Identifier
from ..models import MigratedUser
from .local_users import claimants_of, has_proven_address

Choice = Literal["link", "apart", "merge"]
Status = MigratedUser.Status
# Set aside by a merge: a pool user whose address another one has, and the pool never verified this one's.
TWIN = "twin_of_another"


@dataclass(frozen=True, slots=True)
class Decision:
    """``link`` to the Django user ``user``, ``apart`` from everybody with an account of their own, or ``merge``: the
    pool users ``rows`` are one person, who goes to ``user`` where there is one. ``address`` is what has to be proven;
    where it is empty, the pool's own sign-in is the proof that is wanted. ``aside`` were excluded by it.
    ``by`` and ``at`` are for the record."""

    choice: Choice
    address: str = ""
    user: str = ""
    rows: tuple[int, ...] = ()
    aside: tuple[int, ...] = ()
    by: str = ""
    at: str = ""

    @classmethod
    def of(cls, record: MigratedUser) -> Self | None:
        kept: dict[str, Any] | None = record.decision
        if not kept:
            return None
        return cls(**{**kept, **{name: tuple(kept.get(name, ())) for name in ("rows", "aside")}})

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "rows": list(self.rows), "aside": list(self.aside)}


def user_of(decision: Decision, proven: frozenset[str], carriers: Sequence[AbstractBaseUser]) -> AbstractBaseUser:
    """The user whom a proven person was given to; ``carriers`` are those who carry the person's sub already.

    Raises `MigrationConflict` where the proof is another one than was asked for, or the user is no longer who they
    were: then a human has to look again.
    """
    user = get_user_model()._default_manager.filter(pk=decision.user).first()
    if user is None:
        raise MigrationConflict("decision_outdated")
    if not decision.address:
        if user not in carriers:
            raise MigrationConflict("decision_outdated")
        return user
    if decision.address not in proven:
        raise MigrationConflict("address_not_proven")
    address = Identifier(decision.address, "email" if "@" in decision.address else "sms")
    if not may_be_given(user, claimants_of(address)) or any(carrier != user for carrier in carriers):
        raise MigrationConflict("decision_outdated")
    return user


def may_be_given(user: AbstractBaseUser, claimants: Mapping[AbstractBaseUser, bool]) -> bool:
    """Whether whoever proves the address of these claimants may be given this user's account. Not where somebody else
    has proven the address, nor where the account belongs to whoever proved another one."""
    if user not in claimants or any(is_proven for other, is_proven in claimants.items() if other != user):
        return False
    return claimants[user] or not has_proven_address(user)


def opens(record: MigratedUser, address: str) -> bool:
    """Whether a human has said that a proof of this address is enough for this pool user."""
    decision = Decision.of(record)
    return decision is not None and decision.address == address


def one_person(known: Sequence[MigratedUser]) -> list[MigratedUser]:
    """The pool users that carry one address, less those that a human has set aside; those that a human called one
    person are the first of them."""
    rows = [row for row in known if row.status != Status.EXCLUDED] or list(known)
    merged = Decision.of(rows[0]) if rows else None
    if merged is None or merged.choice != "merge" or not {row.pk for row in rows} <= set(merged.rows):
        return rows
    first = [row for key in merged.rows for row in rows if row.pk == key]
    return first[:1]

"""Which pool user an address means, if several have it: before a code is sent, and after our code proved it.

The law: a pool user is entered by an address that the pool verified (or that an operator wants proven), never by one
that is only written there. Pool users with the same spelling of an address are one person's; with another spelling
they are two people, and the spelling that was typed says which.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    WAITING = "waiting"  # no sign-in as this pool user yet
    CAME = "came"
    CASE = "case"  # an operator has to decide
    OUT = "out"  # excluded by an operator
    GONE = "gone"  # no longer in the pool: claims nothing and blocks no other person


@dataclass(frozen=True, slots=True)
class PoolUser:
    """The record of a pool user who has the address. ``verified``: the pool says so. ``wanted``: an operator decided
    that a proof of this address is enough. ``opposed``: it was given an account that does not carry the address.
    ``merged``: records that an operator called the same person, the first of them first."""

    key: Hashable
    state: State = State.WAITING
    verified: bool = False
    wanted: bool = False
    enabled: bool = True
    opposed: bool = False
    federated: bool = False
    as_typed: bool = True
    merged: tuple[Hashable, ...] = ()

    @property
    def is_strong(self) -> bool:
        return self.verified or self.wanted

    @property
    def is_provable(self) -> bool:
        """Whether a proof of the address, to us, is enough to come in as this pool user."""
        waits = self.state is State.WAITING or (self.wanted and self.state is State.CASE)
        return waits and self.enabled and self.is_strong and not self.opposed


class NoMatch(Enum):
    """Why no pool user is meant."""

    UNKNOWN = "unknown"
    EXCLUDED = "excluded"
    GONE = "gone"
    SEVERAL = "several_pool_users"


def meant(users: Sequence[PoolUser]) -> PoolUser | NoMatch:
    """The pool user for whom the pool is asked to send a code."""
    present = [user for user in users if user.state not in {State.OUT, State.GONE}]
    if not present:
        excluded = any(user.state is State.OUT for user in users)
        return NoMatch.EXCLUDED if excluded else NoMatch.GONE if users else NoMatch.UNKNOWN
    found = _one_person(present)
    return found[0] if found else NoMatch.SEVERAL


def proven(users: Sequence[PoolUser]) -> list[PoolUser]:
    """The pool users of a person who has just proven the address to us; the sign-in is as the first. Usually one."""
    provable = [user for user in users if user.is_provable]
    return _one_person(provable)


def keeps_out(users: Collection[PoolUser]) -> bool:
    """Whether a person who proved the address to us, and is none of these, is refused a new account: a pool user whose
    address the pool verified is disabled, excluded or a case for an operator."""
    there = [user for user in users if user.verified and user.state is not State.GONE]
    return any(not user.enabled or user.state in {State.CASE, State.OUT} for user in there)


def _one_person(users: Sequence[PoolUser]) -> list[PoolUser]:
    """Empty where they are several people's."""
    strong = [user for user in users if user.is_strong] or list(users)
    merged = next((user.merged for user in strong if user.merged), ())
    if merged and {user.key for user in strong} <= set(merged):
        return sorted(strong, key=lambda user: merged.index(user.key))
    if len({user.as_typed for user in strong}) > 1:
        strong = [user for user in strong if user.as_typed]
    elif not all(user.as_typed for user in strong):
        strong = strong if len(strong) == 1 else []
    # The pool's own users come first: it sends no code to people of another provider.
    return sorted(strong, key=lambda user: user.federated)

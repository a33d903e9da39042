"""What is known in a sign-in: of the person who comes, and of the accounts that could be meant.

Addresses are keys (`addresses`), accounts are whatever names them, say a primary key. Nothing here is looked up:
whoever calls has read it, in one transaction.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Literal

Account = Hashable


class Claim(IntEnum):
    """What speaks for an address being the person's, from weak to strong."""

    WRITTEN = 0  # somebody wrote it into the pool
    BY_POOL = 1  # the pool calls it verified
    PROVEN = 2  # a code that was sent there was entered in this sign-in (law 13)


class Held(IntEnum):
    """How an account carries an address, from weak to strong."""

    LISTED = 0  # among its addresses, not verified
    WRITTEN = 1  # in the user model's own field, not verified
    VERIFIED = 2  # verified in Django


class Record(Enum):
    """How far the pool user's record has come."""

    OPEN = "open"  # nobody has come in as this pool user
    MIGRATED = "migrated"  # somebody has; `Evidence.account` is theirs, None where it was deleted
    EXCLUDED = "excluded"  # a human wants nobody to come in as this pool user
    GONE = "gone"  # in the pool no more, as far as the last full import could see; the pool itself knows better
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Holder:
    """An account that carries the person's sub or one of their addresses.

    ``carries_sub``: by an earlier sign-in, or in a field that the site names. ``people``: how many *other* people of
    the pools have come into it. ``twins``: those of them whose pool verified an address that this person proves.
    ``proven_elsewhere``: it has a verified address that this person does not claim. ``joined`` orders accounts by age.
    """

    account: Account
    addresses: Mapping[str, Held] = field(default_factory=dict)
    carries_sub: bool = False
    people: int = 0
    twins: int = 0
    proven_elsewhere: bool = False
    active: bool = True
    staff: bool = False
    second_factor: bool = False
    joined: int = 0

    @property
    def has_owner(self) -> bool:
        """Whether somebody has proven to be its owner: by an address, or as a person of a pool."""
        return self.carries_sub or bool(self.people) or self.is_proven_elsewhere("")

    def is_proven_elsewhere(self, address: str) -> bool:
        """Whether another address than this one is verified on it."""
        return self.proven_elsewhere or any(
            held is Held.VERIFIED and carried != address for carried, held in self.addresses.items()
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What an operator decided about a pool user.

    ``link`` to ``account``; ``separate``: a new account; ``merge`` with other pool users (into ``account`` if there is
    one). ``address`` has to be proven; if it is empty, the sub alone is enough."""

    choice: Literal["link", "separate", "merge"]
    account: Account = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """``claims`` has the person's addresses. ``in_pool``: they are a person of a pool, whose sub was proven, or whose
    record is theirs by an address that they proved and the pool verified.

    ``by_our_code``: the proof was given to us, not to the pool. ``welcome``: the site wants this person whether it
    knows an account of theirs or not. ``fewer_factors``: the pool asked for a second factor, and this sign-in has not.
    ``shown`` and ``declined``: accounts whose second factor they have shown, or cannot show.
    """

    claims: Mapping[str, Claim]
    in_pool: bool = False
    by_our_code: bool = False
    record: Record = Record.OPEN
    account: Account = None
    decision: Decision | None = None
    welcome: bool = False
    fewer_factors: bool = False
    shown: frozenset[Account] = frozenset()
    declined: frozenset[Account] = frozenset()

    @property
    def proven(self) -> frozenset[str]:
        return frozenset(address for address, claim in self.claims.items() if claim is Claim.PROVEN)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the site and the connection allow: ``STAFF_SIGN_IN``, ``trust_verified``, ``DELETED_USER_RETURNS``."""

    staff_sign_in: bool = False
    trust_verified: bool = False
    deleted_may_return: bool = False

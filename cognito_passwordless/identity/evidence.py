"""The facts of a sign-in: about the person, and about the accounts that they could mean.

Addresses are keys (`addresses`), accounts are any hashable name, such as a primary key. Nothing here is looked up: the
caller has read it, in one transaction.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Literal

Account = Hashable


class Claim(IntEnum):
    """How well it is established that an address is the person's, from weak to strong."""

    WRITTEN = 0  # it was written into the pool
    BY_POOL = 1  # the pool calls it verified
    PROVEN = 2  # a code that was sent there was entered in this sign-in (law 13)


class Held(IntEnum):
    """How an account carries an address, from weak to strong."""

    LISTED = 0  # among its addresses, not verified
    WRITTEN = 1  # in the user model's own field, not verified
    VERIFIED = 2  # verified in Django


class Record(Enum):
    """The state of the pool user's record."""

    OPEN = "open"  # no sign-in as this pool user yet
    MIGRATED = "migrated"  # `Evidence.account` is the person's account, None if it was deleted
    EXCLUDED = "excluded"  # an operator has barred sign-ins as this pool user
    GONE = "gone"  # the last full import did not find them in the pool; a sign-in at the pool overrules it
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Holder:
    """An account that carries the person's sub or one of their addresses.

    ``carries_sub``: by an earlier sign-in, or in a field that the site names. ``people``: how many *other* people of
    the pools have entered it. ``twins``: those of them whose pool verified an address that this person proves.
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
        """Whether a person has proven to be its owner: by an address, or as a person of a pool."""
        return self.carries_sub or bool(self.people) or self.is_proven_elsewhere("")

    def is_proven_elsewhere(self, address: str) -> bool:
        """Whether an address other than this one is verified on it."""
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
    """``claims`` has the person's addresses. ``in_pool``: they are a person of a pool: their sub was proven, or they
    proved an address that the pool verified for their record.

    ``by_our_code``: the proof was given to us, not to the pool. ``welcome``: the site creates an account for this
    person if there is none. ``fewer_factors``: the pool asked for a second factor, and this sign-in did not. ``shown``
    and ``declined``: accounts whose second factor they have shown, or cannot show.
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

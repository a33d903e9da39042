"""Small worlds, all of them: accounts and a person who comes, in every state that the rules can tell apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

from cognito_passwordless.identity import Claim, Evidence, Held, Holder, Policy, Record

ANN, SHOP, NUMBER = "ann@example.com", "shop@example.com", "+4915100000123"


@dataclass(frozen=True, slots=True)
class World:
    evidence: Evidence
    holders: tuple[Holder, ...]
    policy: Policy


HELD = (None, *Held)


def accounts(name: int, *, full: bool) -> list[Holder]:
    """Every account that carries something of Ann's, by the address that she proves, a second one, and all else."""
    flags = product((False, True), repeat=5) if full else [(False,) * 5]
    made = []
    for (sub, elsewhere, inactive, staff, factor), proven, other, (people, twins) in product(
        list(flags), HELD, (None, Held.WRITTEN, Held.VERIFIED) if full else (None,), ((0, 0), (1, 0), (1, 1))
    ):
        if (twins and not full) or (inactive and staff):
            continue
        addresses = {ANN: proven, SHOP: other}
        made.append(
            Holder(
                account=name,
                addresses={address: held for address, held in addresses.items() if held is not None},
                carries_sub=sub,
                people=people,
                twins=twins,
                proven_elsewhere=elsewhere,
                active=not inactive,
                staff=staff,
                second_factor=factor,
                joined=name,
            )
        )
    return made


def persons() -> Iterator[Evidence]:
    """Ann proves her address to us or to her pool, or comes by the pool's hosted login, which proves none."""
    for second in (None, Claim.WRITTEN, Claim.BY_POOL):
        for first in Claim:
            claims = {ANN: first} | ({SHOP: second} if second is not None else {})
            for record in Record:
                account, ours = 1 if record is Record.MIGRATED else None, record is Record.GONE
                yield Evidence(claims, in_pool=True, record=record, account=account, by_our_code=ours)
    yield Evidence({ANN: Claim.PROVEN}, in_pool=True, fewer_factors=True)
    for welcome in (False, True):
        yield Evidence({ANN: Claim.PROVEN}, welcome=welcome)


POLICIES = (Policy(), Policy(trust_verified=True), Policy(staff_sign_in=True), Policy(deleted_may_return=True))


def worlds() -> Iterator[World]:
    """One account in every state; and two and three in the states in which accounts differ for each other."""
    alone = accounts(1, full=True)
    for number, (evidence, policy) in enumerate(product(persons(), POLICIES)):
        yield World(evidence, (), policy)
        # Every state of an account meets every person; under each policy, every fourth of them.
        for holder in alone[number % 4 :: 4] if policy != POLICIES[0] else alone:
            yield World(evidence, (holder,), policy)
    plain = [accounts(name, full=False) + several(name) for name in (1, 2, 3)]
    for evidence in persons():
        for first, second in product(plain[0], plain[1]):
            yield World(evidence, (first, second), Policy())
        if SHOP not in evidence.claims:
            for three in combinations(range(len(plain[0])), 3):
                yield World(evidence, tuple(plain[name][which] for name, which in enumerate(three)), Policy())


def several(name: int) -> list[Holder]:
    """What one account may be in the way of another."""
    return [
        Holder(name, {ANN: Held.WRITTEN}, second_factor=True, joined=name),
        Holder(name, {ANN: Held.VERIFIED}, staff=True, joined=name),
        Holder(name, {ANN: Held.WRITTEN}, active=False, joined=name),
        Holder(name, {ANN: Held.WRITTEN}, staff=True, joined=name),
        Holder(name, {ANN: Held.LISTED}, carries_sub=True, joined=name),
        Holder(name, {}, carries_sub=True, joined=name),
        Holder(name, {ANN: Held.WRITTEN}, proven_elsewhere=True, joined=name),
        Holder(name, {ANN: Held.VERIFIED}, active=False, joined=name),
        Holder(name, {SHOP: Held.VERIFIED}, joined=name),
        Holder(name, {ANN: Held.WRITTEN, SHOP: Held.VERIFIED}, joined=name),
        Holder(name, {ANN: Held.VERIFIED, SHOP: Held.VERIFIED}, joined=name),
    ]

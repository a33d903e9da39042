"""The laws of identity, on every small world and on random larger ones."""

from collections.abc import Callable, Collection
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cognito_passwordless.identity import (
    Action,
    Claim,
    Conflict,
    Decision,
    Evidence,
    Held,
    Holder,
    Policy,
    Record,
    Refusal,
    Verdict,
    judge,
)

from .worlds import ANN, SHOP, World, worlds

ENTERED = {Action.ENTER, Action.TAKE_OVER, Action.ASK_SECOND_FACTOR}


def verdict(world: World) -> Verdict:
    return judge(world.evidence, world.holders, world.policy)


def entered(world: World, found: Verdict) -> Holder | None:
    if found.action not in ENTERED:
        return None
    return next(holder for holder in world.holders if holder.account == found.account)


def held(holder: Holder, addresses: Collection[str]) -> set[Held]:
    return {state for address, state in holder.addresses.items() if address in addresses}


def no_account_without_a_proof(world: World, found: Verdict) -> bool:
    """(a) By the sub, by a proven address, or by what both sides have verified where the pool is trusted."""
    holder, evidence = entered(world, found), world.evidence
    if holder is None:
        return True
    trusted = [address for address, claim in evidence.claims.items() if claim >= Claim.BY_POOL]
    by_sub = evidence.in_pool and (holder.carries_sub or holder.account == evidence.account)
    by_trust = world.policy.trust_verified and Held.VERIFIED in held(holder, trusted)
    return by_sub or bool(held(holder, evidence.proven)) or by_trust


def no_owner_is_replaced(world: World, found: Verdict) -> bool:
    """(a) What was proven before is not taken over by a proof of something else."""
    holder = entered(world, found)
    return holder is None or found.action is Action.ENTER or not holder.has_owner


def no_claim_is_in_the_way(world: World, found: Verdict) -> bool:
    """(b) Without what other accounts merely claim, the person comes in no more than with it."""
    if found.comes_in or not world.evidence.proven or found.reason is Conflict.SECOND_FACTOR:
        return True
    owned = tuple(h for h in world.holders if h.has_owner or not held(h, world.evidence.proven))
    return not verdict(replace(world, holders=owned)).comes_in


def an_unproven_address_is_no_gate(world: World, found: Verdict) -> bool:
    """(b) What is claimed beside the proof keeps nobody out."""
    if found.comes_in or len(world.evidence.claims) == 1:
        return True
    bare = replace(world.evidence, claims={ANN: world.evidence.claims[ANN]})
    return not verdict(replace(world, evidence=bare)).comes_in


def no_factor_goes(world: World, found: Verdict) -> bool:
    """(c) No account with a second factor is taken over, and whoever had one in the pool is not linked without one."""
    holder = entered(world, found)
    if found.action is Action.TAKE_OVER and holder is not None and holder.second_factor:
        return False
    linked_before = world.evidence.record is Record.MIGRATED
    if not world.evidence.fewer_factors or linked_before or found.case or not found.comes_in:
        return True
    return holder is not None and holder.second_factor


def staff_is_not_reached(world: World, found: Verdict) -> bool:
    """(d) Only by a sign-in of their own, where the site allows it."""
    holder = entered(world, found)
    if holder is None or not holder.staff:
        return True
    own = Held.VERIFIED in held(holder, world.evidence.proven) or holder.account == world.evidence.account
    return world.policy.staff_sign_in and own and found.action is Action.ENTER


def order_says_nothing(world: World, found: Verdict) -> bool:
    """(e) Neither of the accounts nor of the claims."""
    turned = replace(world.evidence, claims=dict(reversed(world.evidence.claims.items())))
    turns = [tuple(reversed(world.holders)), world.holders[1:] + world.holders[:1]]
    return all(judge(turned, holders, world.policy) == found for holders in turns)


def the_inactive_stay_out(world: World, found: Verdict) -> bool:
    holder = entered(world, found)
    return holder is None or holder.active


def nothing_verified_is_verified_twice(world: World, found: Verdict) -> bool:
    others = [h for h in world.holders if h.account != found.account]
    return not any(h.addresses.get(address) is Held.VERIFIED for h in others for address in found.gains | found.writes)


def only_what_is_proven_becomes_verified(world: World, found: Verdict) -> bool:
    """Of a new account also what a trusted pool calls verified."""
    trusts = world.policy.trust_verified and found.action is Action.CREATE
    least = Claim.BY_POOL if trusts else Claim.PROVEN
    return all(world.evidence.claims[address] >= least for address in found.gains)


def the_erased_and_the_excluded_stay_out(world: World, found: Verdict) -> bool:
    return world.evidence.record not in {Record.ERASED, Record.EXCLUDED} or found.action is Action.REFUSE


LAWS: list[Callable[[World, Verdict], bool]] = [
    no_account_without_a_proof,
    no_owner_is_replaced,
    no_claim_is_in_the_way,
    an_unproven_address_is_no_gate,
    no_factor_goes,
    staff_is_not_reached,
    order_says_nothing,
    the_inactive_stay_out,
    nothing_verified_is_verified_twice,
    only_what_is_proven_becomes_verified,
    the_erased_and_the_excluded_stay_out,
]


@pytest.fixture(scope="module")
def small_worlds() -> list[tuple[World, Verdict]]:
    return [(world, verdict(world)) for world in worlds()]


@pytest.mark.slow
def test_there_are_tens_of_thousands_of_small_worlds_with_every_verdict(
    small_worlds: list[tuple[World, Verdict]],
) -> None:
    assert {found.action for _, found in small_worlds} == set(Action)
    assert len(small_worlds) > 50_000


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.slow
def test_every_small_world(law: Callable[[World, Verdict], bool], small_worlds: list[tuple[World, Verdict]]) -> None:
    broken = [(world, found) for world, found in small_worlds if not law(world, found)]
    assert not broken, (len(broken), broken[0])


def holders() -> st.SearchStrategy[tuple[Holder, ...]]:
    one = st.builds(
        Holder,
        account=st.just(0),
        addresses=st.dictionaries(
            st.sampled_from([ANN, SHOP, "x@example.com", "+4915100000123"]), st.sampled_from(Held)
        ),
        carries_sub=st.booleans(),
        people=st.integers(0, 2),
        twins=st.integers(0, 1),
        proven_elsewhere=st.booleans(),
        active=st.booleans(),
        staff=st.booleans(),
        second_factor=st.booleans(),
        joined=st.integers(0, 3),
    )
    return st.lists(one, max_size=4).map(lambda made: tuple(replace(h, account=n) for n, h in enumerate(made)))


def evidences() -> st.SearchStrategy[Evidence]:
    return st.builds(
        Evidence,
        claims=st.dictionaries(
            st.sampled_from([SHOP, "+4915100000123"]), st.sampled_from([Claim.WRITTEN, Claim.BY_POOL])
        ).flatmap(lambda others: st.sampled_from(Claim).map(lambda first: {ANN: first, **others})),
        in_pool=st.just(True),
        record=st.sampled_from(Record),
        account=st.sampled_from([None, 0, 1]),
        fewer_factors=st.booleans(),
        declined=st.frozensets(st.integers(0, 3)),
    )


@hypothesis_settings(max_examples=600)
@given(
    evidences(),
    holders(),
    st.builds(Policy, staff_sign_in=st.booleans(), trust_verified=st.booleans(), deleted_may_return=st.booleans()),
)
@pytest.mark.slow
def test_larger_worlds(evidence: Evidence, found: tuple[Holder, ...], policy: Policy) -> None:
    if evidence.record is not Record.MIGRATED:
        evidence = replace(evidence, account=None)
    world = World(evidence, found, policy)
    for law in LAWS:
        assert law(world, verdict(world)), law


def test_whoever_is_gone_from_the_pool_comes_in_by_no_proof_given_to_us_but_by_the_pools_own() -> None:
    for world in worlds():
        if world.evidence.record is Record.GONE:
            assert verdict(world) == Verdict(Action.REFUSE, reason=Refusal.GONE)
            at_pool = replace(world, evidence=replace(world.evidence, by_our_code=False))
            open_one = replace(at_pool, evidence=replace(at_pool.evidence, record=Record.OPEN))
            assert verdict(at_pool) == verdict(open_one)


PROVEN = Evidence({ANN: Claim.PROVEN})
OF_POOL = replace(PROVEN, in_pool=True)


def test_a_stranger_who_lists_the_address_takes_nobodys_place() -> None:
    own = Holder("own", {ANN: Held.WRITTEN}, joined=5)
    stranger = Holder("stranger", {ANN: Held.LISTED}, joined=1)
    assert judge(PROVEN, [stranger, own], Policy()).account == "own"


def test_of_two_that_have_it_written_the_older_is_meant() -> None:
    later = Holder("later", {ANN: Held.WRITTEN}, joined=5)
    assert judge(PROVEN, [later, Holder("own", {ANN: Held.WRITTEN}, joined=1)], Policy()).account == "own"


def test_a_squatters_second_factor_locks_out_neither_a_pool_person_nor_the_next_account() -> None:
    squatter = Holder("squatter", {ANN: Held.WRITTEN}, second_factor=True)
    own = Holder("own", {ANN: Held.LISTED}, joined=3)
    assert judge(OF_POOL, [squatter], Policy()).action is Action.ASK_SECOND_FACTOR
    declined = frozenset({"squatter"})
    assert judge(replace(OF_POOL, declined=declined), [squatter], Policy()).action is Action.CREATE
    assert judge(replace(PROVEN, declined=declined), [squatter, own], Policy()).account == "own"
    assert judge(replace(PROVEN, declined=declined), [squatter], Policy()).reason is Conflict.SECOND_FACTOR


def test_the_account_whose_second_factor_was_shown_is_the_one_that_is_meant() -> None:
    shown = Holder("shown", {ANN: Held.WRITTEN}, second_factor=True, joined=5)
    older = Holder("older", {ANN: Held.WRITTEN}, joined=1)
    found = judge(replace(PROVEN, shown=frozenset({"shown"})), [older, shown], Policy())
    assert (found.action, found.account) == (Action.ENTER, "shown")


def test_an_account_of_a_pool_person_is_not_taken_over_by_an_address_they_wrote() -> None:
    theirs = Holder("theirs", {ANN: Held.WRITTEN}, people=1)
    assert judge(replace(PROVEN, welcome=True), [theirs], Policy()).action is Action.CREATE
    assert judge(PROVEN, [theirs], Policy()).reason is Refusal.UNKNOWN


def test_two_pool_users_of_one_person_share_an_account_where_the_address_was_shown_for_both() -> None:
    account = Holder("own", {ANN: Held.VERIFIED}, people=1, twins=1)
    assert judge(OF_POOL, [account], Policy()) == Verdict(Action.ENTER, "own")
    in_meanwhile = judge(OF_POOL, [replace(account, twins=0)], Policy())
    assert (in_meanwhile.action, in_meanwhile.case) == (Action.ENTER, Conflict.LINKED_TO_ANOTHER)


def test_somebody_who_comes_back_with_a_new_address_owns_it_here() -> None:
    own = Holder("own", {SHOP: Held.VERIFIED})
    back = replace(OF_POOL, record=Record.MIGRATED, account="own")
    assert judge(back, [own], Policy()).gains == {ANN}
    taken = judge(back, [own, Holder("other", {ANN: Held.VERIFIED})], Policy())
    assert (taken.account, taken.case, taken.gains) == ("own", Conflict.ADDRESS_IS_ANOTHERS, frozenset())


def test_what_is_only_claimed_and_anothers_is_dropped() -> None:
    hosted = Evidence({ANN: Claim.BY_POOL, SHOP: Claim.WRITTEN}, in_pool=True)
    found = judge(hosted, [Holder("other", {ANN: Held.VERIFIED})], Policy())
    assert (found.action, found.writes, found.joins) == (Action.CREATE, {SHOP}, {ANN})


@pytest.mark.parametrize(
    ("decision", "holder", "expected"),
    [
        (Decision("link", "a", ANN), Holder("a", {ANN: Held.WRITTEN}), Action.TAKE_OVER),
        (Decision("link", "a", ANN), Holder("a", {ANN: Held.WRITTEN}, second_factor=True), Action.ASK_SECOND_FACTOR),
        (Decision("link", "a", ANN), Holder("a", {ANN: Held.VERIFIED}), Action.ENTER),
        (
            Decision("link", "a", ANN),
            Holder("a", {ANN: Held.WRITTEN}, proven_elsewhere=True),
            Conflict.DECISION_OUTDATED,
        ),
        (Decision("link", "a", ANN), Holder("a", {SHOP: Held.WRITTEN}), Conflict.DECISION_OUTDATED),
        (Decision("link", "a", ANN), Holder("a", {ANN: Held.VERIFIED}, people=1), Conflict.LINKED_TO_ANOTHER),
        (Decision("merge", "a", ANN), Holder("a", {ANN: Held.VERIFIED}, people=1), Action.ENTER),
        (Decision("link", "a", ANN), Holder("a", {ANN: Held.VERIFIED}, staff=True), Conflict.PRIVILEGED_USER),
        (Decision("link", "a"), Holder("a", {}, carries_sub=True), Action.ENTER),
        (Decision("link", "a"), Holder("a", {ANN: Held.VERIFIED}), Conflict.DECISION_OUTDATED),
        (Decision("link", "b"), Holder("a", {}, carries_sub=True), Conflict.DECISION_OUTDATED),
        (Decision("link", "a", SHOP), Holder("a", {SHOP: Held.WRITTEN}), Conflict.ADDRESS_NOT_PROVEN),
        (Decision("separate"), Holder("a", {ANN: Held.WRITTEN}), Action.CREATE),
        (Decision("separate"), Holder("a", {ANN: Held.VERIFIED}), Conflict.DECISION_OUTDATED),
        (Decision("merge"), Holder("a", {ANN: Held.WRITTEN}), Action.TAKE_OVER),
    ],
)
def test_what_a_human_decided(decision: Decision, holder: Holder, expected: Action | Conflict) -> None:
    found = judge(replace(OF_POOL, decision=decision), [holder], Policy())
    assert expected in {found.action, found.reason, found.case}

"""Which pool user is meant by an address."""

from dataclasses import replace
from itertools import permutations, product

import pytest

from cognito_passwordless.identity.pool_users import NoMatch, PoolUser, State, keeps_out, meant, proven

VERIFIED = PoolUser("verified", verified=True)
WRITTEN = PoolUser("written")


def test_a_verified_one_comes_before_one_who_only_wrote_it() -> None:
    for users in permutations([VERIFIED, WRITTEN]):
        assert meant(users) == VERIFIED
        assert proven(users) == [VERIFIED]


def test_somebody_who_only_wrote_it_proves_nothing_to_us() -> None:
    assert meant([WRITTEN]) == WRITTEN  # the pool itself may know better
    assert proven([WRITTEN]) == []
    assert proven([replace(WRITTEN, wanted=True)]) == [replace(WRITTEN, wanted=True)]


def test_two_with_one_spelling_are_one_person_and_the_pools_own_goes_first() -> None:
    google = replace(VERIFIED, key="google", federated=True)
    for users in permutations([VERIFIED, google]):
        assert meant(users) == VERIFIED
        assert proven(users) == [VERIFIED, google]


def test_two_that_differ_by_case_are_two_people_told_apart_by_what_was_typed() -> None:
    other = replace(VERIFIED, key="other", as_typed=False)
    assert meant([other, VERIFIED]) == VERIFIED
    assert proven([other, VERIFIED]) == [VERIFIED]
    assert meant([other]) == other  # alone, it is the only one that can be meant
    neither = [other, replace(other, key="third")]
    assert (meant(neither), proven(neither)) == (NoMatch.SEVERAL, [])


def test_a_human_may_have_called_them_one() -> None:
    merged = (2, 1)
    users = [replace(VERIFIED, key=key, merged=merged, as_typed=key == 1) for key in (1, 2)]
    assert meant(users).key == 2  # type: ignore[union-attr]
    assert [user.key for user in proven(users)] == [2, 1]


@pytest.mark.parametrize(
    ("state", "enabled", "provable"),
    [
        (State.WAITING, True, True),
        (State.WAITING, False, False),
        (State.CAME, True, False),
        (State.CASE, True, False),
        (State.OUT, True, False),
        (State.GONE, True, False),
    ],
)
def test_who_may_come_in_by_a_proof_to_us(state: State, enabled: bool, provable: bool) -> None:
    assert bool(proven([replace(VERIFIED, state=state, enabled=enabled)])) is provable


def test_an_account_that_does_not_carry_the_address_speaks_against_it() -> None:
    assert proven([replace(VERIFIED, opposed=True)]) == []


def test_the_excluded_are_nobody() -> None:
    assert meant([replace(VERIFIED, state=State.OUT)]) is NoMatch.EXCLUDED
    assert meant([replace(VERIFIED, state=State.OUT), WRITTEN]) == WRITTEN
    assert meant([]) is NoMatch.UNKNOWN


def test_only_what_the_pool_verified_keeps_somebody_out() -> None:
    for state, enabled, verified in product(State, (True, False), (True, False)):
        user = PoolUser("a", state=state, enabled=enabled, verified=verified)
        barred = state is not State.GONE and (not enabled or state in {State.CASE, State.OUT})
        assert keeps_out([user]) is (verified and barred)


def test_whoever_is_gone_is_nobody_and_claims_nothing() -> None:
    gone = replace(VERIFIED, key="gone", state=State.GONE)
    assert (meant([gone]), proven([replace(gone, wanted=True)])) == (NoMatch.GONE, [])
    assert meant([gone, replace(VERIFIED, state=State.OUT)]) is NoMatch.EXCLUDED  # what an operator said comes first


def test_an_address_that_was_given_to_somebody_new_is_the_new_ones() -> None:
    for as_typed, merged in product((True, False), ((), ("gone", "verified"))):
        gone = replace(VERIFIED, key="gone", state=State.GONE, as_typed=as_typed, merged=merged)
        for new in (VERIFIED, replace(VERIFIED, as_typed=False)):
            for users in permutations([gone, new]):
                assert meant(users) == new
                assert proven(users) == [new]
                assert not keeps_out(users)
        # Not even somebody who only wrote it stands behind whoever is gone.
        assert meant([gone, WRITTEN]) == WRITTEN

"""The rules of the conversion guard, and weeks of it in a few seconds."""

import math
from datetime import timedelta
from uuid import uuid4

import pytest

from benchmarks.sms_pumping import MONDAY, Row, run
from cognito_passwordless.flows.limits.conversion import (
    ALL,
    LONGEST_WAIT,
    RECENT,
    Outcome,
    apply,
    judge_probe,
    keys_of,
    may_probe,
    probe,
    takes_sms,
)

NUMBER = "+4915112345678"


@pytest.mark.parametrize(
    "number",
    ["+499001123456", "+491801123456", "+498001234567", "+18005550199", "+19005550199", "+443331234567", "nonsense"],
)
def test_no_sms_goes_to_what_is_no_persons_phone(number: str) -> None:
    assert not takes_sms(number)


@pytest.mark.parametrize("number", [NUMBER, "+447911123456", "+12025550123", "+493012345678", "+5215512345678"])
def test_mobile_and_fixed_lines_and_unknown_types_may(number: str) -> None:
    assert takes_sms(number)


def test_a_number_is_of_a_block_a_network_and_a_country() -> None:
    assert keys_of(NUMBER) == ("block +491511234", "network +491511", "country DE")


def closed_after(entered: list[bool]) -> tuple[int, list[str]]:
    """After how many messages something closed, and what."""
    blocks = {key: Row(key, MONDAY) for key in (*keys_of(NUMBER), ALL, RECENT)}
    for position, each in enumerate(entered, 1):
        at = MONDAY + timedelta(minutes=position)
        if closed := [block.key for block in apply(blocks, [Outcome(NUMBER, each, at)], at)]:
            return position, closed
    return 0, []


def test_codes_that_are_never_entered_close_their_block_alone() -> None:
    when, what = closed_after([False] * 60)
    assert 10 <= when <= 25
    assert what == ["block +491511234"]


def test_a_block_with_a_past_closes_as_well() -> None:
    when, what = closed_after([True] * 200 + [False] * 60)
    assert 205 <= when <= 225
    assert what == ["block +491511234"]


def test_seven_of_ten_close_nothing() -> None:
    assert closed_after(([True] * 7 + [False] * 3) * 100) == (0, [])


def test_a_score_that_is_no_number_closes() -> None:
    blocks = {key: Row(key, MONDAY) for key in (*keys_of(NUMBER), ALL, RECENT)}
    blocks["block +491511234"].score = math.nan
    assert [*apply(blocks, [Outcome(NUMBER, True, MONDAY)], MONDAY)]


def test_probes_come_later_and_later_and_two_that_are_entered_open() -> None:
    block = Row("block +491511234", MONDAY, closed_at=MONDAY, probe_at=MONDAY)
    now, lost = MONDAY, 0
    attempt = uuid4()
    while now < MONDAY + timedelta(days=7):
        if may_probe([block], now):
            probe(block, attempt, now)
            assert not may_probe([block], now + LONGEST_WAIT)  # one at a time
            assert not judge_probe(block, entered=False, now=now)
            lost += 1
        now += timedelta(minutes=10)
    assert lost <= 9
    assert not judge_probe(block, entered=True, now=now)
    assert may_probe([block], now)
    assert judge_probe(block, entered=True, now=now)
    assert block.closed_at is None


def test_ordinary_weeks_close_nothing_and_an_attacked_block_costs_at_most_sixty() -> None:
    """`python -m benchmarks.sms_pumping` has a hundred of each."""
    calm = run(2, 40)
    assert (calm.honest, calm.closed) == (2, ())
    assert run(2, 40, attacked=4).most <= 60

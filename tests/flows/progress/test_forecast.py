"""The forecast against worlds whose future is known, and what it says when it knows nothing."""

import json
import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate
from statistics import median

import pytest

from cognito_passwordless.flows.progress.forecast import HORIZON, TARGETS, Forecast, Target, forecast, of_everybody
from cognito_passwordless.flows.progress.queries import Daily, Kind, People, Tally, start_of

pytestmark = pytest.mark.own_database
RUNS = 200
BEGAN = date(2024, 1, 3)
DAY = timedelta(days=1)


def at(day: date) -> datetime:
    """In the afternoon."""
    return start_of(day) + timedelta(hours=15)


# How often people sign in, a day. The forecast's own model is only the first of them.
def gamma(chance: random.Random) -> Callable[[], float]:
    shape, mean = chance.uniform(0.6, 3), chance.uniform(15, 120)
    return lambda: chance.gammavariate(shape, 1 / (shape * mean))


def lognormal(chance: random.Random) -> Callable[[], float]:
    spread, mean = chance.uniform(0.4, 1.2), chance.uniform(15, 120)
    return lambda: chance.lognormvariate(-math.log(mean), spread)


def two_kinds(chance: random.Random) -> Callable[[], float]:
    """Some come every few days, the others once in a while."""
    share, often, seldom = chance.uniform(0.2, 0.6), chance.uniform(3, 12), chance.uniform(40, 150)
    return lambda: 1 / often if chance.random() < share else 1 / seldom


def all_alike(chance: random.Random) -> Callable[[], float]:
    mean = chance.uniform(20, 90)
    return lambda: 1 / mean


WORLDS = (gamma, lognormal, two_kinds, all_alike)


@dataclass(frozen=True)
class Run:
    """What was forecast on a day, and what came true: the day of each target, None beyond the horizon."""

    told: Forecast
    truth: Mapping[int, date | None]
    now: date

    def held(self, percent: int) -> bool:
        target, true = self.target(percent), self.truth[percent]
        if true is None:
            return target.latest is None
        return (target.earliest or date.max) <= true <= (target.latest or date.max)

    def target(self, percent: int) -> Target:
        return next(target for target in self.told.targets if target.percent == percent)


def activity(chance: random.Random, days: int) -> list[float]:
    """How busy the world had been by the end of each day: quiet weekends, and weeks that differ."""
    week = [1.1, 1.1, 1.1, 1.1, 1.1, 0.8, 0.7]
    weeks = [chance.lognormvariate(0, 0.1) for _ in range(days // 7 + 1)]
    return list(accumulate(week[day % 7] * weeks[day // 7] for day in range(days)))


@cache
def run(seed: int) -> Run:
    chance = random.Random(seed)
    rate = WORLDS[seed % len(WORLDS)](chance)
    people = round(math.exp(chance.uniform(math.log(400), math.log(4_000))))
    busy = activity(chance, HORIZON)
    came = sorted(bisect_left(busy, chance.expovariate(1) / rate()) for _ in range(people))
    # Somebody looks while a part of them has come, and at least some weeks after the beginning.
    looked = max(came[int(people * chance.uniform(0.3, 0.85))], 21)
    migrated = Counter(BEGAN + day * DAY for day in came if day <= looked)
    reached = {percent: came[math.ceil(people * percent / 100) - 1] for percent in TARGETS}
    truth = {percent: BEGAN + day * DAY if day < HORIZON else None for percent, day in reached.items()}
    today = BEGAN + looked * DAY
    return Run(forecast(migrated, people, start_of(today + DAY) - timedelta(seconds=1)), truth, today)


class TestTruth:
    @pytest.mark.parametrize("percent", TARGETS)
    def test_comes_within_the_range_as_often_as_is_promised(self, percent: int) -> None:
        runs = [run(seed) for seed in range(RUNS)]
        assert {each.told.coverage for each in runs} == {90}
        held = sum(each.held(percent) for each in runs)
        assert held >= 0.9 * RUNS, f"{held} of {RUNS}"

    @pytest.mark.parametrize("world", range(len(WORLDS)), ids=[world.__name__ for world in WORLDS])
    def test_is_missed_seldom_in_every_kind_of_world(self, world: int) -> None:
        runs = [run(seed) for seed in range(world, RUNS, len(WORLDS))]
        held = {percent: sum(each.held(percent) for each in runs) for percent in TARGETS}
        assert min(held.values()) >= 0.85 * len(runs), held

    def test_a_range_that_holds_everything_would_be_of_no_use(self) -> None:
        """Half of the ranges for 90 % end before three times the wait that came true, and begin after half of it."""
        lows, highs = [], []
        for each in map(run, range(RUNS)):
            target, true = each.target(90), each.truth[90]
            assert true
            wait = (true - each.now).days + 1
            lows.append(((target.earliest or date.max) - each.now).days / wait)
            highs.append(((target.latest or date.max) - each.now).days / wait)
        assert median(lows) > 0.5
        assert median(highs) < 3

    def test_dates_are_in_order(self) -> None:
        for each in map(run, range(RUNS)):
            for target in each.told.targets:
                told = [day or date.max for day in (target.earliest, target.likely, target.latest)]
                assert [each.now, *told] == sorted([each.now, *told])
            likely = [target.likely or date.max for target in each.told.targets]
            assert likely == sorted(likely)

    def test_is_the_same_every_time(self) -> None:
        assert run.__wrapped__(5).told == run(5).told


def came(*counts: int) -> dict[date, int]:
    """So many on each day from `BEGAN` on."""
    return {BEGAN + day * DAY: count for day, count in enumerate(counts) if count}


class TestNoDate:
    def test_for_nobody(self) -> None:
        assert forecast({}, 0, at(BEGAN)) == Forecast([], "nobody")

    def test_when_too_few_have_come(self) -> None:
        assert forecast(came(1, *[0] * 20, 28), 1_000, at(BEGAN + 21 * DAY)).reason == "too_few"

    def test_in_the_first_two_weeks(self) -> None:
        assert forecast(came(*[20] * 14), 1_000, at(BEGAN + 13 * DAY)).reason == "too_early"
        assert forecast(came(*[20] * 15), 1_000, at(BEGAN + 14 * DAY)).reason == ""

    def test_when_nobody_has_come_for_two_weeks(self) -> None:
        told = forecast(came(*[20] * 15), 1_000, at(BEGAN + 29 * DAY))
        assert told == Forecast([], "stalled")

    def test_is_pretended_beyond_what_anybody_plans(self) -> None:
        told = forecast(came(*[2] * 30), 1_000_000, at(BEGAN + 29 * DAY))
        assert [(each.likely, each.latest) for each in told.targets] == [(None, None)] * 3


class TestReached:
    def test_tells_the_day_on_which_it_was(self) -> None:
        told = forecast(came(80, 9, 0, 1, 5, 5), 100, at(BEGAN + 400 * DAY))
        days = [BEGAN + number * DAY for number in (3, 4, 5)]
        expected = zip(TARGETS, days, strict=True)
        assert told == Forecast([Target(percent, day, day, day, reached=True) for percent, day in expected])

    def test_what_is_reached_stays_beside_what_is_open(self) -> None:
        told = forecast(came(*[6] * 15), 100, at(BEGAN + 14 * DAY))
        assert [each.reached for each in told.targets] == [True, False, False]
        stalled = forecast(came(*[6] * 15), 100, at(BEGAN + 60 * DAY))
        assert ([each.percent for each in stalled.targets], stalled.reason) == ([90], "stalled")

    def test_people_who_were_activated_in_bulk_count_and_are_no_sign_of_how_people_come(self) -> None:
        now = at(BEGAN + 29 * DAY)
        few = forecast(came(*[5] * 30), 1_000, now)
        with_bulk = forecast(came(*[5] * 30), 2_000, now, in_bulk={BEGAN + 29 * DAY: 1_000})
        assert few.targets[0].likely
        assert with_bulk.targets[0].likely
        assert with_bulk.targets[0].likely < few.targets[0].likely
        assert forecast({}, 100, now, in_bulk={BEGAN: 95}).targets[0].reached

    def test_more_migrated_than_there_are_is_no_error(self) -> None:
        """A roll-up whose people were deleted since."""
        assert all(each.reached for each in forecast(came(*[20] * 20), 10, at(BEGAN + 19 * DAY)).targets)


def test_everybody_and_each_connection_have_a_forecast_of_their_own() -> None:
    def person(status: str, connection: str) -> People:
        return People(connection, status, "", "", "", False)

    def day(number: int, connection: str, route: str = "local_otp") -> Daily:
        return Daily(BEGAN + number * DAY, Kind.PEOPLE, connection, route=route)

    people = {
        person("migrated", "a"): 95,
        person("pending", "a"): 5,
        person("pending", "b"): 100,
        person("excluded", "b"): 1_000,
        person("gone", "b"): 1_000,
    }
    tally = Tally(Counter(people), {day(0, "a"): (45, 0), day(1, "a", "bulk"): (50, 0)})
    told = {name: Forecast.from_json(each) for name, each in of_everybody(tally, at(BEGAN + 40 * DAY)).items()}
    assert told.keys() == {"", "a", "b"}
    assert [each.percent for each in told["a"].targets if each.reached] == [90, 95]
    assert told["b"].reason == "too_few"
    assert (told[""].targets, told[""].reason) == ([], "stalled")


def test_it_is_kept_as_json() -> None:
    told = run(3).told
    assert Forecast.from_json(json.loads(json.dumps(told.as_json()))) == told
    assert Forecast.from_json({}).reason == "nobody"

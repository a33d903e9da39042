"""When will 90, 95 and 99 % have been migrated? A date, with the range in which we promise it to be.

The model: everybody signs in at a rate of their own, and these rates differ by a gamma distribution, so that the
share still missing after ``t`` days is ``(1 + t / scale) ** -shape`` (the exponential-gamma or Lomax distribution, the
usual model of how long customers take for their first purchase). Frequent visitors go first, and the rest takes longer
and longer, as in every migration by sign-in. Both parameters are found by Bayes' rule on a grid, from how many were
migrated in each week, and the range comes from sampling both them and the people who are left.

The world is not the model: there are weekends, campaigns, and rates of other shapes. So the data count for less than
they would (`_trust`): as little as their scatter around the model says, and never for more than `MOST_EVIDENCE`
people. And a part of what is sampled (`AT_PRESENT`) goes on at the rate of the last weeks: whatever shape the rates
have, those who are left come no faster than that. The range is the model's `BELIEF` and is called `COVERAGE`;
`tests/flows/progress/test_forecast.py` holds it to that.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ...models import MigratedUser
from .queries import Tally, day_of, start_of

TARGETS = (90, 95, 99)  # per cent
COVERAGE = 90  # per cent: how often the true date is in the range, at least
BELIEF = 0.94
MOST_EVIDENCE = 1_000
SAMPLES = 600
AT_PRESENT = 0.15
SEED = 20
FEWEST_DAYS = 14
FEWEST_PEOPLE = 30
# Nobody plans further ahead; beyond it a date would only pretend.
HORIZON = 20 * 365

Reason = Literal["", "nobody", "too_early", "too_few", "stalled"]


@dataclass(frozen=True, slots=True)
class Target:
    """When ``percent`` are reached; None for a date beyond `HORIZON`. ``reached``: it was on that date."""

    percent: int
    likely: date | None = None
    earliest: date | None = None
    latest: date | None = None
    reached: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """The dates, or the ``reason`` why there are none. ``coverage`` in per cent."""

    targets: Sequence[Target] = ()
    reason: Reason = ""
    coverage: int = COVERAGE

    def as_json(self) -> dict[str, Any]:
        targets = [
            {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(target).items()}
            for target in self.targets
        ]
        return {"targets": targets, "reason": self.reason, "coverage": self.coverage}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Forecast":
        targets = []
        for target in data.get("targets", ()):
            likely, earliest, latest = (
                date.fromisoformat(target[name]) if target[name] else None for name in ("likely", "earliest", "latest")
            )
            targets.append(Target(target["percent"], likely, earliest, latest, target["reached"]))
        return cls(targets, data.get("reason", "nobody"), data.get("coverage", COVERAGE))


def of_everybody(tally: Tally, now: datetime) -> dict[str, Any]:
    """A forecast for each connection and, under the empty name, one for all. People who are out do not count; those
    who were activated in bulk say nothing about how people come by themselves."""
    everybody: Counter[str] = Counter()
    by_itself: dict[str, Counter[date]] = {}
    in_bulk: dict[str, Counter[date]] = {}
    for person, count in tally.people.items():
        for name in ("", person.connection):
            everybody[name] += count if person.status not in MigratedUser.OUT else 0
    for key, (count, _) in tally.daily.items():
        migrated = in_bulk if key.route == MigratedUser.Method.BULK else by_itself
        for name in ("", key.connection):
            migrated.setdefault(name, Counter())[key.day] += count
    return {
        name: forecast(by_itself.get(name, {}), total, now, in_bulk=in_bulk.get(name, {})).as_json()
        for name, total in everybody.items()
    }


def forecast(
    migrated: Mapping[date, int], total: int, now: datetime, *, in_bulk: Mapping[date, int] | None = None
) -> Forecast:
    """From how many were migrated on each day, of ``total`` people."""
    bulk = in_bulk or {}
    done, today = sum(migrated.values()), day_of(now)
    open_targets = {}
    targets = {}
    for percent in TARGETS:
        needed = math.ceil(total * percent / 100)
        on = _reached_on(Counter(migrated) + Counter(bulk), needed) if total else None
        if on:
            targets[percent] = Target(percent, on, on, on, reached=True)
        else:
            open_targets[percent] = needed - sum(bulk.values())
    reason = _why_not(migrated, total, today) if open_targets else ""
    if reason:
        return Forecast([targets[percent] for percent in TARGETS if percent in targets], reason)
    if open_targets:
        first = min(migrated)
        elapsed = (now - start_of(first)) / timedelta(days=1)
        weeks = list(_weeks(migrated, first, elapsed))
        left = max(total - sum(bulk.values()) - done, 1)
        samples = _samples(weeks, left)
        for percent, needed in open_targets.items():
            days = _days_until(samples, min(left, max(1, needed - done)), left, elapsed)
            tail = (1 - BELIEF) / 2
            earliest, likely, latest = (
                _date(days[min(len(days) - 1, int(share * len(days)))], today) for share in (tail, 0.5, 1 - tail)
            )
            targets[percent] = Target(percent, likely, earliest, latest)
    return Forecast([targets[percent] for percent in TARGETS])


def _why_not(migrated: Mapping[date, int], total: int, today: date) -> Reason:
    if not total:
        return "nobody"
    if sum(migrated.values()) < FEWEST_PEOPLE:
        return "too_few"
    if today - min(migrated) < timedelta(days=FEWEST_DAYS):
        return "too_early"
    if today - max(migrated) > timedelta(days=FEWEST_DAYS):
        return "stalled"
    return ""


def _reached_on(migrated: Mapping[date, int], needed: int) -> date | None:
    so_far = 0
    for day in sorted(migrated):
        so_far += migrated[day]
        if so_far >= needed:
            return day
    return None


@dataclass(frozen=True, slots=True)
class _Week:
    """From one moment to another, in days since the beginning."""

    begin: float
    end: float
    count: int


def _weeks(migrated: Mapping[date, int], first: date, elapsed: float) -> Iterator[_Week]:
    """Whole weeks, for Sundays differ from Mondays; shorter ones at first, when the rate changes fastest."""
    begin, ends = 0.0, [1.0, 3.0, 7.0]
    while begin < elapsed:
        end = ends.pop(0) if ends else begin + 7
        # What is left of a week would say more about its weekdays than about the rate.
        end = elapsed if end > elapsed - 1 else end
        days = range(round(begin), math.ceil(end))
        yield _Week(begin, end, sum(migrated.get(first + timedelta(days=day), 0) for day in days))
        begin = end


@dataclass(frozen=True, slots=True)
class _Rates:
    """The gamma distribution of people's rates."""

    shape: float
    scale: float

    def missing(self, days: float) -> float:
        """The share of people who have not come after so many days."""
        return float((1 + days / self.scale) ** -self.shape)

    def day_of(self, missing: float) -> float:
        """When this share is left."""
        power = -math.log(missing) / self.shape
        return self.scale * math.expm1(power) if power < 50 else math.inf


def _fit(rates: _Rates, weeks: Sequence[_Week], left: int) -> float:
    """The logarithm of the likelihood of what has happened."""
    before, found = 1.0, 0.0
    for week in weeks:
        after = rates.missing(week.end)
        found += week.count * math.log(max(before - after, 1e-300))
        before = after
    return found + left * math.log(max(before, 1e-300))


SHAPES = (0.03, 30.0)
SCALES = (0.3, 20_000.0)
STEPS = 24
RECENT = 5  # weeks
ONE_RATE = 1e6  # the shape of rates that hardly differ


def _spread(low: float, high: float) -> list[float]:
    """Evenly on a logarithmic scale."""
    return [low * (high / low) ** (step / (STEPS - 1)) for step in range(STEPS)]


def _samples(weeks: Sequence[_Week], left: int) -> list[_Rates]:
    """What the rates may be, more often what is more likely. The grid closes in on where anything is likely at all."""
    shapes, scales, trust = SHAPES, SCALES, 1.0
    grid: list[_Rates] = []
    weights: list[float] = []
    for _ in range(4):
        grid = [_Rates(shape, scale) for shape in _spread(*shapes) for scale in _spread(*scales)]
        fits = [_fit(rates, weeks, left) for rates in grid]
        best = max(range(len(grid)), key=lambda place: fits[place])
        trust = _trust(grid[best], weeks, left)
        # The prior: shapes of customers' rates are found around 1, and seldom far from it.
        priors = [-0.5 * (math.log(rates.shape) / 1.2) ** 2 for rates in grid]
        believed = [trust * fit + prior for fit, prior in zip(fits, priors, strict=True)]
        most = max(believed)
        weights = [math.exp(belief - most) for belief in believed]
        likely = [rates for rates, weight in zip(grid, weights, strict=True) if weight > 1e-4]
        shapes = _around([rates.shape for rates in likely], SHAPES, shapes)
        scales = _around([rates.scale for rates in likely], SCALES, scales)
    chance = random.Random(SEED)  # noqa: S311  (no secret)
    rest = round(SAMPLES * AT_PRESENT)
    return [*chance.choices(grid, weights, k=SAMPLES - rest), *_at_present(weeks, left, trust, rest, chance)]


def _at_present(
    weeks: Sequence[_Week], left: int, trust: float, count: int, chance: random.Random
) -> Iterator[_Rates]:
    """One rate for all who are left, that of the last weeks."""
    came, waited = 0, 0.0
    for week in reversed(weeks[-RECENT:]):
        came += week.count
        waited += (week.end - week.begin) * (left + came - week.count / 2)
    for _ in range(count):
        rate = max(chance.gammavariate(1 + trust * came, 1 / max(trust * waited, 1)), 1e-9)
        yield _Rates(ONE_RATE, ONE_RATE / rate)


def _around(values: Sequence[float], most: tuple[float, float], span: tuple[float, float]) -> tuple[float, float]:
    step = (span[1] / span[0]) ** (1 / (STEPS - 1))
    return max(most[0], min(values) / step), min(most[1], max(values) * step)


def _trust(rates: _Rates, weeks: Sequence[_Week], left: int) -> float:
    """What the data count for, up to 1: less where they scatter more than chance would, and where they are so many
    that only the model's own faults are left."""
    everybody = left + sum(week.count for week in weeks)
    scatter, before = 0.0, 1.0
    for week in weeks:
        after = rates.missing(week.end)
        expected = max(everybody * (before - after), 0.5)
        scatter += (week.count - expected) ** 2 / expected
        before = after
    excess = max(1.0, scatter / max(1, len(weeks) - 2))
    return min(1 / excess, MOST_EVIDENCE / max(everybody - left, 1))


def _days_until(samples: Sequence[_Rates], needed: int, left: int, elapsed: float) -> list[float]:
    """When ``needed`` of the ``left`` people will have come, in days from now: one answer for each sample, sorted."""
    chance = random.Random(SEED)  # noqa: S311
    return sorted(
        # Of people who come independently of each other, the share that has come with the last one needed.
        rates.day_of(rates.missing(elapsed) * (1 - min(chance.betavariate(needed, left - needed + 1), 1 - 1e-12)))
        - elapsed
        for rates in samples
    )


def _date(days: float, today: date) -> date | None:
    return today + timedelta(days=max(0, math.floor(days))) if days < HORIZON else None

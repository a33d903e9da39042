"""The conversion guard in simulated weeks: ordinary ones, and ones with SMS pumping. No database: only its rules.

``python -m benchmarks.sms_pumping [weeks]``. An ordinary week has three countries with networks and blocks of one to
some hundred messages a week, a rhythm of days and weeks, people who try again, and a day on which the provider is slow
and a quarter of the codes come too late. An attacker's numbers ask and enter nothing: in bursts as fast as the budget
of a prefix allows, or slowly at first.
"""

import heapq
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cognito_passwordless.conf import Limit
from cognito_passwordless.conf.defaults import DEFAULT_LIMITS
from cognito_passwordless.flows.limits import conversion
from cognito_passwordless.flows.limits.conversion import ALL, FIRST_WAIT, PATIENCE, RECENT, Outcome, keys_of

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
BUSY = 50  # messages a week: what is rented has no more of others' people
Event = tuple[datetime, str, bool | None]
COUNTRIES = {"DE": ("+49151", "+49160", "+49170"), "GB": ("+447400", "+447700", "+447911"), "FR": ("+33612", "+33650")}
LENGTHS = {"DE": 13, "GB": 13, "FR": 12}
BY_HOUR = [1 + math.sin((hour - 9) / 24 * 2 * math.pi) for hour in range(24)]


@dataclass
class Row:
    key: str
    seen_at: datetime
    sent: float = 0.0
    entered: float = 0.0
    score: float = 0.0
    closed_at: datetime | None = None
    probe_at: datetime | None = None
    probe: UUID | None = None
    wait: timedelta = FIRST_WAIT
    hits: int = 0


@dataclass
class Site:
    """A site with the guard, and the budget of a prefix; its task looks once a minute."""

    now: datetime
    blocks: dict[str, Any] = field(default_factory=dict)
    ripening: list[tuple[datetime, int, Outcome]] = field(default_factory=list)
    probes: dict[UUID, tuple[datetime, bool]] = field(default_factory=dict)
    windows: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    misses: Counter[str] = field(default_factory=Counter)
    closed: list[str] = field(default_factory=list)
    shut: set[str] = field(default_factory=set)
    pumped: Counter[str] = field(default_factory=Counter)
    sent: int = 0

    def row(self, key: str) -> Any:
        return self.blocks.setdefault(key, Row(key, self.now))

    def look(self, now: datetime) -> None:
        self.now, ripe = now, []
        while self.ripening and self.ripening[0][0] <= now - PATIENCE:
            ripe.append(heapq.heappop(self.ripening)[2])
            for key in keys_of(ripe[-1].number):
                self.row(key)
        closed = [block.key for block in conversion.apply(self.blocks, ripe, now)]
        self.closed += closed
        self.shut.update(closed)
        for block in [self.blocks[key] for key in self.shut]:
            asked, entered = self.probes.get(block.probe, (now, False))
            is_over = block.probe and (entered or asked <= now - PATIENCE)
            if is_over and conversion.judge_probe(block, entered=entered, now=now):
                self.shut.remove(block.key)

    def ask(self, number: str, at: datetime, enters: bool | None) -> None:
        """One message, if the guard and the budget let it out. An attacker's has None for ``enters``."""
        keys, limit = keys_of(number), Limit.parse(DEFAULT_LIMITS["sms_per_prefix"])
        shut = [self.blocks[key] for key in keys if key in self.shut]
        if shut and not conversion.may_probe(shut, at):
            return
        began, used = self.windows.get(keys[0], (at, 0))
        if at - began >= timedelta(seconds=limit.window):
            began, used = at, 0
        if used >= limit.count:
            return
        self.windows[keys[0]] = began, used + 1
        attempt = uuid4()
        for block in shut:
            conversion.probe(block, attempt, at)
            self.probes[attempt] = at, bool(enters)
        self.sent += 1
        self.pumped[keys[0]] += enters is None
        self.misses[number] += not enters
        outcome = Outcome(number, bool(enters), at, 1 / max(1, self.misses[number]))
        heapq.heappush(self.ripening, (at, self.sent, outcome))


@dataclass(frozen=True)
class Ordinary:
    prefix: str
    a_week: float
    share: float
    length: int


def town(chance: random.Random, blocks: int) -> list[Ordinary]:
    found = []
    for _ in range(blocks):
        country = chance.choice([*COUNTRIES])
        network = chance.choice(COUNTRIES[country])
        rest = LENGTHS[country] - len(network) - conversion.PREFIX_LEAVES_OUT
        prefix = f"{network}{chance.randrange(10**rest):0{rest}}"
        share = min(0.97, max(0.5, {"DE": 0.85, "GB": 0.8, "FR": 0.75}[country] + chance.gauss(0, 0.05)))
        found.append(Ordinary(prefix, min(800.0, chance.lognormvariate(2, 1.4)), share, LENGTHS[country]))
    return found


def ordinary(chance: random.Random, blocks: list[Ordinary], begins: datetime) -> Iterator[Event]:
    """What people ask for in a week, and whether they enter it. One in a hundred has trouble, and asks ten times."""
    slow_day = chance.randrange(7)
    for block in blocks:
        for _ in range(round(chance.gammavariate(block.a_week, 1))):
            day = chance.choices(range(7), [1.2, 1.1, 1.1, 1.1, 1.0, 0.6, 0.5])[0]
            hour = chance.choices(range(24), BY_HOUR)[0]
            at = begins + timedelta(days=day, hours=hour, seconds=chance.random() * 3600)
            number = f"{block.prefix}{chance.randrange(10**conversion.PREFIX_LEAVES_OUT):04}"
            share = block.share * (0.75 if day == slow_day else 1.0)
            if chance.random() < 0.01:
                for again in range(10):
                    yield at + timedelta(minutes=again), number, False
            else:
                for again in range(3):
                    enters = chance.random() < share
                    yield at + timedelta(minutes=2 * again), number, enters
                    if enters or chance.random() < 0.5:
                        break


def pumping(chance: random.Random, begins: datetime, prefixes: list[str]) -> Iterator[Event]:
    for prefix in prefixes:
        at, burst = begins + timedelta(hours=chance.random() * 48), chance.random() < 0.5
        gap = 2.0 if burst else 4 * 3600.0
        while at < begins + WEEK:
            yield at, f"{prefix}{chance.randrange(10**conversion.PREFIX_LEAVES_OUT):04}", None
            at += timedelta(seconds=gap * chance.uniform(0.5, 1.5))
            # A slow one comes faster and faster; a burst that is refused goes on at a minute's pace.
            gap = max(60.0, gap * 0.9) if not burst or at > begins + timedelta(hours=60) else max(2.0, gap * 1.001)


def week(site: Site, events: list[Event], begins: datetime) -> None:
    events.sort(key=lambda event: event[0])
    minute, position = begins, 0
    while minute < begins + WEEK:
        minute += timedelta(minutes=1)
        while position < len(events) and events[position][0] < minute:
            at, number, enters = events[position]
            site.ask(number, at, enters)
            position += 1
        site.look(minute)


@dataclass(frozen=True)
class Result:
    """``honest``: weeks without a closed honest block; ``most``: messages that the worst attacked block cost."""

    weeks: int
    honest: int
    most: int
    messages: int
    closed: tuple[str, ...] = ()


def run(weeks: int, blocks: int, *, attacked: int = 0, seed: int = 1) -> Result:
    chance, honest, most, closed = random.Random(seed), 0, 0, []
    blocks_of_town = town(chance, blocks)
    site = Site(MONDAY, {key: Row(key, MONDAY) for key in (ALL, RECENT)})
    for number in range(weeks):
        begins = MONDAY + number * WEEK
        events = list(ordinary(chance, blocks_of_town, begins))
        # Half of them in blocks where people live, half in new ones; as many as one network has.
        lived_in = [block.prefix for block in blocks_of_town if block.a_week <= BUSY]
        rented = chance.sample(lived_in, attacked // 2)
        rented += [f"+49176{block:03}" for block in chance.sample(range(1000), attacked - len(rented))]
        site.pumped.clear()
        site.misses.clear()
        events += pumping(chance, begins, rented)
        seen = len(site.closed)
        week(site, events, begins)
        wrongly = [key for key in site.closed[seen:] if key.partition(" ")[2] not in rented]
        honest += not wrongly
        closed += wrongly
        most = max([most, *site.pumped.values()])
    return Result(weeks, honest, most, site.sent, tuple(closed))


def main() -> None:
    weeks = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    calm = run(weeks, 200)
    print(
        f"{calm.weeks} ordinary weeks, {calm.messages} messages: {calm.honest} without a closed block; {calm.closed}"
    )
    attack = run(weeks, 200, attacked=12)
    print(f"{attack.weeks} weeks with 12 attacked blocks each: at most {attack.most} messages a block")


if __name__ == "__main__":
    main()

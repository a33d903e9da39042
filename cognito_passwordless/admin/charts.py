"""Geometry of the pictures: numbers in, coordinates out. The template draws SVG of them, the stylesheet colours it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ..flows.progress.types import Day, Named

WIDTH, HEIGHT = 760, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 12, 26


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar of 100 units."""

    name: str
    x: str
    width: str


def segments(statuses: Sequence[Named]) -> list[Segment]:
    """One bar of all people; the smallest part is half a unit wide, to be visible."""
    present = [each for each in statuses if each.number.value]
    everybody = sum(each.number.value for each in present)
    widths = [max(0.5, 100 * each.number.value / everybody) for each in present]
    scale, found, x = 100 / sum(widths) if widths else 1.0, [], 0.0
    for each, width in zip(present, widths, strict=True):
        found.append(Segment(each.name, f"{x:.3f}", f"{width * scale:.3f}"))
        x += width * scale
    return found


@dataclass(frozen=True, slots=True)
class Bar:
    day: date
    count: int
    x: str
    y: str
    width: str
    height: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid, or a name on the axis: a number or a day."""

    at: str
    value: int | date


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of days, and a line of their mean over a week."""

    some: bool  # whether there is anything to be seen
    bars: Sequence[Bar]
    line: str
    across: Sequence[Tick]
    along: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    label_x: int = LEFT - 8
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM
    label_y: int = HEIGHT - 8


def per_day(days: Sequence[Day]) -> Chart:
    most = nice(max([each.migrated.value for each in days] + [round(each.rate) for each in days] + [1]))
    step = (WIDTH - LEFT - RIGHT) / len(days)
    room = HEIGHT - TOP - BOTTOM

    def up(value: float) -> float:
        return TOP + room * (1 - value / most)

    bars, points, along = [], [], []
    for number, each in enumerate(days):
        x, y = LEFT + number * step, up(each.migrated.value)
        bars.append(
            Bar(
                each.day,
                each.migrated.value,
                f"{x + step * 0.14:.2f}",
                f"{y:.2f}",
                f"{step * 0.72:.2f}",
                f"{HEIGHT - BOTTOM - y:.2f}",
                number == len(days) - 1,
            )
        )
        if number < len(days) - 1:  # today is not over, and would always be a fall
            points.append(f"{x + step / 2:.2f},{up(each.rate):.2f}")
        if each.day.weekday() == 0 and number % 14 < 7:
            along.append(Tick(f"{x + step / 2:.2f}", each.day))
    across = [Tick(f"{up(value):.2f}", value) for value in (0, most // 2, most)]
    return Chart(any(each.count for each in bars), bars, " ".join(points), across, along)


def nice(most: int) -> int:
    """The next even number above that is easy to read: 2, 4, 6, 8, 10, 12, 16, 20, 30, 40, 60…"""
    power = 1
    while power * 12 < most:
        power *= 10
    return next(step * power // 10 for step in (20, 40, 60, 80, 100, 120) if step * power // 10 >= most)

"""From what was measured to a table and a verdict."""

from statistics import median, quantiles
from typing import Any

STEPS = ("start", "worker", "wrong code", "right code")
MOST_STATEMENTS = {"start": 4, "wrong code": 4, "right code": 14}
# Our time over allauth's, of the request part.
HIGHEST_RATIO = {"start": 0.6, "wrong code": 0.75, "right code": 1.3}


def table(database: str, measured: dict[str, Any]) -> str:
    """Statements and the median milliseconds of each step, with the middle half of them in brackets."""
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    lines = ["", f"{database} ({versions})", f"{'':12}{'ours':>30}{'allauth':>30}{'ratio':>8}{'target':>8}"]
    for step in STEPS:
        ours, theirs = (_cell(measured, route, step) for route in ("ours", "allauth"))
        ratio = f"{ratios(measured)[step]:.2f}" if step in ratios(measured) else ""
        target = f"{HIGHEST_RATIO[step]:.2f}" if step in HIGHEST_RATIO else ""
        lines.append(f"{step:12}{ours:>30}{theirs:>30}{ratio:>8}{target:>8}")
    return "\n".join([*lines, ""])


def ratios(measured: dict[str, Any]) -> dict[str, float]:
    """Our median over allauth's, for the steps that both have."""
    ours, theirs = measured["milliseconds"]["ours"], measured["milliseconds"]["allauth"]
    return {step: median(ours[step]) / median(theirs[step]) for step in STEPS if step in theirs}


def missed(measured: dict[str, Any]) -> list[str]:
    """The targets that are not met, in words."""
    statements = measured["statements"]["ours"]
    return [
        f"{step} takes {statements[step]} statements, at most {most} are wanted"
        for step, most in MOST_STATEMENTS.items()
        if statements[step] > most
    ] + [
        f"{step} takes {ratios(measured)[step]:.2f} of allauth's time, at most {most} is wanted"
        for step, most in HIGHEST_RATIO.items()
        if ratios(measured)[step] > most
    ]


def _cell(measured: dict[str, Any], route: str, step: str) -> str:
    times = measured["milliseconds"][route].get(step)
    if times is None:
        return "in the request"
    low, middle, high = quantiles(times, n=4)
    return f"{measured['statements'][route][step]:2d} st. {middle:6.2f} ms [{low:.2f}-{high:.2f}]"

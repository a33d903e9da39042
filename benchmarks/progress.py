"""Does the progress page cost the same however many people there are? ``python -m benchmarks.progress``.

Fills two databases of PostgreSQL, a small and a large one, counts them, and measures the page, its exports and every
kind of list that the page links to, by turns. Exits with 1 when a target is missed. PostgreSQL is the server at
``TEST_POSTGRES_URL``.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from .__main__ import ROOT, database

FEW, MANY = 1_000, 1_000_000
EVENTS_EACH = 5
WARM_UP = 2
MOST_STATEMENTS = 20
HIGHEST_RATIO = 2.0
START = (
    "import sys, django; django.setup(); from benchmarks import progress_site; "
    "progress_site.main(*map(int, sys.argv[1:]))"
)


class Site:
    """A process with a database of its own, which answers one question at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, **question: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def site(people: int) -> Iterator[Site]:
    with database("postgresql") as url:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))}
        environment = {**kept, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
        command = [sys.executable, "-c", START, str(people), str(people * EVENTS_EACH)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:
            yield Site(process)
            assert process.stdin
            process.stdin.close()  # which ends it


@dataclass(slots=True)
class Page:
    """What one page took in one database. ``shown``: the rows of a list, None for what is no list."""

    url: str
    statements: int = 0
    shown: int | None = None
    times: list[float] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """The quarter of the visits that nothing else on the machine disturbed took less than this."""
        return quantiles(self.times, n=4)[0]

    def visit(self, asked: Site, *, warm: bool) -> None:
        told = asked.ask(url=self.url)
        self.statements, self.shown = told["statements"], told["shown"]
        if warm:
            self.times.append(told["ms"])


@dataclass(slots=True)
class Pair:
    """One page with few people and with many."""

    few: Page
    many: Page
    # The whole list of the same kind, where few people do not fill this one: rows take their time to be drawn.
    whole: Page | None = None

    @property
    def yardstick(self) -> float:
        filled = self.whole is None or self.few.shown == self.many.shown
        return self.few.ms if filled or self.whole is None else max(self.few.ms, self.whole.ms)

    @property
    def ratio(self) -> float:
        return self.many.ms / self.yardstick

    def misses(self) -> Iterator[str]:
        few, many = self.few.statements, self.many.statements
        if few != many or many > MOST_STATEMENTS:
            yield f"{few} and {many} statements, the same and at most {MOST_STATEMENTS} wanted: {self.many.url}"
        if self.ratio > HIGHEST_RATIO:
            yield f"{self.ratio:.2f} times as long with many people, at most {HIGHEST_RATIO} wanted: {self.many.url}"


def kind(url: str) -> str:
    """The two databases are not filled on the same day of their busiest."""
    return re.sub(r"days=[^&]*", "days=", url)


def pairs(few: Site, many: Site) -> list[Pair]:
    small = {kind(url): Page(url) for url in few.ask(pages=True)}
    found = []
    for url in many.ask(pages=True):
        if kind(url) in small:
            path, _, query = url.partition("?")
            found.append(Pair(small[kind(url)], Page(url), small.get(path) if query else None))
    return found


def table(found: list[Pair]) -> Iterator[str]:
    yield f"{'':74}{'statements':>12}{'few':>12}{'many':>12}{'ratio':>8}"
    for pair in found:
        name = pair.many.url.removeprefix("/admin/cognito_passwordless/")[:73]
        statements = f"{pair.few.statements} / {pair.many.statements}"
        mark = "" if pair.yardstick == pair.few.ms else " *"
        yield f"{name:74}{statements:>12}{pair.yardstick:>9.1f} ms{pair.many.ms:>9.1f} ms{pair.ratio:>8.2f}{mark}"
    yield "* few people do not fill this list: compared with the whole list of its kind, which is full"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.progress", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for (20)")
    parser.add_argument("--many", type=int, default=MANY, help=f"people in the large database ({MANY})")
    options = parser.parse_args()
    busy, processors = os.getloadavg()[0], os.cpu_count() or 1
    if busy > processors / 2:
        print(f"This machine is busy (load {busy:.1f} on {processors} processors): its times say little.")
    misses = []
    with ExitStack() as stack:
        few, many = (stack.enter_context(site(people)) for people in (FEW, options.many))
        print(f"{FEW:,} and {options.many:,} migrated people, {EVENTS_EACH} events for each", flush=True)
        for name in ("first", "next", "check"):
            told = [each.ask(count=name) for each in (few, many)]
            print(f"roll-up, {name}: {told[0]['seconds']:.2f} s and {told[1]['seconds']:.1f} s", flush=True)
            misses += [
                f"The roll-up differs from the tables in {each['drift']} figures" for each in told if each["drift"]
            ]
        found = pairs(few, many)
        for number in range(WARM_UP + options.rounds):
            for pair in found:
                pair.few.visit(few, warm=number >= WARM_UP)
                pair.many.visit(many, warm=number >= WARM_UP)
    print("\n".join(table(found)))
    misses += [miss for pair in found for miss in pair.misses()]
    print("\n".join(["Missed targets:", *misses] if misses else ["All targets are met."]))
    return bool(misses)


if __name__ == "__main__":
    sys.exit(main())

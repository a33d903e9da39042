"""``manage.py cognito_progress``: how far the migration is, as the admin shows it."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ...flows.progress import report, rollup
from ...flows.progress.forecast import Forecast
from ...flows.progress.types import Figures, Share
from ..terminal import plain

WHY_NO_FORECAST = {
    "nobody": "no pool user is known yet",
    "too_early": "the migration began less than two weeks ago",
    "too_few": "too few people have migrated so far",
    "stalled": "no one has migrated for two weeks",
}
FAR_AWAY = "more than 20 years"


class Command(BaseCommand):
    help = (
        "Prints how far the migration is, as of the last roll-up. With --check, counts everything again and ends with "
        "an error where a figure that cannot have changed since is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", default="", help="The alias of one connection only.")
        parser.add_argument("--json", action="store_true", help="All figures as JSON.")
        parser.add_argument("--refresh", action="store_true", help="Count now first.")
        parser.add_argument(
            "--recount", action="store_true", help="Count now first, past days included: fixes what is wrong."
        )
        parser.add_argument("--check", action="store_true", help="Compare the roll-up with the tables.")

    def handle(self, *args: Any, connection: str, check: bool, **options: Any) -> None:
        now = timezone.now()
        if options["refresh"] or options["recount"]:
            rollup.roll_up(now, anew=options["recount"])
        if check:
            found = rollup.check()
            for drift in found:
                key = ", ".join(
                    f"{name}={plain(str(value))}" for name, value in drift.key.items() if value not in {"", 0}
                )
                since = "" if drift.settled else " (may have changed since the roll-up)"
                self.stdout.write(f"{key}: kept {drift.kept}, counted {drift.counted}{since}")
            if any(drift.settled for drift in found):
                raise CommandError("The roll-up has drifted; --recount counts it anew.")
            self.stdout.write(self.style.SUCCESS("The roll-up equals the tables." if not found else "No drift."))
            return
        figures = report.read_report(now, connection)
        if not figures.known:
            raise CommandError(f"There is no connection {connection!r}.")
        if options["json"]:
            self.stdout.write(json.dumps(figures.as_json(), indent=2))
        else:
            self.stdout.write("\n".join(lines(figures)))


def lines(figures: Figures) -> Iterator[str]:
    if figures.as_of is None:
        yield "Nothing has been counted yet: run with --refresh, and let beat run roll_up_progress (docs/celery.md)."
        return
    yield f"As of {figures.as_of:%Y-%m-%d %H:%M %Z}" + (" - OLD: is Celery beat running?" if figures.stale else "")
    yield f"Migrated                 {_share(figures.migrated)}"
    yield f"Of those seen in {figures.active_days} days  {_share(figures.active)}"
    yield f"Django user deleted      {figures.deleted.value:>12,}"
    yield f"Per day, over 7 days     {figures.rate:,}"
    for title, named in (
        ("Status", figures.statuses),
        ("Method", figures.methods),
        ("Needs review", figures.reasons),
    ):
        yield from _table(title, [(each.name, f"{each.number.value:>12,}") for each in named])
    for title, groups in (("Connection", figures.connections), ("Cohort", figures.cohorts)):
        yield from _table(title, [(group.label or "-", _share(group.migrated)) for group in groups])
    yield from _table(
        f"Sign-ins, {figures.recent_days} days",
        [(stage.name, f"{stage.attempts.value:>12,}  {stage.percent:5.1f} %") for stage in figures.funnel],
    )
    yield from _table(
        "Failures",
        [(f"{each.step} {each.outcome} {each.cause}", f"{each.events.value:>12,}") for each in figures.failures],
    )
    pools = []
    for pool in figures.pools:
        speed = f"half within {_ms(pool.median_ms)}, 95 % within {_ms(pool.p95_ms)}"
        still = f"{pool.still_there.value:,} sign-ins still there"
        pools.append((pool.label, f"{pool.calls.value:>12,} calls, {pool.error_percent} % errors, {speed}, {still}"))
    yield from _table("Pools", pools)
    yield from _table(
        "Budgets",
        [
            (f"{each.name} {each.key}", f"{each.used.value:>12,} of {each.limit:,}  {each.percent:5.1f} %")
            for each in figures.budgets
        ],
    )
    yield from _table("Forecast", list(_forecast(figures.forecast)))


def _table(title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    if rows:
        yield f"\n{title}"
        yield from (f"  {plain(name):<40.40} {value}" for name, value in rows)


def _share(share: Share) -> str:
    return f"{share.part.value:>12,} of {share.whole.value:,}  {share.percent:5.1f} %"


def _ms(milliseconds: int | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds} ms"


def _forecast(forecast: Forecast) -> Iterator[tuple[str, str]]:
    for target in forecast.targets:
        if target.reached:
            yield f"{target.percent} %", f"reached on {target.likely}"
        else:
            likely = f"about {target.likely}" if target.likely else "not foreseeable"
            span = f"{target.earliest or FAR_AWAY} to {target.latest or FAR_AWAY}"
            yield f"{target.percent} %", f"{likely} ({span} in {forecast.coverage} % of cases)"
    if forecast.reason:
        yield "no date", WHY_NO_FORECAST[forecast.reason]

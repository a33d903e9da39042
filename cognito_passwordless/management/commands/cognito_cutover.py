"""``manage.py cognito_cutover``: the checklist before a pool is left, leaving it, and coming back."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ... import connections
from ...cognito import Connection
from ...flows.lifecycle import cutover
from ..terminal import confirm

BY = "command"


class Command(BaseCommand):
    help = (
        "Says whether a connection is ready to be retired (and ends with status 1 where it is not), retires it, or "
        "brings it back. Retired means that no process calls the pool again; it holds at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", required=True, help="The connection's alias.")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check", action="store_true", help="Only the checklist. This is also what is done without."
        )
        what.add_argument("--retire", action="store_true", help="Retire it, if the checklist has passed.")
        what.add_argument("--un-retire", action="store_true", help="Let people sign in at the pool again.")
        parser.add_argument(
            "--coverage", type=float, default=100 * cutover.COVERAGE, help="Per cent that have to be migrated (95)."
        )
        parser.add_argument("--export", type=Path, metavar="FILE", help="First write the mapping (.csv or .jsonl).")
        parser.add_argument("--left", type=Path, metavar="FILE", help="Write who is left (.csv or .jsonl).")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen; writes no file.")
        parser.add_argument("--force", action="store_true", help="Retire although the checklist has not passed.")
        parser.add_argument("--yes", action="store_true", help="Ask nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections.find(options["connection"])
        if connection is None:
            raise CommandError(f"There is no connection {options['connection']!r} that can be read.")
        if not 0 <= options["coverage"] <= 100:  # not a number, too
            raise CommandError("--coverage is a share of 0 to 100 per cent.")
        if not options["dry_run"]:
            try:
                if options["export"]:
                    written = cutover.export_mapping(connection, options["export"], now=timezone.now())
                    self.stdout.write(f"{options['export']}: {written.rows} people, SHA-256 {written.digest}")
                if options["left"]:
                    written = cutover.export_not_migrated(connection, options["left"])
                    self.stdout.write(
                        f"{options['left']}: {written.rows} people are left. The file has addresses in it."
                    )
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise CommandError(f"The export could not be written: {why}") from None
        if options["un_retire"]:
            self._bring_back(connection, dry_run=options["dry_run"])
            return
        failed = self._check(connection, options["coverage"] / 100)
        left = cutover.count_not_migrated(connection)
        self.stdout.write(f"{left['enabled']} people are left who were enabled at the last import, ", ending="")
        self.stdout.write(f"{left['disabled']} who were not.")
        if options["retire"]:
            self._retire(connection, failed, options)
        elif failed:
            raise CommandError(f"Not ready: {', '.join(failed)}.")

    def _check(self, connection: Connection, coverage: float) -> list[str]:
        items = cutover.checklist(connection, now=timezone.now(), coverage=coverage)
        for item in items:
            style = self.style.SUCCESS if item.passed else self.style.ERROR if item.must else self.style.WARNING
            verdict = "pass" if item.passed else "FAIL" if item.must else "note"
            self.stdout.write(f"{style(verdict)}  {item.name}: {item.found}")
            if not item.passed:
                self.stdout.write(f"      {item.fix}")
        return [item.name for item in items if item.must and not item.passed]

    def _retire(self, connection: Connection, failed: list[str], options: dict[str, Any]) -> None:
        if connection.retired:
            cutover.end_open_challenges(connection)  # of a cut-over that died half-way
            self.stdout.write(f"{connection.alias} is retired already.")
            return
        if failed and not options["force"]:
            raise CommandError(f"Nothing was changed. Not ready: {', '.join(failed)}. --force retires all the same.")
        if options["dry_run"]:
            waiting = cutover.open_challenges(connection).count()
            self.stdout.write(f"{connection.alias} would be retired; {waiting} open sign-ins would end.")
            return
        if not options["yes"]:
            confirm("Retire? Sign-ins at the pool end.", connection.alias)
        ended = cutover.retire(connection, now=timezone.now(), by=BY)
        self.stdout.write(self.style.SUCCESS(f"{connection.alias} is retired; {ended} open sign-ins have ended."))

    def _bring_back(self, connection: Connection, *, dry_run: bool) -> None:
        if dry_run:
            is_ours = connections.is_retired(connection.alias)
            self.stdout.write(f"{connection.alias} {'would be' if is_ours else 'is'} in use again.")
        elif cutover.unretire(connection, now=timezone.now(), by=BY):
            self.stdout.write(self.style.SUCCESS(f"{connection.alias} is in use again."))
        else:
            self.stdout.write(f"{connection.alias} was not retired by a cut-over.")
        found = connections.configured(connection.alias)
        if found is not None and found.retired:
            raise CommandError("Its own configuration says 'retired': True. Take that out too, and restart the site.")

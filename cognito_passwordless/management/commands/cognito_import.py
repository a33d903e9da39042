"""``manage.py cognito_import``: a pool's directory, or a CSV of it, into `MigratedUser`, and Django users ahead."""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ... import connections
from ...causes import explain
from ...cognito import CognitoError, Connection
from ...flows import importing
from ...flows.importing.csv_columns import NotACsv
from ...interruption import until_interrupted
from ...models import ImportProblem, ImportRun
from ..progress_bar import ProgressBar
from ..terminal import bounded, plain

Outcome = tuple[str, str]
State = ImportRun.State
FAILED, BUSY, INTERRUPTED = 1, 3, 130
PROBLEMS = 10  # rows that are named


class Command(BaseCommand):
    help = (
        "Imports the users of a pool, or of a CSV of it, as pending. With --pair or --activate, gives Django users to "
        "those who were imported before. May be repeated, interrupted and continued."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--connection", action="append", metavar="ALIAS", help="Which connections, in order (all that are active)."
        )
        parser.add_argument("--csv", type=Path, metavar="FILE", help="Read this file instead of asking the pool.")
        parser.add_argument(
            "--columns",
            action="append",
            metavar="HEADER=ATTRIBUTE",
            help="What a column of the CSV is, where its header does not tell; nothing after the = ignores it.",
        )
        parser.add_argument(
            "--complete", action="store_true", help="The CSV has everybody of the pool: who is not in it is gone."
        )
        parser.add_argument(
            "--gone-limit",
            type=int,
            default=importing.GONE_LIMIT,
            metavar="PERCENT",
            help=f"Mark nobody as gone where more of those who wait were not seen ({importing.GONE_LIMIT}).",
        )
        parser.add_argument(
            "--rate", type=bounded(float, 0.01, 1000), default=importing.QUOTA, help="ListUsers calls a second."
        )
        parser.add_argument(
            "--pages",
            type=bounded(int, 1, 500),
            default=importing.PAGES,
            help="Pages of 60 users in one transaction (50).",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only say what would happen, and whom people would become."
        )
        ahead = parser.add_mutually_exclusive_group()
        ahead.add_argument(
            "--pair",
            action="store_true",
            help="Import no one; pair imported people with the Django users who carry their sub (MATCH_USER).",
        )
        ahead.add_argument(
            "--activate", action="store_true", help="As --pair, and make Django users for those who have none."
        )
        beginning = parser.add_mutually_exclusive_group()
        beginning.add_argument(
            "--continue",
            dest="fresh",
            action="store_false",
            default=None,
            help="Only go on with an unfinished import.",
        )
        beginning.add_argument("--restart", dest="fresh", action="store_true", help="Begin again from the first user.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _chosen(options["connection"])
        if options["csv"] and len(chosen) != 1:
            raise CommandError("A CSV is of one pool: name its --connection.", returncode=2)
        ahead = options["pair"] or options["activate"]
        if options["complete"] and not options["csv"]:
            raise CommandError("--complete is about a CSV; a pool is always read as a whole.", returncode=2)
        if options["csv"] and not options["complete"]:
            options["gone_limit"] = None
        columns = dict(column.rpartition("=")[::2] for column in options["columns"] or ())
        if columns and (not options["csv"] or "" in columns):
            raise CommandError("--columns HEADER=ATTRIBUTE is about a column of a --csv.", returncode=2)
        options["columns"] = columns
        if options["csv"] and ahead:
            raise CommandError("--pair and --activate read no CSV: import it first.", returncode=2)
        work = self._activate if ahead else self._preview if options["dry_run"] else self._import
        with until_interrupted(lambda: self.stderr.write("\nStopping after this page."), once=True) as stop:
            for connection in chosen:
                with _told(connection):
                    work(connection, stop, options)

    def _import(self, connection: Connection, stop: threading.Event, options: dict[str, Any]) -> None:
        bar = ProgressBar(sys.stderr, connection.alias)

        def tell(run: ImportRun) -> None:
            bar.show(run.position, run.expected)

        limit = options["gone_limit"]
        if options["csv"]:
            run = importing.import_csv(
                connection,
                options["csv"],
                stop=stop,
                columns=options["columns"],
                fresh=options["fresh"],
                gone_limit=limit,
                tell=tell,
            )
        else:
            run = importing.import_directory(
                connection,
                stop=stop,
                fresh=options["fresh"],
                rate=options["rate"],
                pages=options["pages"],
                gone_limit=limit,
                tell=tell,
            )
        bar.show(run.position, run.expected, last=True)
        self.stdout.write(
            f"{run.connection}: {run.seen:,} seen, {run.created:,} created, {run.updated:,} updated, "
            f"{run.unchanged:,} unchanged, {run.skipped:,} skipped, {run.conflicts:,} conflicts, "
            f"{run.problems:,} problems, {run.gone:,} gone (import {run.pk})"
        )
        for row in run.problem_rows.all()[:PROBLEMS]:
            self.stdout.write(f"  {plain(row.detail or row.sub or f'row {row.position}')}: {row.get_reason_display()}")
        if run.problems:
            self.stdout.write("  Correct these rows and import again; the admin lists all of them, at this import.")
        if run.state == State.DONE and run.last_error:
            self.stderr.write(self.style.WARNING(f"{run.connection}: {run.last_error}"))
        self._must_be_done(run, f"--csv {options['csv']}" if options["csv"] else "")

    def _preview(self, connection: Connection, stop: threading.Event, options: dict[str, Any]) -> None:
        bar = ProgressBar(sys.stderr, connection.alias)

        def tell(seen: int) -> None:
            bar.show(seen, None)

        limit = options["gone_limit"]
        if options["csv"]:
            path, columns = options["csv"], options["columns"]
            found = importing.preview_csv(connection, path, stop=stop, columns=columns, gone_limit=limit, tell=tell)
        else:
            rate, pages = options["rate"], options["pages"]
            found = importing.preview_directory(
                connection, stop=stop, rate=rate, pages=pages, gone_limit=limit, tell=tell
            )
        counted = ", ".join(f"{found.rows[name]:,} {name}" for name in ("created", "updated", "unchanged", "skipped"))
        self.stdout.write(f"{connection.alias}: a dry run, nothing was written. An import would count: {counted}")
        self.stdout.write("With the proof of their addresses, at their first sign-in:")
        self._table(found.outcomes, found.examples)
        if found.decisions:
            self.stdout.write(f"Shared addresses that need a decision: {found.decisions:,}.")
        if found.why_not:
            self.stdout.write(found.why_not)
        if not found.complete:
            raise CommandError("Interrupted: the numbers are those of a part of the pool.", returncode=INTERRUPTED)

    def _activate(self, connection: Connection, stop: threading.Event, options: dict[str, Any]) -> None:
        bar = ProgressBar(sys.stderr, connection.alias)

        def tell(seen: int, total: int | None) -> None:
            bar.show(seen, total)

        work = importing.Activation(connection=connection, makes_users=options["activate"], stop=stop, tell=tell)
        if options["dry_run"]:
            found = importing.preview_activation(work)
            self.stdout.write(f"{connection.alias}: a dry run of {found.seen:,} pending people, nothing was written")
            self._table(found.outcomes, found.examples)
            if stop.is_set():
                raise CommandError("Interrupted: the numbers are those of a part.", returncode=INTERRUPTED)
            return
        run, found = importing.activate(work, fresh=options["fresh"])
        bar.show(run.position, run.expected, last=True)
        self.stdout.write(
            f"{run.connection}: {run.seen:,} pending people seen, {run.created:,} Django users made, "
            f"{run.updated:,} paired, {run.unchanged:,} left as they are ({run.conflicts:,} of them conflicts now), "
            f"{run.skipped:,} failed (activation {run.pk})"
        )
        self._table(found.outcomes, found.examples)
        self._must_be_done(run, "--activate" if options["activate"] else "--pair")

    def _table(self, outcomes: Mapping[Outcome, int], examples: Mapping[Outcome, list[str]]) -> None:
        """A line for each kind of outcome, with the subs of some people."""
        labels = {str(word): str(label) for word, label in ImportProblem.Reason.choices}
        for outcome, count in sorted(outcomes.items()):
            if count:
                kind, reason = outcome
                names = ", ".join(map(plain, examples.get(outcome, [])))
                more = ", …" if count > len(examples.get(outcome, [])) else ""
                words = labels.get(reason) or explain(reason).clause
                self.stdout.write(f"  {kind:8} {count:>9,}  {words}" + (f" ({names}{more})" if names else ""))

    def _must_be_done(self, run: ImportRun, option: str) -> None:
        chosen = f"--connection {run.connection} {option}".rstrip()
        again = f"Go on with: manage.py cognito_import {chosen} --continue"
        if run.state == State.FAILED:
            raise CommandError(
                f"{run.connection}: {run.last_error}. {_doctor(run.connection)} {again}", returncode=FAILED
            )
        if run.state == State.INTERRUPTED:
            raise CommandError(f"Interrupted. {again}", returncode=INTERRUPTED)


@contextmanager
def _told(connection: Connection) -> Iterator[None]:
    """What may happen on the way, as an error of the command."""
    alias = connection.alias
    try:
        yield
    except importing.Busy as busy:
        since = f" (import {busy.run.pk}, last sign of life {busy.run.updated_at:%H:%M:%S})" if busy.run else ""
        raise CommandError(
            f"{alias}: another process is importing{since}. Wait until it has ended.", returncode=BUSY
        ) from None
    except importing.NothingToContinue:
        raise CommandError(f"{alias}: nothing unfinished to continue. Leave out --continue to begin.") from None
    except importing.Lost:
        raise CommandError(
            f"{alias}: another process has taken over this import. Wait until it has ended.", returncode=BUSY
        ) from None
    except OSError as error:
        raise CommandError(f"{error}. Name a file that can be read.") from None
    except NotACsv as error:
        raise CommandError(str(error)) from None
    except CognitoError as error:
        raise CommandError(f"{alias}: {error}. {_doctor(alias)}", returncode=FAILED) from None


def _doctor(alias: str) -> str:
    return f"What is wrong says: manage.py cognito_doctor --connection {alias}."


def _chosen(aliases: list[str] | None) -> list[Connection]:
    if not aliases:
        active = connections.active()
        if not active:
            raise CommandError(
                "There is no active connection to import from. What is wrong says: manage.py cognito_doctor."
            )
        return active
    found = []
    for alias in aliases:
        connection = connections.find(alias)
        if connection is None:
            known = ", ".join(sorted(each.alias for each in connections.active())) or "none is active"
            raise CommandError(f"There is no connection {alias!r}. Name one of: {known}.", returncode=2)
        found.append(connection)
    return found

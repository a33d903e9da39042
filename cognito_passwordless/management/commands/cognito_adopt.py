"""``manage.py cognito_adopt``: records the addresses that existing users have as verified."""

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...flows import adopting
from ...flows.adopting import Batch, Chosen, Reason
from ..progress_bar import ProgressBar
from ..terminal import bounded, plain

INTERRUPTED = 130
TEXTS = {
    Reason.ALREADY: "verified already",
    Reason.INACTIVE: "of users who are not active",
    Reason.FROM_POOL: "of users who came out of a pool: what they prove themselves is recorded",
    Reason.NO_ADDRESS: "users without an address",
    Reason.UNREADABLE: "not readable as an address",
    Reason.ANOTHER_VERIFIED: "of users who have verified another address",
    Reason.TAKEN: "verified by another user",
    Reason.SHARED: "another user has the same address: name the owner by primary key, with --file",
}


class Command(BaseCommand):
    help = (
        "Records the addresses in the user model's own fields as verified, so that their owners keep password, links "
        "and sessions when they first sign in by code. For addresses that you know to be theirs. Only shows what it "
        "would do unless --yes is given. May be interrupted and repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--all", action="store_true", help="The addresses of all users.")
        whose.add_argument(
            "--joined-before", type=_day, metavar="DATE", help="Of users who joined before this day (2026-01-31)."
        )
        whose.add_argument(
            "--file", type=Path, metavar="PATH", help="Of the users in this file: one primary key or address a line."
        )
        parser.add_argument(
            "--batch",
            type=bounded(int, 1, 5000),
            default=adopting.BATCH,
            help=f"Users of one transaction ({adopting.BATCH}).",
        )
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen, total = self._chosen(options), Batch()
        for problem in chosen.problems:
            self.stdout.write(f"line {problem.line}: {problem.text}")
        bar, expected = ProgressBar(sys.stderr, "users"), chosen.total
        try:
            for batch in adopting.adopt(chosen, write=options["yes"], size=options["batch"]):
                total.add(batch)
                for left in batch.left_out:
                    others = f" ({left.others})" if left.others else ""
                    self.stdout.write(f"user {plain(str(left.user))}: {TEXTS[left.reason]}{plain(others)}")
                bar.show(total.seen, expected)
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Begin it again to go on.", returncode=INTERRUPTED) from None
        bar.show(total.seen, expected, last=True)
        self._tell(total, len(chosen.problems), done=options["yes"])

    def _chosen(self, options: dict[str, Any]) -> Chosen:
        if options["all"]:
            return adopting.everybody()
        if options["joined_before"]:
            try:
                return adopting.joined_before(options["joined_before"])
            except FieldDoesNotExist:
                raise CommandError("The user model has no date_joined: use --file.") from None
        try:
            with options["file"].open(encoding="utf-8-sig") as lines:
                return adopting.of_file(lines)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from None

    def _tell(self, total: Batch, problems: int, *, done: bool) -> None:
        adopted = total.counted[Reason.ADOPTED]
        self.stdout.write("Done." if done else "A dry run, nothing was written. With --yes:")
        self.stdout.write(f"  {adopted:,} addresses {'were' if done else 'would be'} recorded as verified")
        if total.staff:
            self.stdout.write(f"    {total.staff:,} of them of staff, whose sign-in by code stays STAFF_SIGN_IN")
        if total.unconfirmed:
            self.stdout.write(f"    {total.unconfirmed:,} of them known to allauth as not confirmed")
        for reason, text in TEXTS.items():
            if total.counted[reason]:
                self.stdout.write(f"  {total.counted[reason]:,} left as they are: {text}")
        if problems:
            self.stdout.write(f"  {problems:,} lines of the file left out")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a day, such as 2026-01-31") from None

"""``manage.py cognito_undo``: takes migrations back, one person's or a whole run's."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ...causes import explain
from ...flows.accounts.errors import ActionRefused
from ...flows.lifecycle import undo
from ...models import ImportRun, MigratedUser
from ..terminal import PERSON_HELP, confirm, find_person

BY = "command"
TEXTS = {
    "user_removed": "pending again, their Django user removed",
    "user_kept": "pending again, their Django user kept",
    "link_removed": "pending again, what was added to their Django user taken back",
}


class Command(BaseCommand):
    help = (
        "Takes migrations back: the people are pending again, and their next sign-in migrates them again. Without "
        "--keep-user and --remove-created, a user who has come to own something since is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--person", help=PERSON_HELP)
        whom.add_argument("--run", type=int, help="The number of an import or of a bulk activation.")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--keep-user", dest="choice", action="store_const", const="keep")
        what.add_argument("--remove-created", dest="choice", action="store_const", const="remove")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen.")
        parser.add_argument("--yes", action="store_true", help="Ask nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["run"] is None:
            rows = MigratedUser.objects.filter(pk=find_person(options["person"]).pk)
        elif ImportRun.objects.filter(pk=options["run"]).exists():
            rows = undo.of_run(options["run"])
        else:
            raise CommandError(f"There is no run {options['run']}.")
        self._tell("This would happen:", undo.totals(rows, options["choice"]))
        if options["dry_run"]:
            return
        if not options["yes"]:
            confirm("Undo?", "yes")
        now, choice, total = timezone.now(), options["choice"], Counter[str]()
        if options["run"] is not None:
            for counted in undo.undo_run(options["run"], choice=choice, now=now, by=BY):
                total += counted
                self.stderr.write(f"{total.total()} people", ending="\r")
        else:
            try:
                for pk in rows.values_list("pk", flat=True):
                    total[undo.undo(pk, choice=choice, now=now, by=BY).outcome] += 1
            except ActionRefused as error:
                raise CommandError(f"Nothing was changed: {explain(error.reason).clause}.") from None
        self._tell("Done:", total)

    def _tell(self, title: str, counted: Counter[str]) -> None:
        self.stdout.write(title)
        for outcome, number in sorted(counted.items()):
            self.stdout.write(f"  {number} {TEXTS.get(outcome) or f'left alone: {explain(outcome).clause}'}")
        if not counted:
            self.stdout.write("  nothing")

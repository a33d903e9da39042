"""``manage.py cognito_erase``: erases one person who asked for it, and lets a person return who asks for that."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ...causes import explain
from ...flows.accounts import tombstones
from ...flows.accounts.errors import ActionRefused
from ...flows.lifecycle import erase
from ...models import Erasure
from ..terminal import PERSON_HELP, confirm, find_person

BY = "command"


class Command(BaseCommand):
    help = (
        "Erases one person: what is known of them goes, in one transaction, and a keyed tombstone turns them away, "
        "and keeps imports from bringing them back. Without --keep-user and --remove-user, a Django user goes that "
        "the migration made and that has come to own nothing since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--person", help=PERSON_HELP)
        what.add_argument("--lift", type=UUID, metavar="TOMBSTONE", help="Let the person of this tombstone come back.")
        user = parser.add_mutually_exclusive_group()
        user.add_argument("--keep-user", dest="removes", action="store_const", const=False)
        user.add_argument("--remove-user", dest="removes", action="store_const", const=True)
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen.")
        parser.add_argument("--yes", action="store_true", help="Ask nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["lift"]:
            self._lift(options["lift"], options)
            return
        record = find_person(options["person"])
        found = erase.preview(record)
        removes = found.removes_user if options["removes"] is None else options["removes"]
        self._tell(found, removes)
        _must_be_possible(found.refusal or (found.blocked if removes else ""))
        if options["dry_run"]:
            return
        if not options["yes"]:
            confirm("Erase? This cannot be undone.", "yes")
        try:
            done = erase.erase(record.pk, remove_user=options["removes"], now=timezone.now(), by=BY)
        except ActionRefused as error:
            _must_be_possible(error.reason)
            raise
        self.stdout.write(self.style.SUCCESS("Erased. All that is left of them is:"))
        for tombstone in done.tombstones:
            self.stdout.write(f"  tombstone {tombstone.pk} ({tombstone.connection})")

    def _tell(self, found: erase.Preview, removes: bool) -> None:
        self.stdout.write("This would happen:")
        for row in found.rows:
            self.stdout.write(
                f"  record {row.pk} ({row.connection}, {row.status}) is forgotten, with all its sign-ins"
            )
        if not found.rows[0].user_id:
            self.stdout.write("  there is no Django user")
        elif removes:
            self.stdout.write("  the Django user is removed, with all that belongs to them")
        else:
            self.stdout.write("  the Django user is kept, without what came from the pool")
        for kind, number in found.gained.items():
            self.stdout.write(f"    who owns, since the migration: {number} {kind}")
        if found.others:
            self.stdout.write(f"  {found.others} other records carry an address of theirs, and stay")

    def _lift(self, key: UUID, options: dict[str, Any]) -> None:
        tombstone = Erasure.objects.filter(pk=key).first()
        if tombstone is None:
            raise CommandError("There is no such tombstone.")
        self.stdout.write(
            f"Erased {tombstone.erased_at:%Y-%m-%d} ({tombstone.connection}): the next sign-in, or import, knows them "
            "again as if for the first time."
        )
        if options["dry_run"]:
            return
        if not options["yes"]:
            confirm("Lift it?", "yes")
        tombstones.remove(tombstone, now=timezone.now(), by=BY)
        self.stdout.write(self.style.SUCCESS("Lifted."))


def _must_be_possible(reason: str) -> None:
    if reason:
        raise CommandError(f"Nothing was changed: {explain(reason).clause}.")

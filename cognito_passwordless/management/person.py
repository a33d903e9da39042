"""Who is meant by the person that somebody names to a command."""

import sys
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from ..exceptions import InvalidIdentifier
from ..identifiers import parse
from ..models import MigratedUser

HELP = (
    "The person's sub, the number of their record, or an e-mail address or phone number of theirs. "
    "'-' reads it from standard input, so that it stays out of the shell's history."
)


def find(named: str) -> MigratedUser:
    """The one record that is meant. Raises `CommandError`, which repeats nothing of what was typed."""
    wanted = sys.stdin.readline().strip() if named == "-" else named.strip()
    found = list(MigratedUser.objects.filter(_who(wanted)).select_related("user").order_by("pk")[:20])
    if not found:
        raise CommandError("There is no such person.")
    if len(found) > 1:
        numbers = ", ".join(f"{row.pk} ({row.connection}, {row.status})" for row in found)
        raise CommandError(f"Several people are meant by this. Name one by number: {numbers}")
    return found[0]


def _who(wanted: str) -> Q:
    if not wanted:
        return Q(pk__in=[])
    who = Q(sub=wanted)
    if wanted.isascii() and wanted.isdigit():
        who |= Q(pk=int(wanted))
    try:
        key = parse(wanted).value
    except InvalidIdentifier:
        return who | Q(email=wanted) | Q(phone_number=wanted)
    return who | Q(email_key=key) | Q(phone_key=key)


def agreed(question: str, answer: str) -> None:
    """Asks, and raises `CommandError` unless ``answer`` is given; where nobody can answer, too."""
    try:
        given: Any = input(f"{question} Type {answer}: ")
    except EOFError:
        raise CommandError("Nothing was changed: nobody is there to ask. --yes asks nothing.") from None
    if given.strip() != answer:
        raise CommandError("Nothing was changed.")

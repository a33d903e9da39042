"""What the commands share: finding a person, asking, printing names that others chose, and numbers."""

import argparse
import sys
from collections.abc import Callable
from typing import TypeVar

from django.core.management.base import CommandError
from django.db.models import Q

from ..exceptions import InvalidIdentifier
from ..identifiers import parse
from ..models import MigratedUser

Number = TypeVar("Number", int, float)
PERSON_HELP = (
    "The person's sub, the number of their record, or an e-mail address or phone number of theirs. "
    "'-' reads it from standard input, so that it stays out of the shell's history."
)


def plain(name: str) -> str:
    """A name without the control characters that a terminal would obey: names come from the admin, subs from files,
    causes from providers."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


def find_person(named: str) -> MigratedUser:
    """The one record with this sub, number or address. Raises `CommandError`, which repeats nothing of what was
    typed."""
    wanted = sys.stdin.readline().strip() if named == "-" else named.strip()
    who = Q(sub=wanted) | Q(username=wanted)
    if wanted.isascii() and wanted.isdigit():
        who |= Q(pk=int(wanted))
    try:
        key = parse(wanted).value
        who |= Q(email_key=key) | Q(phone_key=key)
    except InvalidIdentifier:
        who |= Q(email=wanted) | Q(phone_number=wanted)
    rows = list(MigratedUser.objects.filter(who).select_related("user").order_by("pk")[:20]) if wanted else []
    if not rows:
        raise CommandError("There is no such person.")
    if len(rows) > 1:
        numbers = ", ".join(f"{row.pk} ({row.connection}, {row.status})" for row in rows)
        raise CommandError(f"Several people match. Name one by number: {numbers}")
    return rows[0]


def confirm(question: str, answer: str) -> None:
    """Asks, and raises `CommandError` unless the operator types ``answer``, or where standard input is closed."""
    try:
        given = input(f"{question} Type {answer}: ")
    except EOFError:
        raise CommandError("Nothing was changed: there is no terminal to ask. --yes asks nothing.") from None
    if given.strip() != answer:
        raise CommandError("Nothing was changed.")


def bounded(kind: type[Number], least: Number, most: Number) -> Callable[[str], Number]:
    """The type of an option whose number has bounds."""

    def read(text: str) -> Number:
        if not least <= (number := kind(text)) <= most:
            raise argparse.ArgumentTypeError(f"must be {least} to {most}")
        return number

    return read

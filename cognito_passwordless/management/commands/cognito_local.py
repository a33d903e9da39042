"""`manage.py cognito_local`: a local Cognito for development, until Ctrl-C (extra ``local``)."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...interruption import until_interrupted

missing = ""
try:
    from ...local import __main__ as local
except ImportError as reason:
    missing = str(reason)


class Command(BaseCommand):
    """The same as ``python -m cognito_passwordless.local``, where people look for it."""

    help = "Runs a Cognito on loopback with invented people in it, for development. Every code is printed."
    # It is where a connection that does not work yet is made to work.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        if missing:
            parser.error(missing)
        local.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        def write(line: str) -> None:
            self.stdout.write(line)
            self.stdout.flush()

        try:
            with until_interrupted() as stop:
                local.serve(argparse.Namespace(**options), write=write, stop=stop)
        except (OSError, ValueError) as reason:
            raise CommandError(str(reason)) from None

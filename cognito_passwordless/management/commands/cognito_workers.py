"""``manage.py cognito_workers``: do the running workers share the site's keys, and is every queue served?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from kombu.exceptions import OperationalError

from ...flows.sending import workers


class Command(BaseCommand):
    help = "Asks the running workers for their keys and queues. Ends with an error where one does not fit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--timeout", type=float, default=2.0, help="Seconds to wait for answers (2).")

    def handle(self, *args: Any, timeout: float, **options: Any) -> None:
        try:
            found = workers.find_running(timeout)
        except (OperationalError, OSError) as error:
            raise CommandError(f"The broker is down: {type(error).__name__}") from None
        for worker in found:
            key = "same key" if worker.has_our_key else "ANOTHER KEY"
            self.stdout.write(f"{worker.name}: {key}, listens on {', '.join(sorted(worker.queues)) or 'nothing'}")
        if wrong := workers.problems(found):
            raise CommandError("; ".join(wrong))
        self.stdout.write(self.style.SUCCESS("Workers and site fit."))

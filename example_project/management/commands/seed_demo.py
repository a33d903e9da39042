"""`manage.py seed_demo`: an empty database with the Django half of the demo's people in it."""

import io
import os
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, call_command
from django.core.management.base import CommandParser
from django.utils import timezone

from ...demo import history, people


class Command(BaseCommand):
    help = "Migrates an empty database and adds the demo's users. The admin's password comes from DEMO_ADMIN_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--history", action="store_true", help="Three months of a migration.")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("DEMO_ADMIN_PASSWORD")
        if not password:
            raise CommandError("DEMO_ADMIN_PASSWORD is not set.")
        call_command("migrate", verbosity=0)
        if User.objects.exists():
            raise CommandError("This database has users already; the demo's are for an empty one.")
        get_user_model().objects.create_superuser(people.ADMIN, "admin@example.com", password)
        for account in people.DJANGO:
            self._add(account.identifier)
        if options["history"]:
            history.fill(timezone.now(), "quarter")
            call_command("cognito_progress", "--recount", verbosity=0, stdout=io.StringIO())

    def _add(self, email: str) -> None:
        name = email.partition("@")[0]
        user = User.objects.create_user(name, email, is_active=name != "inactive")
        if name != "legacy":
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)

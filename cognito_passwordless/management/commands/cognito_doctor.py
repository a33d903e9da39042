"""``manage.py cognito_doctor``: is this site and this pool set up right, and why did one person get no code?"""

import json
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ... import connections
from ...flows.doctor import (
    Finding,
    State,
    diagnose_connection,
    diagnose_person,
    diagnose_senders,
    diagnose_site,
    has_problem,
)


class Command(BaseCommand):
    help = (
        "Looks at the site and its pools, and says how to fix what is wrong. Reads only. "
        "With --identifier: why one person got no code. Ends with status 1 when there is a problem."
    )
    # `diagnose_site` runs them and lists what they find.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", metavar="ALIAS", help="Look at this connection alone.")
        parser.add_argument("--identifier", metavar="ADDRESS", help="An e-mail address or phone number of one person.")
        parser.add_argument("--ip", type=ip_address, help="With --identifier: the address they ask from.")
        parser.add_argument(
            "--ask-pool",
            action="store_true",
            help="With --identifier: read the person in the pool (ListUsers; AdminGetUser, by which they count as "
            "active in that month).",
        )
        parser.add_argument("--unmasked", action="store_true", help="With --identifier: show addresses in full.")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        end: dict[str, str] = {}
        if options["identifier"]:
            try:
                case = diagnose_person(
                    options["identifier"],
                    now=timezone.now(),
                    ask_pool=options["ask_pool"],
                    unmasked=options["unmasked"],
                    ip=str(options["ip"] or ""),
                )
            except ImproperlyConfigured as reason:
                raise CommandError(f"Fix the settings first: {reason}") from None
            findings, end = case.findings, {"conclusion": case.conclusion, "advice": case.advice}
        elif options["connection"]:
            chosen = connections.find(options["connection"])
            if chosen is None:
                raise CommandError(f"There is no connection {options['connection']!r} that can be read.")
            findings = diagnose_connection(chosen)
        else:
            findings = [*diagnose_site(now=timezone.now()), *diagnose_senders()]
            findings += [finding for connection in connections.every() for finding in diagnose_connection(connection)]
        if options["json"]:
            self.stdout.write(json.dumps({"findings": [asdict(finding) for finding in findings], **end}, indent=2))
        else:
            self._print(findings, end)
        if has_problem(findings):
            raise SystemExit(1)

    def _print(self, findings: list[Finding], end: dict[str, str]) -> None:
        styles = {
            State.OK: self.style.SUCCESS,
            State.WARNING: self.style.WARNING,
            State.PROBLEM: self.style.ERROR,
            State.UNKNOWN: self.style.NOTICE,
        }
        area = ""
        for finding in findings:
            if finding.area != area:
                area = finding.area
                self.stdout.write(self.style.MIGRATE_HEADING(area))
            self.stdout.write(f"  {styles[finding.state](f'{finding.state:8}')} {finding.name}: {finding.text}")
            if finding.fix and finding.state is not State.OK:
                self.stdout.write(f"           -> {finding.fix}")
        counts = [f"{sum(f.state is state for f in findings)} {state}" for state in State]
        self.stdout.write("\n" + ", ".join(counts))
        for text in end.values():
            self.stdout.write(text)

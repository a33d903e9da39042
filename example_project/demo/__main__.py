"""`python -m example_project.demo [--check]`: runs the demo until Ctrl-C, or tries every route once."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cognito_passwordless.interruption import until_interrupted

from . import check, people
from .stage import ROOT, Stage, StageError, free_ports, stage

DEFAULT_PORT = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all went well, 1 otherwise."""
    parser = argparse.ArgumentParser("python -m example_project.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="sign in by each route, on free ports, and stop")
    parser.add_argument("--history", action="store_true", help="fill in three months of a migration")
    options = parser.parse_args(arguments)
    try:
        with until_interrupted() as stop:
            return _check() if options.check else _demo(stop, history=options.history)
    except StageError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _directory() -> Path:
    return Path(os.environ.get("DEMO_DIR") or ROOT / ".demo").resolve()


def _check() -> int:
    port, cognito_port = free_ports(2)
    try:
        with stage(_directory() / "check", port=port, cognito_port=cognito_port) as running:
            well = check.run(running.url, _print)
    except StageError as error:
        for route in check.ROUTES:
            _print(f"FAIL {route}: {error}")
        return 1
    return 0 if well else 1


def _demo(stop: threading.Event, *, history: bool) -> int:
    port = int(os.environ.get("PORT") or DEFAULT_PORT)
    with stage(_directory() / "site", port=port, cognito_port=port + 1, history=history) as running:
        _print(welcome(running))
        while not stop.wait(1):
            running.check()
        _print("\nStopping …")
    return 0


def welcome(running: Stage) -> str:
    """What a person needs to know to try everything."""
    accounts = (*people.DJANGO, *running.pool_accounts, *people.OTHER_WAYS, people.NOBODY)
    tries = "\n".join(f"    {account.identifier:26} {account.note}" for account in accounts)
    names = running.others
    others = "\n".join(
        f"    {'  '.join(f'{name:32}' for name in names[at : at + 3])}" for at in range(0, len(names), 3)
    )
    progress = "" if running.history else " (make demo HISTORY=1: three months of it)"
    return f"""
  Login page     {running.url}/login/
  Inbox          {running.url}/inbox/   every message "sent", by the site and by the local Cognito
  Admin          {running.url}/admin/   user {people.ADMIN}, password {running.admin_password}
  Progress       {running.url}/admin/cognito_passwordless/progress/   how far the migration is{progress}
  Hosted login   {running.url}/login/cognito/main/
  Local Cognito  {running.cognito_url}

  Try to sign in as
{tries}

  and more of the 300 people of the pool:
{others}

  manage.py with this site's settings, in another terminal:
    set -a; . {running.log.parent / "site.env"}; set +a; .venv/bin/python manage.py cognito_progress --refresh

  Only this machine can reach it, and the next start begins anew. Stop with Ctrl-C."""


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

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
    options = parser.parse_args(arguments)
    try:
        with until_interrupted() as stop:
            return _check() if options.check else _demo(stop)
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


def _demo(stop: threading.Event) -> int:
    port = int(os.environ.get("PORT") or DEFAULT_PORT)
    with stage(_directory() / "site", port=port, cognito_port=port + 1) as running:
        _print(welcome(running))
        while not stop.wait(1):
            running.check()
        _print("\nStopping …")
    return 0


def welcome(running: Stage) -> str:
    """What a person needs to know to try everything."""
    accounts = (*people.DJANGO, *running.pool_accounts, people.NOBODY)
    tries = "\n".join(f"    {account.identifier:26} {account.note}" for account in accounts)
    return f"""
  Login page     {running.url}/login/
  Inbox          {running.url}/inbox/   every message "sent", by the site and by the local Cognito
  Admin          {running.url}/admin/   user {people.ADMIN}, password {running.admin_password}
  Local Cognito  {running.cognito_url}

  Try to sign in as
{tries}

  Only this machine can reach it, and the next start begins anew. Stop with Ctrl-C."""


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

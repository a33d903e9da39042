"""Measures a sign-in by code, ours and allauth's, prints both, and says what misses a target.

Exits with 1 when a target is missed. PostgreSQL is the server at ``TEST_POSTGRES_URL``.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .report import missed, table

ROOT = Path(__file__).resolve().parent.parent
POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of an empty database, gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
            yield f"sqlite:///{directory}/bench.sqlite3"
        return
    import psycopg  # noqa: PLC0415  (only for PostgreSQL)

    server, name = os.environ.get("TEST_POSTGRES_URL", POSTGRES_URL), f"benchmarks_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit((*urlsplit(server)[:2], f"/{name}", "", ""))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def measure(kind: str, rounds: int) -> dict[str, Any]:
    """Measures in a process of its own, so that nothing is warm that the other database has warmed."""
    with database(kind) as url:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))}
        environment = {**kept, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
        command = [sys.executable, "-m", "benchmarks.measure", str(rounds)]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="sign-ins by each route (200)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    options = parser.parse_args()
    busy, processors = os.getloadavg()[0], os.cpu_count() or 1
    if busy > processors / 2:
        print(f"This machine is busy (load {busy:.1f} on {processors} processors): its times say little.")
    misses = []
    for kind in options.database or ["sqlite", "postgresql"]:
        measured = measure(kind, options.rounds)
        print(table(kind, measured))
        misses += [f"{kind}: {miss}" for miss in missed(measured)]
    print("\n".join(["Missed targets:", *misses] if misses else ["All targets are met."]))
    return bool(misses)


if __name__ == "__main__":
    sys.exit(main())

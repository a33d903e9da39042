"""`python -m cognito_passwordless.local`: a local Cognito with invented people and yours, until Ctrl-C.

It writes every code that it "sends" to the console.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ..interruption import until_interrupted
from . import LocalCognito, LocalPool, Message
from .seed import KINDS, add_people, fill

Write = Callable[[str], object]
DEFAULT_PORT = 9229
# Fixed, so that settings and a database still fit after a restart. The secret is a new one.
_POOL = "LocalDemo"
_CLIENT = "localdemoclient"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command, for any parser."""
    parser.add_argument("--host", default="127.0.0.1", help="loopback only")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any free one")
    parser.add_argument("--users", type=int, default=300, help="how many people to invent")
    parser.add_argument("--people", type=Path, help="add the people of a file: a JSON array, or CSV with a header")
    parser.add_argument(
        "--fail",
        action="append",
        default=[],
        metavar="OPERATION=ERROR[:TIMES]",
        help="let the next calls fail (*: of any): throttle, timeout, 500, bad_json or the name of an exception",
    )
    parser.add_argument("--env-file", type=Path, help="write the connection there, as SOCIALACCOUNT_PROVIDERS has it")


def serve(options: argparse.Namespace, *, write: Write, stop: threading.Event) -> None:
    """Run until `stop` is set. `write` gets whole lines of text.

    Raises ValueError for a host that is not loopback, and for people or faults that cannot be, OSError if the port is
    taken or the file is not there.
    """
    with LocalCognito(options.host, options.port) as cognito:
        pool = cognito.create_pool("demo", pool_id=f"{cognito.region}_{_POOL}", client_id=_CLIENT)
        crowd = fill(pool, options.users)
        added = add_people(pool, options.people) if options.people else 0
        for fault in options.fail:
            operation, _, error = fault.partition("=")
            kind, _, times = error.partition(":")
            cognito.fail(operation, kind, int(times or 1))
        connection = json.dumps(describe(cognito, pool), indent=2)
        if options.env_file:
            save(options.env_file, connection)
        cognito.messages.listen(lambda message: write(announce(message)))
        write(connection)
        cast = ", ".join(person.email or person.phone_number or "" for person in crowd[: len(KINDS)])
        write(f"{len(crowd) + added} people, among them {cast}")
        write("Codes appear below. Stop with Ctrl-C.")
        stop.wait()
    write("Stopped.")


def describe(cognito: LocalCognito, pool: LocalPool) -> dict[str, object]:
    """A connection to the pool: an entry of ``SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"]``."""
    at = {"region": cognito.region, "endpoint_url": cognito.url, "issuer": pool.issuer}
    return {
        "provider_id": "main",
        "name": "Cognito",
        "client_id": pool.client_id,
        "secret": pool.client_secret or "",
        "settings": {"user_pool_id": pool.id, "routes": ["otp"], **at},
    }


def save(path: Path, connection: str) -> None:
    """Write the connection, readable by its owner only: the secret is in it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{connection}\n")


def announce(message: Message) -> str:
    return f"{message.at:%H:%M:%S} {message.medium} to {message.destination}: {message.code}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0 after SIGINT or SIGTERM, 1 if it could not start."""
    parser = argparse.ArgumentParser("python -m cognito_passwordless.local", description=__doc__)
    add_arguments(parser)
    try:
        with until_interrupted() as stop:
            serve(parser.parse_args(arguments), write=partial(print, flush=True), stop=stop)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

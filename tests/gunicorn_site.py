"""The example project as it runs in production: gunicorn with several processes, a database of its own, real HTTP.

Messages are written to files, so a test reads the codes that were "sent" without the site's help.
"""

import email
import email.policy
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r"(?<!\d)\d{6,10}(?!\d)")
SETTINGS = "tests.site_settings"


class Database:
    """A database for one site, made when it is needed and dropped at the end. Reads it past the site, by SQL.

    On the PostgreSQL at ``server``, or SQLite in a file.
    """

    def __init__(self, directory: Path, server: str | None = None) -> None:
        self._name = f"races_{secrets.token_hex(6)}"
        self._server = server
        self._file = directory / "site.sqlite3"

    @property
    def url(self) -> str:
        if self._server:
            return urlsplit(self._server)._replace(path=f"/{self._name}").geturl()
        return f"sqlite:///{self._file}"

    def __enter__(self) -> Self:
        if self._server:
            self._administer(f"CREATE DATABASE {self._name}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._administer(f"DROP DATABASE {self._name} WITH (FORCE)")

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs one statement, with ``?`` for parameters, and returns what it selects."""
        connection = self._connect()
        try:
            mark = "%s" if self._server else "?"
            cursor = connection.cursor()
            cursor.execute(statement.replace("?", mark), parameters)
            found = cursor.fetchall() if cursor.description else []
            connection.commit()
            return [tuple(row) for row in found]
        finally:
            connection.close()

    def value(self, statement: str, *parameters: object) -> Any:
        """The only value that a statement selects."""
        ((value,),) = self.rows(statement, *parameters)
        return value

    def _connect(self) -> Any:
        if self._server:
            return psycopg.connect(self.url)
        return sqlite3.connect(self._file, timeout=20)

    def _administer(self, statement: str) -> None:
        assert self._server is not None
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement)


class Site:
    """A running site at `url`; for use as a context manager, which always ends it."""

    def __init__(self, database: Database, directory: Path, **environment: str) -> None:
        self.database = database
        self._mail = directory / "mail"
        self._mail.mkdir()
        self._log = directory / "site.log"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))},
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "SECRET_KEY": secrets.token_urlsafe(40),
            "DATABASE_URL": database.url,
            "ATOMIC_REQUESTS": "1",
            "EMAIL_URL": f"filemail://{self._mail}",
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            subprocess.run(
                [sys.executable, "-m", "django", "migrate", "--verbosity=0"],
                cwd=ROOT,
                env=self._environment,
                stderr=log,
                check=True,
            )
            # It inherits the socket, which listens already: no port to lose, no time to wait.
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "example_project.wsgi"),
                    *("--bind", f"fd://{self._listener.fileno()}"),
                    *("--workers", "2", "--threads", "8", "--preload"),
                ],
                cwd=ROOT,
                env=self._environment,
                pass_fds=[self._listener.fileno()],
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # gunicorn: at once, without waiting for idle connections
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._listener.close()

    def messages(self, address: str) -> list[str]:
        """The texts of the messages to ``address``, oldest first."""
        found = []
        for path in sorted(self._mail.iterdir(), key=lambda path: path.stat().st_mtime_ns):
            for raw in re.split(rb"(?m)^-{79}\n", path.read_bytes()):
                if address.encode() not in raw:
                    continue
                message = email.message_from_bytes(raw, policy=email.policy.default)
                if message["To"] == address:
                    body = message.get_body(("plain",))
                    assert body is not None
                    found.append(body.get_content())
        return found

    def code(self, address: str) -> str:
        """The code of the newest message to ``address``."""
        found = CODE.search(self.messages(address)[-1])
        assert found
        return found.group()

    def errors(self) -> list[str]:
        """What the site's log holds of answers with status 500 and of exceptions that nobody caught."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if "Internal Server Error" in line or "Traceback" in line]

    def process(self, module: str, *arguments: str) -> "subprocess.Popen[str]":
        """Another process of this site, such as a worker, with pipes to talk to it."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def shell(self, code: str) -> None:
        """Runs Python on this site, for what its pages cannot do."""
        command = [sys.executable, "-m", "django", "shell", "--verbosity=0", "--command", code]
        subprocess.run(command, cwd=ROOT, env=self._environment, check=True)

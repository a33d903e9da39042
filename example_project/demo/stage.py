"""The parts of the demo and their life: a local Cognito in this process, the site in one of its own."""

import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from cognito_passwordless.local import LocalCognito, LocalPool, Message
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.local.seed import fill

from ..inbox import InboxMessage, append
from . import people

ROOT = Path(__file__).resolve().parent.parent.parent
USERS = 300
START_TIMEOUT = 60  # seconds
STOP_TIMEOUT = 10  # seconds


class StageError(Exception):
    """A part of the demo could not start, or ended by itself; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo, running. ``pool_accounts`` are people of the pool that are worth a try."""

    url: str
    cognito_url: str
    admin_password: str = field(repr=False)
    pool_accounts: list[people.Account]
    others: list[str]
    history: bool
    site: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises `StageError` if the site has ended."""
        if self.site.poll() is not None:
            raise StageError(f"The site has ended. Its last words:\n{last_words(self.log)}")


@contextmanager
def stage(directory: Path, *, port: int, cognito_port: int, history: bool = False) -> Iterator[Stage]:
    """Runs the demo in ``directory``, from nothing. Raises `StageError`."""
    for wanted in (port, cognito_port):
        _require_free(wanted)
    shutil.rmtree(directory, ignore_errors=True)
    # Codes, the database and its key: for the owner only.
    directory.mkdir(mode=0o700, parents=True)
    (directory / "inbox").mkdir()
    with LocalCognito(port=cognito_port) as cognito:
        callback = f"http://127.0.0.1:{port}/login/cognito/main/callback/"
        pool = cognito.create_pool("demo", callback_urls=[callback])
        crowd = fill(pool, USERS)
        cognito.messages.listen(lambda message: _keep(directory / "inbox", message))
        password = secrets.token_urlsafe(9)
        environment = site_environment(directory, port, cognito, pool) | {"DEMO_ADMIN_PASSWORD": password}
        environment["COGNITO_MORE_CONNECTIONS_JSON"] = json.dumps([custom_connection(cognito)])
        _run([sys.executable, "manage.py", "seed_demo", *(["--history"] if history else [])], environment)
        log = directory / "site.log"
        _keep_environment(directory / "site.env", environment)
        with _site(environment, log) as site:
            running = Stage(
                url=f"http://127.0.0.1:{port}",
                cognito_url=cognito.url,
                admin_password=password,
                pool_accounts=people.of_pool(crowd),
                others=people.crowd_of(crowd),
                history=history,
                site=site,
                log=log,
            )
            _wait_for(running)
            yield running


def _keep_environment(file: Path, environment: Mapping[str, str]) -> None:
    """For `manage.py` in another terminal: what the site has beyond this process's own variables."""
    own = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in own.items()))


def site_environment(directory: Path, port: int, cognito: LocalCognito, pool: LocalPool) -> dict[str, str]:
    """The example project's variables, beside those of this process."""
    inbox = directory / "inbox"
    url = f"http://127.0.0.1:{port}"
    own = {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PORT": str(port),
        "PUBLIC_URL": url,
        "DATABASE_URL": f"sqlite:///{directory / 'site.sqlite3'}",
        "REDIS_URL": "",
        "EMAIL_URL": f"filemail://{inbox}",
        "INBOX_DIR": str(inbox),
        "COGNITO_REGION": cognito.region,
        "COGNITO_USER_POOL_ID": pool.id,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_CLIENT_SECRET": pool.client_secret or "",
        "COGNITO_ENDPOINT_URL": cognito.url,
        "COGNITO_ISSUER": pool.issuer,
        "COGNITO_DOMAIN": cognito.url,
        "COGNITO_ROUTES": "otp,oidc",
        "COGNITO_LOOKUP": "try",
        "COGNITO_PASSWORDLESS_JSON": json.dumps({"SENDERS": {"sms": [_sms_sender(inbox)]}, "SMS_COUNTRIES": ["DE"]}),
        # Nothing of this machine's AWS, and no proxy on the way to loopback.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "AWS_"))}
    return inherited | own


def custom_connection(cognito: LocalCognito) -> dict[str, object]:
    """A second pool, for one e-mail domain, whose sign-in our own triggers define."""
    pool = cognito.create_pool("custom")
    attach(cognito, pool, {"OTP_SECRET": secrets.token_urlsafe(32), "OTP_CHANNEL": "email"})
    pool.add_user(people.CUSTOM)
    return {
        "provider_id": "custom",
        "name": "Custom",
        "client_id": pool.client_id,
        "secret": pool.client_secret,
        "settings": {
            "region": cognito.region,
            "user_pool_id": pool.id,
            "endpoint_url": cognito.url,
            "issuer": pool.issuer,
            "routes": ["otp"],
            "scope": ["openid", "profile", "email", "phone"],
            "otp_flow": "CUSTOM_AUTH",
            "own_triggers": True,
            "domains": [people.CUSTOM.partition("@")[2]],
        },
    }


def _sms_sender(inbox: Path) -> dict[str, object]:
    return {"BACKEND": "example_project.senders.InboxSmsSender", "OPTIONS": {"directory": str(inbox)}}


def _keep(inbox: Path, message: Message) -> None:
    entry = InboxMessage(
        at=message.at.isoformat(),
        sender="cognito",
        channel=message.medium.lower(),
        recipient=message.destination,
        text=f"Your verification code is {message.code}",
    )
    append(inbox / "cognito.jsonl", entry)


@contextmanager
def _site(environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gunicorn", "--config", "python:example_project.gunicorn_settings"]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C is for this process, which then stops the site in order.
        site = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "example_project.wsgi"],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield site
    finally:
        site.terminate()
        try:
            site.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            site.kill()
            site.wait()


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StageError(f"{' '.join(command[1:])} failed:\n{done.stdout}{done.stderr}")


def _wait_for(running: Stage) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        running.check()
        try:
            opener.open(f"{running.url}/login/", timeout=5).close()
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise StageError(f"The site does not answer. Its last words:\n{last_words(running.log)}")


def last_words(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-15:])


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As a server does, so that a port that was just closed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise StageError(
                f"Port {port} can't be used ({error}). Choose another one: make demo PORT=8100"
            ) from error


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports

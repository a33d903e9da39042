"""The servers that some tests need: one that answers, else one of our own from a binary, else a skip that says why.

With ``REQUIRE_SERVICES=1`` (as in ``.ci/run``) a missing one fails the test instead. `tests/conftest.py` makes the
fixtures `postgres_url`, `redis_url` and `chromium` known to every test. ``python -m tests.services <command>`` runs a
command with servers that answer.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = "redis://127.0.0.1:6379/0"
START_TIMEOUT = 30  # seconds
CONNECT_TIMEOUT = 2  # seconds
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


class Unavailable(Exception):
    """There is no such server, and no way to start one; the message is the reason for the skip."""


def missing(reason: str) -> NoReturn:
    """Skips the test that asks, or fails it where services are required."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def package(name: str) -> Any:
    """A Python package that only some tests need, imported; `missing` without it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing(f"{error.name} is not installed (it is in the extra `dev`)")


def postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT).close()
    except psycopg.OperationalError:
        return False
    return True


def redis_answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_connect_timeout=CONNECT_TIMEOUT, socket_timeout=CONNECT_TIMEOUT)
    with client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL whose user may create databases: `TEST_POSTGRES_URL` if it answers, else one of our
    own, gone afterwards. Raises `Unavailable`."""
    url = os.environ.get("TEST_POSTGRES_URL", POSTGRES_URL)
    if postgres_answers(url):
        yield url
        return
    initdb, server = postgres_binary("initdb"), postgres_binary("postgres")
    if not initdb or not server:
        raise Unavailable(f"no PostgreSQL answers at {shown(url)}, and no `postgres` is on the PATH")
    with _directory() as directory, ExitStack() as running:
        data = directory / "data"
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
        _finish([str(initdb), "-D", str(data), *options])
        port = free_port()
        # No durability: the data live as long as the test run.
        settings = [
            "-c",
            "fsync=off",
            "-c",
            f"unix_socket_directories={directory}",
            "-c",
            "listen_addresses=127.0.0.1",
        ]
        command = [str(server), "-D", str(data), "-p", str(port), *settings]
        own = f"postgres://postgres@127.0.0.1:{port}/postgres"
        running.enter_context(process(command, lambda: postgres_answers(own), directory / "log"))
        yield own


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Redis: `TEST_REDIS_URL` if it answers, else one of our own. Raises `Unavailable`."""
    url = os.environ.get("TEST_REDIS_URL", REDIS_URL)
    if redis_answers(url):
        yield url
        return
    try:
        binary = redis_binary()
    except Unavailable as error:
        raise Unavailable(f"no Redis answers at {shown(url)}, and {error}") from None
    with own_redis(binary) as (own, _):
        yield own


def redis_binary() -> str:
    """Raises `Unavailable`."""
    if binary := shutil.which("redis-server"):
        return binary
    raise Unavailable("no `redis-server` is on the PATH")


@contextmanager
def own_redis(server: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A Redis of our own and its process, which a test may stop. Raises `Unavailable`."""
    with _directory() as directory:
        port = free_port()
        own = f"redis://127.0.0.1:{port}/0"
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
        with process([server, *options], lambda: redis_answers(own), directory / "log") as running:
            yield own, running


def find_chromium() -> Path:
    """Chromium on the PATH. Raises `Unavailable`."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    raise Unavailable("no Chromium is on the PATH")


def postgres_binary(name: str) -> Path | None:
    """On the PATH, or where Debian puts it: the newest release of those installed."""
    debian = sorted(DEBIAN_POSTGRES.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    # A name on the PATH may be a wrapper for one user; Debian's own binaries are for everybody.
    found = debian[-1:] or [Path(path) for path in [shutil.which(name)] if path]
    return found[0] if found else None


@contextmanager
def process(command: Sequence[str], answers: Callable[[], bool], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs a server until the block ends, and begins the block once it answers. Raises `Unavailable`."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd="/", **_unprivileged())
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not answers():
            if running.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"{Path(command[0]).name} did not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.05)
        yield running
    finally:
        # SIGINT: PostgreSQL's fast shutdown, which does not wait for its clients.
        running.send_signal(signal.SIGINT)
        try:
            running.wait(START_TIMEOUT)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def free_neighbours() -> int:
    """A free port whose next one is free too. Below those that systems hand out by themselves, so that no other test
    is given one of them meanwhile."""
    while True:
        port = random.randrange(20000, 30000)
        try:
            with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", port + 1)):
                return port
        except OSError:
            continue


def shown(url: str) -> str:
    """An address without its password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


def _unprivileged() -> dict[str, str]:
    # PostgreSQL refuses to run as root, as which containers like to test.
    return {"user": "nobody"} if os.geteuid() == 0 else {}


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="services-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, "nobody")
        yield Path(name)


def _finish(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **_unprivileged())
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {done.stderr[-500:]}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL to make databases in; give them names of your own."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except Unavailable as error:
            missing(str(error))
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that may be shared: use keys of your own, and flush nothing."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(redis_server())
        except Unavailable as error:
            missing(str(error))
        yield url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of Chromium, for ``playwright.chromium.launch(executable_path=…, args=["--no-sandbox"])``."""
    try:
        return find_chromium()
    except Unavailable as error:
        missing(str(error))


def main(command: Sequence[str]) -> int:
    """Runs a command with `TEST_POSTGRES_URL` and `TEST_REDIS_URL` set to servers that answer. Returns its status."""
    with postgres() as postgres_at, redis_server() as redis_at:
        environment = os.environ | {"TEST_POSTGRES_URL": postgres_at, "TEST_REDIS_URL": redis_at}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

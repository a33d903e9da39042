"""The commands of compose.yaml, run without containers: the same words, other addresses."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from example_project.demo.browser import Browser, BrowserError, Page
from example_project.demo.check import answer

from ..celery.stage import Redis
from ..delivery.mail_server import MailServer
from ..gunicorn_site import Database
from ..services import free_port
from .test_files import COMPOSE, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.own_database]
PATIENCE = 60  # seconds
CODE = r"(?<![\d-])(\d{6,8})(?![\d-])"
IMAGE_COMMAND = re.compile(r"^CMD (\[.*\])$", re.MULTILINE)


class Composition:
    """Its processes, each with a log."""

    def __init__(self, directory: Path, replaced: dict[str, str]) -> None:
        self._directory, self._replaced = directory, replaced
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, name: str) -> list[str]:
        image = json.loads(IMAGE_COMMAND.findall((ROOT / "Dockerfile").read_text())[0])
        command = COMPOSE["services"][name].get("command") or shlex.join(image)
        return shlex.split(self._here(command))

    def environment(self, name: str) -> dict[str, str]:
        own = {key: self._here(value) for key, value in COMPOSE["services"][name].get("environment", {}).items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # What pytest sets is not there in a container.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "COGNITO_"))}
        return inherited | own | {"PATH": path, "PYTHONUNBUFFERED": "1"}

    def start(self, name: str) -> None:
        with (self._directory / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self.command(name), cwd=ROOT, env=self.environment(name), stdout=log, stderr=subprocess.STDOUT
            )

    def wait(self, name: str) -> int:
        return self._running[name].wait(PATIENCE)

    def log(self, name: str) -> str:
        return (self._directory / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _here(self, text: str) -> str:
        for old, new in self._replaced.items():
            text = text.replace(old, new)
        return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def eventually(read: Callable[[], Any], what: Callable[[], str]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := read()):
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)
    return found


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def running(tmp_path: Path, postgres_url: str, redis_url: str, mail: MailServer) -> Iterator[Composition]:
    """All of it, as ``docker compose up`` starts it."""
    port = free_port()
    redis = Redis(tmp_path)
    with ExitStack() as stack:
        database = stack.enter_context(Database(tmp_path, postgres_url))
        redis.start()
        stack.callback(redis.stop)
        composition = Composition(
            tmp_path,
            {
                "postgres://site:site@db:5432/site": database.url,
                "redis://redis:6379/0": redis.url,
                "smtp://mail:1025": f"smtp://127.0.0.1:{mail.port}",
                "/run/cognito": str(tmp_path),
                "/run/beat": str(tmp_path),
                "cognito_passwordless.local": f"cognito_passwordless.local --port {free_port()}",
                "0.0.0.0:8000": f"127.0.0.1:{port}",
                "http://127.0.0.1:8000": f"http://127.0.0.1:{port}",
            },
        )
        stack.callback(composition.stop)
        composition.start("cognito")
        # Its health check.
        eventually((tmp_path / "connection.json").exists, lambda: composition.log("cognito"))
        composition.start("migrate")
        assert composition.wait("migrate") == 0, composition.log("migrate")
        for name in ("web", "worker", "beat"):
            composition.start(name)
        eventually(lambda: " ready." in composition.log("worker"), lambda: composition.log("worker"))
        yield composition


def test_people_sign_in_and_the_clock_ticks(running: Composition, mail: MailServer) -> None:
    site = running.environment("web")["PUBLIC_URL"]
    browser = Browser(site)

    def login_page() -> Page | None:
        try:
            return browser.get("/login/")
        except OSError:
            return None

    page = eventually(login_page, lambda: running.log("web"))
    # Of the pool: the worker asks the local Cognito, and the web compares there, over the network that they share.
    page = browser.submit(page, identifier="ann@example.com")
    code = eventually(
        lambda: re.findall(f"EMAIL to ann@example.com: {CODE}", running.log("cognito")), everything(running)
    )[0]
    # Faster than a person reads: the worker has yet to write down what Cognito gave it for this code.
    eventually(lambda: re.search(r"send_code\S* succeeded", running.log("worker")), everything(running))
    page = answer(browser, page, code)
    assert urlsplit(page.url).path == "/", page.text
    assert "ann@example.com" in page.text

    # Of Django, by now: the worker sends by the mail server.
    browser = Browser(site)
    page = browser.submit(browser.get("/login/"), identifier="ann@example.com")
    (message, *_) = eventually(lambda: mail.behaviour.messages, everything(running))
    body = message.get_body(("plain",))
    assert body
    try:
        page = answer(browser, page, re.findall(CODE, body.get_content())[0])
    except BrowserError as error:
        pytest.fail(f"{error}\n{running.log('web')}")
    assert urlsplit(page.url).path == "/"
    assert "beat: Starting" in eventually(lambda: running.log("beat"), everything(running))


def everything(running: Composition) -> Callable[[], str]:
    return lambda: "\n".join(running.log(name)[-1500:] for name in ("web", "worker", "cognito"))

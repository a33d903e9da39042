"""The site as it runs in production: gunicorn, a Redis, workers, a mail server and an SNS, each a process or a server
of its own. A test may stop any of them."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends

from .. import services
from ..delivery.mail_server import MailServer
from ..gunicorn_site import ROOT, Database, Site

T = TypeVar("T")
REGION = "eu-west-1"
PATIENCE = 60  # seconds; a worker takes some to start where others are busy
QUEUES = "celery,cognito_email,cognito_sms"
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


def eventually(read: Callable[[], T | None], what: str) -> T:
    """What ``read`` gives once it gives anything."""
    deadline = time.monotonic() + PATIENCE
    while not (found := read()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


class Redis:
    """A server on a port of its own, empty whenever it starts again."""

    def __init__(self, directory: Path) -> None:
        self.port = services.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._directory = directory
        self._running = ExitStack()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]
        command = [services.redis_binary(), *options]
        log = self._directory / "redis.log"
        self._running.enter_context(services.process(command, lambda: services.redis_answers(self.url), log))

    def stop(self) -> None:
        self._running.close()


class Worker:
    """A Celery worker in a process group of its own."""

    def __init__(self, environment: dict[str, str], log: Path, *, queues: str = QUEUES) -> None:
        self._log = log
        self._output = log.open("wb")
        arguments = ["--app", "example_project", "worker", "--queues", queues, "--pool", "solo", "--loglevel", "INFO"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "celery", *arguments, "--without-gossip", "--without-mingle"],
            cwd=ROOT,
            env=environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        eventually(lambda: " ready." in self.log, "the worker")

    def kill(self) -> None:
        """`kill -9`, the worker and whatever it has forked."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def stop(self) -> None:
        if self._process.poll() is None:
            self.kill()


class Stage:
    """All of them together."""

    def __init__(self, site: Site, redis: Redis, mail: MailServer, directory: Path) -> None:
        self.site, self.redis, self.mail = site, redis, mail
        self._directory = directory
        self._workers: list[Worker] = []

    def worker(self, **environment: str) -> Worker:
        log = self._directory / f"worker-{len(self._workers)}.log"
        worker = Worker({**self.site._environment, **environment}, log)
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self._workers:
            worker.stop()

    def emails(self, address: str) -> list[str]:
        bodies = [message.get_body(("plain",)) for message in self.mail.behaviour.messages if message["To"] == address]
        return [body.get_content() for body in bodies if body]

    def sms(self, number: str) -> list[str]:
        sent = sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages.values()
        return [text for to, text in sent if to == number]

    def command(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env={**self.site._environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def site_log(self) -> str:
        return self.site._log.read_text(errors="replace")

    def finished(self) -> bool:
        waiting = "SELECT count(*) FROM cognito_passwordless_challengesession WHERE sending <> 'done'"
        return bool(self.site.database.value(waiting) == 0)


def code_in(text: str) -> str:
    found = CODE.search(text)
    assert found
    return found.group()


@contextmanager
def stage(directory: Path, *, delay: float = 0.0, **chosen: str) -> Iterator[Stage]:
    """Everything but the workers, running. ``delay`` is the mail server's, in seconds."""
    redis = Redis(directory)
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    with ExitStack() as running:
        redis.start()
        running.callback(redis.stop)
        # moto's memory is the process's: another test may have sent to the same number.
        sns_backends[DEFAULT_ACCOUNT_ID][REGION].reset()
        moto.start()
        running.callback(moto.stop)
        mail = running.enter_context(MailServer(delay=delay))
        host, port = moto.get_host_and_port()
        environment: dict[str, Any] = {
            "SECRET_KEY": secrets.token_urlsafe(40),
            "REDIS_URL": redis.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "PUBLIC_URL": "https://www.example.com",
            "COGNITO_PASSWORDLESS_JSON": '{"SIGNUP": true, "REFUSAL_FLOOR": 0, "SMS_COUNTRIES": ["DE"]}',
            **chosen,
        }
        database = running.enter_context(Database(directory))
        site = running.enter_context(Site(database, directory, **environment))
        made = Stage(site, redis, mail, directory)
        running.callback(made.close)
        yield made

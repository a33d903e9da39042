"""``python -m benchmarks.delivery``: how many SMS a second one worker hands to an SNS that answers in 50 ms.

A real Redis (``TEST_REDIS_URL``, or the one on this machine; database 15 of it), a real Celery worker, and PostgreSQL
(``TEST_POSTGRES_URL``). The account's quota is raised, for it would be the limit: 20 a second.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .__main__ import ROOT, database

ANSWER = b"<PublishResponse><PublishResult><MessageId>id</MessageId></PublishResult></PublishResponse>"
REDIS_URL = "redis://127.0.0.1:6379/0"
MANY = "1000000/1h"
PATIENCE = 300  # seconds

# Runs in the site's own process: people who may sign up, each with a challenge, all of them in the queue at once.
FILL = """
from uuid import uuid4
from datetime import timedelta
from django.utils import timezone
from cognito_passwordless import keys, tasks
from cognito_passwordless.models import ChallengeSession
now = timezone.now()
made = ChallengeSession.objects.bulk_create(
    ChallengeSession(
        handle_hash=uuid4().hex, identifier=f"+49151{{number:08d}}", channel="sms", code_length=6, created_at=now,
        key_fingerprint=keys.keyring().current.fingerprint, last_sent_at=now, expires_at=now + timedelta(seconds=600),
    )
    for number in range({count})
)
for challenge in made:
    tasks.dispatch_by_celery(str(challenge.pk), 1, "sms")
"""


@contextmanager
def sns(delay: float) -> Iterator[tuple[str, list[float]]]:
    """The address of an SNS that answers after ``delay`` seconds, and when it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(delay)
            asked.append(time.monotonic())
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def environment(database_url: str, sns_url: str) -> dict[str, str]:
    redis = urlsplit(os.environ.get("TEST_REDIS_URL", REDIS_URL))
    options = {"region": "eu-west-1", "endpoint_url": sns_url, "rate": "100000/1s"}
    sender = {"BACKEND": "cognito_passwordless.delivery.sns.SnsSender", "OPTIONS": options}
    chosen = {
        "SIGNUP": True,
        "SMS_COUNTRIES": ["DE"],
        "SENDERS": {"sms": [sender]},
        "LIMITS": dict.fromkeys(("sms_per_prefix", "sms_per_country", "sms_per_day"), MANY),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "SECRET_KEY": "only-for-the-benchmark-and-long-enough-for-django",
        "DATABASE_URL": database_url,
        "REDIS_URL": urlunsplit((*redis[:2], "/15", "", "")),
        "LOG_LEVEL": "ERROR",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "COGNITO_PASSWORDLESS_JSON": json.dumps(chosen),
    }


def measure(count: int, processes: int, delay: float) -> float:
    """SMS a second of one worker, between the first and the last message."""
    with database("postgresql") as database_url, sns(delay) as (sns_url, asked):
        site = environment(database_url, sns_url)
        django = [sys.executable, "-m", "django"]
        subprocess.run([*django, "migrate", "--verbosity=0"], cwd=ROOT, env=site, check=True)
        subprocess.run(
            [*django, "shell", "--verbosity=0", "-c", FILL.format(count=count)], cwd=ROOT, env=site, check=True
        )
        pool = ["--pool", "solo"] if processes == 1 else ["--concurrency", str(processes)]
        command = [
            sys.executable,
            "-m",
            "celery",
            "--quiet",
            "--app",
            "example_project",
            "worker",
            "--queues",
            "cognito_sms",
        ]
        worker = subprocess.Popen([*command, *pool, "--loglevel", "ERROR"], cwd=ROOT, env=site)
        try:
            deadline = time.monotonic() + PATIENCE
            while len(asked) < count and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            worker.terminate()
            worker.wait()
    return (len(asked) - 1) / (asked[-1] - asked[0])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="messages (300)")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4, 8], help="of the one worker (1 2 4 8)")
    parser.add_argument("--delay", type=float, default=0.05, help="seconds that SNS takes to answer (0.05)")
    options = parser.parse_args()
    print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, SNS answers in {options.delay * 1000:.0f} ms"
    )
    for processes in options.processes:
        rate = measure(options.count, processes, options.delay)
        print(f"{processes} process(es): {rate:.1f} SMS a second, {1000 * processes / rate:.0f} ms for each of them")


if __name__ == "__main__":
    main()

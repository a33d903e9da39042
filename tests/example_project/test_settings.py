"""The example project's settings in a process of their own, as the environment makes them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import example_project

from .. import services

ROOT = Path(example_project.__file__).parent.parent

# Starts a sign-in, and says how it went, after how many seconds, and how many challenges are left.
SIGN_IN = """
import time
import django
django.setup()
from django.core.management import call_command
from django.test import Client
from cognito_passwordless.models import ChallengeSession
call_command("migrate", verbosity=0)
client = Client(raise_request_exception=False)
client.get("/login/")
for _ in range(2):
    began = time.monotonic()
    response = client.post("/login/", {"identifier": "ann@example.com"})
    seconds = time.monotonic() - began
    clear = "send codes at the moment" in response.content.decode()
    print(response.status_code, round(seconds, 2), clear, ChallengeSession.objects.count())
"""

# Seconds. The site gives Redis one; whatever waits for an answer without an end takes all of the test's time.
SOON = 6


def run(code: str, tmp_path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    own = {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "EMAIL_URL": "memorymail://",
        "ALLOWED_HOSTS": "testserver",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    inherited = {name: value for name, value in os.environ.items() if name not in {"SECRET_KEY", "REDIS_URL"}}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=inherited | own | environment, capture_output=True, text=True, check=False, cwd=ROOT
    )


def starts(tmp_path: Path, redis_url: str) -> Iterator[tuple[int, float, bool, int]]:
    done = run(SIGN_IN, tmp_path, SECRET_KEY="k" * 50, REDIS_URL=redis_url)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        status, seconds, clear, left = line.split()
        yield int(status), float(seconds), clear == "True", int(left)


def test_with_redis_down_a_person_is_told_at_once_and_nothing_is_left(tmp_path: Path) -> None:
    results = list(starts(tmp_path, f"redis://127.0.0.1:{services.free_port()}/0"))
    assert len(results) == 2
    for status, seconds, clear, left in results:
        assert (status, clear, left) == (503, True, 0)
        assert seconds < SOON


def test_with_a_redis_that_accepts_and_never_answers_too(tmp_path: Path) -> None:
    with services.socket.create_server(("127.0.0.1", 0)) as silent:
        for status, seconds, clear, left in starts(tmp_path, f"redis://127.0.0.1:{silent.getsockname()[1]}/0"):
            assert (status, clear, left) == (503, True, 0)
            assert seconds < SOON


def test_with_redis_up_the_message_is_queued(tmp_path: Path) -> None:
    if not shutil.which("redis-server"):
        services.missing("no `redis-server` is on the PATH")
    with services.own_redis(services.redis_binary()) as (url, _):
        assert [(status, left) for status, _, _, left in starts(tmp_path, url)] == [(302, 1), (302, 2)]


def test_two_processes_need_a_key_that_they_share(tmp_path: Path) -> None:
    done = run("import example_project.settings", tmp_path, REDIS_URL="redis://127.0.0.1:6379/0")
    assert done.returncode != 0
    assert "Set SECRET_KEY" in done.stderr


def test_one_process_may_make_its_own_key(tmp_path: Path) -> None:
    code = "import example_project.settings as s; print(len(s.SECRET_KEY), s.COGNITO_PASSWORDLESS['DISPATCH'])"
    assert run(code, tmp_path).stdout.split() == ["50", "inline"]


@pytest.mark.parametrize("debug", ["true", "false"])
def test_static_files_are_served_with_debug_and_without(tmp_path: Path, debug: str) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "print(Client().get('/static/admin/css/base.css').status_code)"
    )
    done = run(code, tmp_path, DEBUG=debug)
    assert done.stdout.split() == ["200"], done.stderr

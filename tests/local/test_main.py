"""The command, in a process of its own, stopped as a terminal or a supervisor stops it."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cognito_passwordless.local import LocalPool

from .caller import Caller, refusal

COMMAND = [sys.executable, "-W", "error", "-m", "cognito_passwordless.local"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_where_it_is_shows_codes_and_stops(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "cognito.json"
    people = tmp_path / "people.csv"
    people.write_text("email,password,custom:plan\nzoe@example.com,Correct-Horse-Battery-1,gold\n")
    command = [*COMMAND, "--port", "0", "--users", "20", "--env-file", str(file)]
    command += ["--people", str(people), "--fail", "InitiateAuth=throttle:2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        try:
            shown = read_until(process.stdout, "Stop with Ctrl-C")
            connection = json.loads(file.read_text())
            assert file.read_text() in shown
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            caller = connect(connection)
            assert "21 people" in shown
            for _ in range(2):
                assert refusal(caller.start, "zoe@example.com")[0] == "TooManyRequestsException"
            assert caller.start("ann@example.com")["ChallengeName"] == "EMAIL_OTP"
            line = process.stdout.readline()
            assert "EMAIL to ann@example.com: " in line
            assert len(line.rpartition(" ")[2].strip()) == 8
        finally:
            process.send_signal(number)
        assert process.wait(60) == 0
        assert process.stdout.read() == "Stopped.\n"
        assert process.stderr.read() == ""


def read_until(stream: Any, text: str) -> str:
    shown = ""
    for line in stream:
        shown += line
        if text in line:
            return shown
    raise AssertionError(shown)


def connect(connection: dict[str, Any]) -> Caller:
    settings = connection["settings"]
    pool = LocalPool(settings["user_pool_id"], connection["client_id"], connection["secret"], settings["issuer"], None)
    server: Any = SimpleNamespace(url=settings["endpoint_url"], region=settings["region"])
    return Caller(server, pool)


def test_it_refuses_to_be_reached_from_elsewhere() -> None:
    run = subprocess.run([*COMMAND, "--host", "0.0.0.0"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "not loopback" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("option", [("--fail", "InitiateAuth=unheard-of"), ("--people", "/nowhere/people.json")])
def test_what_cannot_be_is_said_in_a_line(option: tuple[str, str]) -> None:
    run = subprocess.run([*COMMAND, "--port", "0", *option], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert len(run.stderr.splitlines()) == 1

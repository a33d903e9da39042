"""`manage.py cognito_local` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "cognito_local", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    written = tmp_path / "connection.json"
    running = command("--port", "0", "--users", "5", "--env-file", str(written))
    assert running.stdout is not None
    try:
        assert any("Stop with Ctrl-C" in line for line in running.stdout)
        connection = json.loads(written.read_text())
        with urlopen(f"{connection['settings']['issuer']}/.well-known/jwks.json", timeout=60) as answer:
            assert json.load(answer)["keys"]
        running.send_signal(number)
        said, complained = running.communicate(timeout=60)
    finally:
        running.kill()
        running.communicate()  # its pipes are closed, so that no later test is told of them
    assert (running.returncode, said, complained) == (0, "Stopped.\n", "")


def test_it_stays_on_loopback() -> None:
    with pytest.raises(CommandError, match="loopback"):
        call_command("cognito_local", "--host", "0.0.0.0", "--port", "0")


def test_without_the_extra_it_names_it(tmp_path: Path) -> None:
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text("raise ModuleNotFoundError('No moto', name='moto')")
    said, complained = command("--port", "0", PYTHONPATH=str(tmp_path)).communicate(timeout=60)
    assert said == ""
    assert "pip install 'django-cognito-passwordless[local]'" in complained
    assert "Traceback" not in complained

"""Packages of npm for tests that run somebody else's JavaScript, unmodified: installed once, kept between runs."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .services import missing

INSTALL_TIMEOUT = 240  # seconds
OPTIONS = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error")


def node() -> str:
    """The path of node. Skips the test that asks where it is missing, or fails it where services are required."""
    found = shutil.which("node")
    if not found or not shutil.which("npm"):
        missing("node and npm are not on the PATH")
    return found


def installed(*packages: str) -> Path:
    """A directory whose ``node_modules`` holds these packages, each as ``name@version``.

    It is below `NODE_TEST_CACHE`, else the user's cache, and never changes once it is there: link to it, write
    nothing into it. Skips, or fails where services are required, if npm cannot get them.
    """
    node()
    name = hashlib.sha256(json.dumps(sorted(packages)).encode()).hexdigest()[:16]
    place = cache() / name
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="installing-") as made:
        directory = Path(made) / name
        directory.mkdir()
        (directory / "package.json").write_text('{"private": true}')
        _install(directory, packages)
        try:
            directory.rename(place)  # at once, so that nobody finds half of it
        except OSError:
            assert place.is_dir(), "another run has just put it there"
    return place


def cache() -> Path:
    chosen = os.environ.get("NODE_TEST_CACHE")
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else users / "django-cognito-passwordless" / "npm"


def _install(directory: Path, packages: tuple[str, ...]) -> None:
    command = [str(shutil.which("npm")), "install", *OPTIONS, *packages]
    try:
        done = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        missing(f"npm did not install {', '.join(packages)} in time")
    if done.returncode:
        missing(f"npm could not install {', '.join(packages)}: {done.stderr.strip().splitlines()[-1:]}")


class Conversation:
    """A process of node that keeps its state between commands, as a page does. The script reads a JSON array a line,
    ``[name, …arguments]``, and answers each with a line of JSON."""

    def __init__(self, script: Path) -> None:
        self._process = subprocess.Popen(
            [node(), "--no-warnings", script.name],
            cwd=script.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *command: Any) -> Any:
        """The answer's ``value``, or all of it: ``{"error": …, "message": …}``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer.get("value", answer)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def conversation(script: Path) -> Iterator[Conversation]:
    """For a fixture: ``yield from conversation(script)``."""
    running = Conversation(script)
    try:
        yield running
    finally:
        running.close()

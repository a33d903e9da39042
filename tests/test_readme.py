"""The README, followed word for word in a new project, until somebody is signed in."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest

import cognito_passwordless
from example_project.demo.browser import Browser

from .services import free_port

README = Path(__file__).parent.parent / "README.md"
SECTION = re.compile(r"^## Put it into your site$(.*?)^## ", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
START_TIMEOUT = 60  # seconds


@dataclass(frozen=True)
class Project:
    """The new project, and the environment of a person who works on it."""

    directory: Path
    environment: dict[str, str]

    def run(self, line: str) -> str:
        """What a command line prints; one that fails is an error."""
        done = subprocess.run(
            line, shell=True, cwd=self.directory, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def follow(self, kind: str, text: str) -> Iterator[tuple[str, str]]:
        """Does what one block says; yields each command line with its output. ``runserver`` is left to the caller."""
        if kind == "python":
            self._append(text)
            return
        for line in text.splitlines():
            # What is tested is what is installed already; it comes from no index.
            if not line.startswith("pip install ") and not line.endswith(" runserver"):
                yield line, self.run(line)

    def _append(self, text: str) -> None:
        path = self.directory / text.splitlines()[0].removeprefix("# ")
        before = path.read_text()
        # The README's own exception.
        if "EMAIL_BACKEND" not in text or "MAILERS" not in before:
            path.write_text(before + text)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    # The package as the tests see it, installed or not.
    package = str(Path(cognito_passwordless.__file__).parent.parent)
    made = Project(tmp_path, inherited | {"PATH": path, "PYTHONPATH": package, "PYTHONUNBUFFERED": "1"})
    made.run("django-admin startproject mysite .")
    return made


def steps() -> list[tuple[str, str]]:
    """The code blocks of the installation, in order."""
    section = SECTION.search(README.read_text())
    assert section
    return BLOCK.findall(section[1])


@pytest.mark.slow
def test_a_new_project_that_follows_the_readme_signs_somebody_in(project: Project) -> None:
    outputs = dict(pair for kind, text in steps() for pair in project.follow(kind, text))
    assert "no issues" in outputs["python manage.py check"]

    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", str(port)],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        terminal = lines_of(server)
        wait_for(terminal, r"Quit the server|Starting development server")
        browser = Browser(f"http://127.0.0.1:{port}")
        page = browser.get("/login/")
        (stylesheet,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
        assert browser.get(stylesheet).status == 200
        page = browser.submit(page, identifier="ann@example.com")
        code = wait_for(terminal, r"(?<![\d-])(\d{6})(?![\d-])")
        page = browser.submit(page, code=code)
        assert (page.status, page.url) == (200, f"http://127.0.0.1:{port}/accounts/email/")
        assert "ann@example.com" in page.text
    finally:
        server.terminate()
        server.communicate()


def lines_of(server: "subprocess.Popen[str]") -> "Queue[str]":
    """What a server prints, read by a thread so that waiting for it can end."""
    queue: Queue[str] = Queue()
    assert server.stdout
    output = server.stdout

    def read() -> None:
        for line in output:
            queue.put(line)

    threading.Thread(target=read, daemon=True).start()
    return queue


def wait_for(terminal: "Queue[str]", pattern: str) -> str:
    """The first match, in the lines that are printed from now on."""
    while True:
        if found := re.search(pattern, terminal.get(timeout=START_TIMEOUT)):
            return found[found.lastindex or 0]

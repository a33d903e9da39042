"""The README, followed word for word in five projects, until a person is signed in."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest

import cognito_passwordless
from example_project.demo.browser import Browser

from ..services import free_port
from .projects import STARTS, Start
from .pythons import Python, newest_python, python_with

README = Path(__file__).parent.parent.parent / "README.md"
SECTION = re.compile(r"^## Put it into your site$(.*?)^## ", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
START_TIMEOUT = 60  # seconds
ADMIN = (
    'model().objects.create_superuser(**{model().USERNAME_FIELD: "root@example.com", "password": "a long password"})'
)


@dataclass(frozen=True)
class Project:
    """The project, and the environment of a person who works on it."""

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
            if self._is_meant(text):
                self.append(text.splitlines()[0].removeprefix("# "), text)
            return
        for line in text.splitlines():
            # What is tested is what is installed already; it comes from no index.
            if not line.startswith("pip install ") and not line.endswith(" runserver"):
                yield line, self.run(line)

    def append(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + text)

    def _is_meant(self, text: str) -> bool:
        """Whether this project is one that the README means with a block: its own two exceptions."""
        settings = (self.directory / "mysite/settings.py").read_text()
        if "EMAIL_BACKEND" in text:
            return "MAILERS" not in settings
        return "ACCOUNT_USER_MODEL_USERNAME_FIELD" not in text or "AUTH_USER_MODEL" in settings


def new_project(directory: Path, python: Python) -> Project:
    path = f"{python.path.parent}{os.pathsep}{os.environ['PATH']}"
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    # The package as the tests see it, installed or not.
    packages = [*python.folders, Path(cognito_passwordless.__file__).parent.parent]
    places = {"PATH": path, "PYTHONPATH": os.pathsep.join(map(str, packages)), "PYTHONUNBUFFERED": "1"}
    made = Project(directory, inherited | places)
    made.run("python -m django startproject mysite .")
    return made


def steps() -> list[tuple[str, str]]:
    """The code blocks of the installation, in order."""
    section = SECTION.search(README.read_text())
    assert section
    return BLOCK.findall(section[1])


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.name)
def test_a_project_that_follows_the_readme_signs_a_person_in(start: Start, tmp_path: Path) -> None:
    python = newest_python() if start.newest_python else python_with(start.requirements)
    project = new_project(tmp_path, python)
    assert project.run("python -m django --version").startswith(start.django)
    for name, text in start.files.items():
        project.append(name, text)
    if "people/models.py" in start.files:
        project.run("python manage.py makemigrations people")
    outputs = dict(pair for kind, text in steps() for pair in project.follow(kind, text))
    assert "no issues" in outputs["python manage.py check"]
    project.run(f"python manage.py shell -c 'from django.contrib.auth import get_user_model as model; {ADMIN}'")

    port = free_port()
    server = subprocess.Popen(
        [python.path, "manage.py", "runserver", "--noreload", str(port)],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        terminal = lines_of(server)
        wait_for(terminal, r"Quit the server|Starting development server")
        by_code(f"http://127.0.0.1:{port}", terminal)
        for door in start.doors:
            by_password(f"http://127.0.0.1:{port}", door)
    finally:
        server.terminate()
        server.communicate()


def by_code(site: str, terminal: "Queue[str]") -> None:
    """Ann signs in by the code that the terminal shows, and is on a page with our stylesheet."""
    browser = Browser(site)
    page = browser.get("/login/")
    (stylesheet,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
    assert browser.get(stylesheet).status == 200
    page = browser.submit(page, identifier="ann@example.com")
    code = wait_for(terminal, r"(?<![\d-])(\d{6})(?![\d-])")
    page = browser.submit(page, code=code)
    assert (page.status, page.url) == (200, f"{site}/welcome/")
    assert "ann@example.com" in page.text
    assert stylesheet in page.text


def by_password(site: str, door: str) -> None:
    """A door that was there before is there: staff come in by their password, or the page answers itself."""
    browser = Browser(site)
    page = browser.get(door)
    assert (page.status, page.url) == (200, site + door)
    if "login" in door:
        browser.submit(page, username="root@example.com", password="a long password")
        home = door.removesuffix("login/")
        page = browser.get(home)
        assert (page.status, page.url) == (200, site + home)


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

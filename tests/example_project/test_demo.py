"""The demo and its check, on the real parts: gunicorn, the local Cognito, HTTP."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from example_project.demo import check, people
from example_project.demo.__main__ import welcome
from example_project.demo.browser import Browser, BrowserError
from example_project.demo.stage import ROOT, Stage, StageError, free_ports, stage

from ..services import free_neighbours, free_port


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    port, cognito_port = free_ports(2)
    directory = tmp_path_factory.mktemp("demo") / "site"
    with stage(directory, port=port, cognito_port=cognito_port) as built:
        yield built


def lines_of(running: Stage, routes: dict[str, check.Way]) -> tuple[bool, list[str]]:
    lines: list[str] = []
    return check.run(running.url, lines.append, routes), lines


def test_every_route_passes(running: Stage) -> None:
    lines: list[str] = []
    assert check.run(running.url, lines.append), lines
    assert lines == [f"PASS {route}" for route in check.ROUTES]


def test_a_route_that_does_not_send_fails(running: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MESSAGE_TIMEOUT", 1)
    well, lines = lines_of(running, {"local": check.by_code(people.NOBODY.identifier, sender="site")})
    assert not well
    assert lines == ["FAIL local: no message within 1 s"]


def test_a_code_from_the_wrong_side_fails(running: Stage) -> None:
    well, lines = lines_of(running, {"cognito_otp": check.by_code("legacy@example.com", sender="cognito")})
    assert not well
    assert lines == ["FAIL cognito_otp: the code came from site, not from cognito"]


def test_a_way_that_breaks_fails_and_the_next_is_still_tried(running: Stage) -> None:
    def broken(browser: Browser) -> None:
        browser.submit(browser.get("/inbox/"), nothing="x")

    well, lines = lines_of(running, {"broken": broken, "fine": lambda browser: None})
    assert not well
    assert lines == [f"FAIL broken: {running.url}/inbox/ (200) has no field 'nothing'", "PASS fine"]


def test_a_phone_only_person_of_the_pool_signs_in_by_sms(running: Stage) -> None:
    (phone,) = [account for account in running.pool_accounts if "phone only" in account.note]
    well, lines = lines_of(running, {"sms": check.by_code(phone.identifier, sender="cognito")})
    assert well, lines


def test_a_page_without_the_form_says_so(running: Stage) -> None:
    with pytest.raises(BrowserError, match="no field 'code'"):
        Browser(running.url).get("/login/").form_with("code")


def test_the_admin_signs_in_by_the_password_that_is_shown(running: Stage) -> None:
    browser = Browser(running.url)
    page = browser.submit(browser.get("/admin/login/"), username=people.ADMIN, password=running.admin_password)
    page = browser.get("/admin/")
    assert page.url.endswith("/admin/")
    assert running.admin_password in welcome(running)
    assert running.admin_password not in repr(running)


def test_the_welcome_names_pages_and_people(running: Stage) -> None:
    text = welcome(running)
    for path in ("/login/", "/inbox/", "/admin/"):
        assert running.url + path in text
    for account in (*people.DJANGO, *running.pool_accounts, *people.OTHER_WAYS, people.NOBODY):
        assert account.identifier in text
    assert set(running.others) <= set(text.split())
    assert len(running.others) >= 10


def test_manage_py_works_on_it_as_the_welcome_says(running: Stage) -> None:
    (line,) = [line for line in welcome(running).splitlines() if "set -a" in line]
    command = line.strip().replace(".venv/bin/python", sys.executable)
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert "Migrated" in done.stdout, done.stderr


def test_nobody_else_can_read_its_files(running: Stage) -> None:
    assert running.log.parent.stat().st_mode & 0o077 == 0


def test_a_port_in_use_is_told(running: Stage, tmp_path: Path) -> None:
    port = int(running.url.rpartition(":")[2])
    with pytest.raises(StageError, match=f"Port {port}"), stage(tmp_path / "x", port=port, cognito_port=free_port()):
        pass


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    port = free_neighbours()
    demo = subprocess.Popen(
        [sys.executable, "-m", "example_project.demo"],
        cwd=ROOT,
        env=os.environ | {"PORT": str(port), "DEMO_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout
    for line in demo.stdout:
        if "Ctrl-C" in line:
            break
    demo.send_signal(signal.SIGINT)
    rest = demo.communicate(timeout=60)[0]
    assert (demo.returncode, rest.strip()) == (0, "Stopping …")
    with pytest.raises(OSError, match="refused"):
        Browser(f"http://127.0.0.1:{port}").get("/login/")

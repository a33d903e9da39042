"""The locks in `requirements/` against pyproject.toml: whoever changes a range there runs ``make lock``."""

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from .locks import HERE, LOCKS, ROOT, applies, pins

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PYTHONS = re.findall(r"Python :: (\d\.\d+)", "\n".join(PROJECT["classifiers"]))
EXTRAS = {"demo.txt": ["local", "example"], "docs.txt": ["docs"], "test.txt": ["test"], "dev.txt": ["dev"]}
# All that a lock may hold below its header: a pin, and under it the hashes of the release's files.
ENTRY = re.compile(r"^[a-z0-9-]+==[\w.]+( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n", re.MULTILINE)


def on(python: str) -> dict[str, str]:
    return HERE | {"python_version": python, "python_full_version": f"{python}.99"}


def ranges(extras: list[str]) -> Iterator[Requirement]:
    """What pyproject.toml wants with these extras. An extra may name the package itself with others."""
    yield from map(Requirement, [*PYPROJECT["build-system"]["requires"], *PROJECT["dependencies"]])
    for extra in extras:
        for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
            if requirement.name == PROJECT["name"]:
                yield from ranges(sorted(requirement.extras))
            else:
                yield requirement


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_has_what_the_ranges_allow(lock: str, python: str) -> None:
    pinned = pins(LOCKS / lock, on(python))
    for requirement in ranges(EXTRAS[lock]):
        if applies(requirement, on(python)):
            assert requirement.name in pinned
            assert pinned[requirement.name] in requirement.specifier, requirement


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_has_pins_with_hashes_and_nothing_else(lock: str) -> None:
    lines = (LOCKS / lock).read_text().splitlines(keepends=True)
    header = "".join(line for line in lines if line.startswith("#"))
    assert header.endswith(" make lock\n")
    # Neither a host nor a machine's path.
    assert "/" not in header
    assert ENTRY.sub("", "".join(lines).removeprefix(header)) == ""


@pytest.mark.parametrize("python", PYTHONS)
def test_one_environment_can_hold_the_demo_and_the_tools(python: str) -> None:
    demo, dev = (pins(LOCKS / lock, on(python)) for lock in ("demo.txt", "dev.txt"))
    assert demo.items() <= dev.items()


def test_each_python_gets_its_newest_django() -> None:
    """Django 5.2 is the last for Python 3.11."""
    newest = {python: pins(LOCKS / "dev.txt", on(python))["django"] for python in PYTHONS}
    assert newest.pop("3.11").release[:2] == (5, 2)
    assert min(newest.values()) >= Version("6.1")

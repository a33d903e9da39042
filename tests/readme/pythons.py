"""A Python with the package's requirements and more: this process's own, with folders in `.cache` beside it."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement

from ..locks import HERE, LOCKS, ROOT, pins
from ..services import missing

CACHE = ROOT / ".cache" / "readme"
INSTALL_TIMEOUT = 300  # seconds
NEWER = ("3.13", "3.12")
NEEDED = ("django-allauth[socialaccount]", "boto3", "celery[redis]", "phonenumberslite")


@dataclass(frozen=True)
class Python:
    """An interpreter, and the folders of `PYTHONPATH` beside the package."""

    path: Path
    folders: list[Path] = field(default_factory=list)


def python_with(requirements: tuple[str, ...]) -> Python:
    """This process's environment, and what it lacks of ``requirements``."""
    if all(_is_here(Requirement(text)) for text in requirements):
        return Python(Path(sys.executable))
    return Python(Path(sys.executable), [_installed(Path(sys.executable), requirements, HERE)])


def newest_python() -> Python:
    """One that the newest Django in the locks runs on."""
    if sys.version_info >= (3, 12):
        return Python(Path(sys.executable))
    path, release = _newer()
    there = HERE | {"python_version": release, "python_full_version": f"{release}.99"}
    return Python(
        path,
        [_installed(path, NEEDED, there)],
    )


def _is_here(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version(requirement.name))
    except ModuleNotFoundError:
        return False


def _newer() -> tuple[Path, str]:
    places = os.environ["PATH"].split(os.pathsep)
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for release in NEWER:
        pyenv = [str(path) for path in sorted(versions.glob(f"{release}.*/bin"), reverse=True)]
        found = shutil.which(f"python{release}", path=os.pathsep.join([*pyenv, *places]))
        if found:
            path = Path(found).resolve()
            if subprocess.run([path, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
                return path, release
    return missing("there is no Python 3.12 or later, which the newest Django needs")


def _installed(python: Path, requirements: tuple[str, ...], there: dict[str, str]) -> Path:
    """A folder with ``requirements`` and what they need, in the releases of the lock; kept for the next run."""
    locked = pins(LOCKS / "dev.txt", there)
    ranged = {Requirement(text).name for text in requirements if Requirement(text).specifier}
    constraints = "".join(f"{name}=={release}\n" for name, release in sorted(locked.items()) if name not in ranged)
    key = hashlib.sha256(repr((str(python), requirements, constraints)).encode()).hexdigest()[:16]
    folder = CACHE / key
    if folder.exists():
        return folder
    made = CACHE / f"{key}.{os.getpid()}"
    made.mkdir(parents=True)
    try:
        (made / "constraints.txt").write_text(constraints)
        command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--retries", "0"]
        command += ["--target", str(made), "--constraint", str(made / "constraints.txt"), *requirements]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT)
        if done.returncode:
            missing(f"pip could not install {', '.join(requirements)}: {done.stderr.strip().splitlines()[-1]}")
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder

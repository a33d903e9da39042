"""Reports what the releases that came out since the last ``make lock`` do to the tests: ``python -m tests.newest``.

The last line that it prints begins with "newest:". Its status is 0 whatever the report says: a release of somebody
else is no fault of the change that is tested.
"""

import subprocess
import tempfile
from pathlib import Path

from .locks import LOCKS, ROOT, pins

TIMEOUT = 600  # seconds
FAILED = "FAILED (reported, does not fail this run)"


def report(place: Path) -> str:
    """Resolves the newest releases into `place`, and tests them unless they are those of the lock."""
    if not succeeds("make", "lock", f"LOCKS={place}"):
        return f"{FAILED}: `make lock` did not find them"
    newest, locked = pins(place / "test.txt"), pins(LOCKS / "test.txt")
    news = [f"{name} {newest[name]} (lock: {locked.get(name)})" for name in newest if newest[name] != locked.get(name)]
    if not news:
        return "not tested again, every release is the one in requirements/test.txt"
    # What pip would find by itself, but in seconds.
    passed = succeeds(".venv/bin/tox", "run", "-e", "newest", "-x", f"testenv:newest.deps=-r {place}/test.txt")
    return f"{'passed' if passed else FAILED} with {', '.join(news)}"


def succeeds(*command: str) -> bool:
    """Runs a command; prints what it said at its end if it fails or takes too long."""
    # `timeout` ends the command's children too.
    limited = ["timeout", "--kill-after=10", str(TIMEOUT), *command]
    done = subprocess.run(
        limited, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    if done.returncode:
        print(*done.stdout.splitlines()[-60:], f"{' '.join(command[:4])}: status {done.returncode}", sep="\n")
    return done.returncode == 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print("newest:", report(Path(name)))

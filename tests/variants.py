"""Runs a part of the suite in a process of its own, with other settings: apps cannot be swapped in a running one."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(settings: str, *paths: str, cache: bool = False) -> None:
    """Fails with what pytest printed. ``cache``: the suite's own, where axe-core is."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    # In memory: a database on a server would be shared with the suite that runs this.
    environment["TEST_DATABASE_URL"] = "sqlite://:memory:"
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", f"--ds={settings}"]
    command += [] if cache else ["-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *paths], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr

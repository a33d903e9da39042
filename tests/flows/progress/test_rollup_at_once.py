"""Counting while everything changes: nothing is lost, nothing counted twice, and no page shows what cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gunicorn_site import ROOT, SETTINGS, Database

ROUNDS = 40
START = "import django; django.setup(); from tests.flows.progress import roll_up_worker"


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_the_figures_are_right_whatever_happens_at_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = request.getfixturevalue("postgres_url") if kind == "postgresql" else None
    with Database(tmp_path, server) as database:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))}
        environment = kept | {
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "DATABASE_URL": database.url,
            "COGNITO_PASSWORDLESS_JSON": json.dumps({"RETENTION": {"events": 1, "challenges": 1}}),
        }
        command = [sys.executable, "-c", f"{START}; roll_up_worker.main({ROUNDS})"]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3_000:]
    told = json.loads(done.stdout)
    assert told["drift"] == []
    assert told["events counted"] == told["events written"] > told["events left"]
    assert told["migrated"] == told["migrated there"] > 0
    assert 0 < told["most"] <= 100

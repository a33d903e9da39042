"""The JavaScript client: its own tests by node, its size, and that it knows each code of our specification."""

import gzip
import json
import re
import subprocess
from pathlib import Path

from cognito_passwordless.headless.views import SPECIFICATION

from ..node import node

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "js"


def test_its_own_tests() -> None:
    command = [node(), "--test", "test/"]
    done = subprocess.run(command, check=False, cwd=CLIENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]


def test_it_has_under_4_kb_and_no_dependency() -> None:
    assert len(gzip.compress((CLIENT / "index.js").read_bytes())) < 4000
    assert "import " not in (CLIENT / "index.js").read_text()
    assert not {"dependencies", "peerDependencies"} & set(json.loads((CLIENT / "package.json").read_text()))


def test_its_types_name_every_code_of_the_specification() -> None:
    (error,) = [json.loads(SPECIFICATION.read_text())["components"]["schemas"]["Error"]]
    documented = set(error["properties"]["errors"]["items"]["properties"]["code"]["enum"])
    (union,) = re.findall(r"type ErrorCode =([^;]*);", (CLIENT / "index.d.ts").read_text())
    own = {"start_again", "gone", "unreachable", "unknown"}
    assert set(re.findall(r'"(\w+)"', union)) == documented | own

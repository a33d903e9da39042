"""The example on aws-amplify, and what of npm it needs."""

import json
from pathlib import Path

from tests.node import installed

WEB = Path(__file__).parents[3] / "examples" / "web"


def modules() -> Path:
    """The ``node_modules`` of the example."""
    described = json.loads((WEB / "package.json").read_text())
    wanted = described["dependencies"] | described["devDependencies"]
    return installed(*(f"{name}@{version}" for name, version in wanted.items())) / "node_modules"

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cognito_passwordless.lambda_triggers.aws import secrets
from cognito_passwordless.lambda_triggers.challenge import delivery, limits
from cognito_passwordless.lambda_triggers.deploy import packaging

from .rounds import Post


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture(autouse=True)
def _fresh_function() -> Iterator[None]:
    """As after a cold start, apart from the guess that a decoy waits for: tests would wait with it."""
    delivery._experience[:] = [(0.0, False)]
    yield
    delivery._experience.clear()
    secrets._fetched.clear()
    limits._begun.clear()


@pytest.fixture
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return packaging.build(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def template(built: tuple[Path, Path]) -> dict[str, Any]:
    return yaml.safe_load(built[1].read_text())

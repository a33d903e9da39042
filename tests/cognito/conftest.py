from collections.abc import Iterator
from typing import Any

import pytest

from cognito_passwordless.cognito import Connection

from .standin import StandIn

POOL = "eu-west-1_TestPool1"


def make_connection(**more: Any) -> Connection:
    values: dict[str, Any] = {
        "alias": "main",
        "region": "eu-west-1",
        "user_pool_id": POOL,
        "client_id": "client1",
    }
    return Connection(**values | more)


@pytest.fixture(autouse=True)
def _aws_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test says: no AWS identity and no address of the machine it runs on."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "does-not-exist")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "does-not-exist")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture(scope="session")
def _standin() -> Iterator[StandIn]:
    with StandIn() as pool:
        yield pool


@pytest.fixture
def standin(_standin: StandIn) -> Iterator[StandIn]:
    yield _standin
    _standin.reset()


@pytest.fixture
def connection(standin: StandIn) -> Connection:
    return make_connection(endpoint_url=standin.url, client_secret="client-secret")

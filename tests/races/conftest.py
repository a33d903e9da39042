"""A site under gunicorn for each database, shared by the whole directory: every test brings people of its own."""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

from ..gunicorn_site import Database, Site
from ..http_browser import Browser

POOL_DOMAIN = "pool.example"
MANY = "1000000/1h"
CHOSEN = {
    "DISPATCH": "inline",
    "SIGNUP": True,
    "REFUSAL_FLOOR": 0,
    "OTP": {"RESEND_COOLDOWN": 2},
    "LIMITS": {"starts_per_ip": MANY, "sends": MANY, "sends_per_recipient": MANY},
}


@pytest.fixture(scope="session")
def race_pool(cognito: LocalCognito) -> LocalPool:
    """The pool of everybody at `POOL_DOMAIN`."""
    return cognito.create_pool("races")


@pytest.fixture(scope="session", params=["postgresql", "sqlite", "sqlite_deferred"])
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    cognito: LocalCognito,
    race_pool: LocalPool,
) -> Iterator[Site]:
    directory: Path = tmp_path_factory.mktemp(request.param)
    environment = {
        "COGNITO_PASSWORDLESS_JSON": json.dumps(CHOSEN),
        "COGNITO_REGION": cognito.region,
        "COGNITO_USER_POOL_ID": race_pool.id,
        "COGNITO_CLIENT_ID": race_pool.client_id,
        "COGNITO_CLIENT_SECRET": race_pool.client_secret or "",
        "COGNITO_ENDPOINT_URL": cognito.url,
        "COGNITO_ISSUER": race_pool.issuer,
        "COGNITO_ROUTES": "otp",
        "COGNITO_CONNECTION_JSON": json.dumps({"domains": [POOL_DOMAIN]}),
        "SQLITE_DEFERRED": str(request.param == "sqlite_deferred"),
    }
    server = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with Database(directory, server) as database, Site(database, directory, **environment) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_500(site: Site) -> Iterator[None]:
    """Whatever a test did, no request ended in a 500."""
    before = len(site.errors())
    yield
    assert site.errors()[before:] == []


@pytest.fixture
def person() -> str:
    """An address that no other test uses."""
    return f"{secrets.token_hex(6)}@example.com"


@pytest.fixture
def browser(site: Site) -> Browser:
    return Browser(site.port)


@pytest.fixture
def guesses() -> Callable[[str, int], list[str]]:
    """So many different wrong codes."""

    def wrong(right: str, count: int) -> list[str]:
        return [f"{(int(right) + step) % 10 ** len(right):0{len(right)}d}" for step in range(1, count + 1)]

    return wrong

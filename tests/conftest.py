"""What every test may use: the messages that were "sent", people, and a Cognito on loopback."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import user_signed_up
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.cache import cache
from joserfc.jwk import RSAKey
from moto.utilities.utils import load_resource

from cognito_passwordless.cognito.client import Clients, replace_clients
from cognito_passwordless.delivery import Message
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.local import LocalCognito, LocalPool

from . import hooks

# The fixtures `postgres_url`, `redis_url` and `chromium`.
pytest_plugins = ["tests.services"]
CLIENTS_WITH_IDENTITY: Clients = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "postgres_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.own_database)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    MemorySender.outbox.clear()
    cache.clear()
    yield
    MemorySender.outbox.clear()


@pytest.fixture
def outbox() -> list[Message]:
    """The messages our senders were given, newest last."""
    return MemorySender.outbox


@pytest.fixture
def sent_code(outbox: list[Message]) -> Callable[[], str]:
    """The code of the newest message."""

    def read() -> str:
        found = re.search(r"(?<!\d)\d{6,10}(?!\d)", outbox[-1].text)
        assert found
        return found.group()

    return read


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """A Django user; ``verified`` gives them an `EmailAddress` that allauth has verified."""

    def make(email: str, *, verified: bool = True, **fields: Any) -> User:
        user = get_user_model().objects.create_user(username=email.partition("@")[0], email=email, **fields)
        if verified:
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    return make


@pytest.fixture(scope="session", autouse=True)
def _key_is_read_once() -> Iterator[None]:
    """moto reads its one private key again for each pool, which takes an eighth of a second."""
    key = RSAKey.import_key(load_resource("cognitoidp/resources/jwks-private.json"))
    once = SimpleNamespace(RSAKey=SimpleNamespace(import_key=lambda _: key))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moto.cognitoidp.models.jwk", once)
        yield


@pytest.fixture(scope="session")
def cognito() -> Iterator[LocalCognito]:
    """A Cognito on loopback, shared by the session; every test makes a pool of its own."""
    with LocalCognito() as running:
        yield running


@pytest.fixture
def connect(cognito: LocalCognito, settings: Any) -> Callable[..., dict[str, Any]]:
    """Configures a connection ``main`` to a pool, with the connection's settings as keyword arguments."""

    def configure(pool: LocalPool, alias: str = "main", **chosen: Any) -> dict[str, Any]:
        app = {
            "provider_id": alias,
            "name": "Cognito",
            "client_id": pool.client_id,
            "secret": pool.client_secret or "",
            "settings": {
                "region": cognito.region,
                "user_pool_id": pool.id,
                "endpoint_url": cognito.url,
                "issuer": pool.issuer,
                **chosen,
            },
        }
        configured = settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"]
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [*configured, app]}}
        return app

    return configure


@pytest.fixture
def pool(cognito: LocalCognito, connect: Callable[..., Any]) -> LocalPool:
    """A pool with a connection ``main`` to it."""
    made = cognito.create_pool("demo")
    connect(made)
    return made


@pytest.fixture
def aws_identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials, so that the directory can be read."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    # A client keeps the credentials it found when it was made.
    before = replace_clients(CLIENTS_WITH_IDENTITY)
    yield
    CLIENTS_WITH_IDENTITY.update(replace_clients(before))


@pytest.fixture
def new_clients() -> Iterator[Callable[[], object]]:
    """Builds the AWS clients anew whenever it is called; the next test gets the old ones back."""
    before = replace_clients({})
    yield lambda: replace_clients({})
    replace_clients(before)


@pytest.fixture
def asked(settings: Any) -> hooks.Asked:
    """The hooks of a site's own adapters, as they are asked from now on."""
    settings.ACCOUNT_ADAPTER = "tests.hooks.AccountAdapter"
    settings.SOCIALACCOUNT_ADAPTER = "tests.hooks.SocialAdapter"
    hooks.ASKED.clear()
    hooks.ASKED.requests.clear()
    hooks.ASKED.instead.clear()
    return hooks.ASKED


@pytest.fixture
def signed_up() -> Iterator[list[dict[str, Any]]]:
    """Everything that `user_signed_up` was sent with."""
    told: list[dict[str, Any]] = []

    def hear(**given: Any) -> None:
        told.append(given)

    user_signed_up.connect(hear)
    yield told
    user_signed_up.disconnect(hear)

"""openid-client at the hosted login, and aws-jwt-verify on the tokens, unmodified and with their defaults."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool
from tests.node import Conversation, conversation, installed

from ..caller import Caller
from ..hosted.browser import CALLBACK, Browser

ANN = "ann@example.com"
PACKAGES = ("openid-client@6.9.0", "aws-jwt-verify@5.2.1")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    directory = tmp_path_factory.mktemp("openid")
    (directory / "node_modules").symlink_to(installed(*PACKAGES) / "node_modules")
    yield from conversation(Path(shutil.copy(Path(__file__).with_name("openid.mjs"), directory)))


@pytest.mark.parametrize("pkce", [True, False])
def test_a_login_its_refresh_and_its_user_info(
    client: Conversation, cognito: LocalCognito, pool: LocalPool, pkce: bool
) -> None:
    sub = pool.add_user(ANN)
    pool.allow(callback_urls=[CALLBACK])
    secrets = {"client_id": pool.client_id, "client_secret": pool.client_secret}
    client("configure", {"issuer": pool.issuer, **secrets})
    browser = Browser(cognito, pool)
    back = browser.prove(browser.request(client("begin", CALLBACK, pkce)), ANN)
    tokens = client("finish", back.location)
    assert tokens["claims"]["sub"] == sub
    assert client("userInfo", tokens["access_token"], sub)["email"] == ANN
    again = client("refresh", tokens["refresh_token"])
    assert client("userInfo", again["access_token"], sub)["sub"] == sub


def test_tokens_verify_as_amazons(client: Conversation, cognito: LocalCognito, pool: LocalPool) -> None:
    sub = pool.add_user(ANN)
    cognito.issue_as(pool.id, f"https://cognito-idp.{cognito.region}.amazonaws.com/{pool.id}")
    tokens = Caller(cognito, pool).sign_in(ANN)
    with urllib.request.urlopen(pool.jwks_uri, timeout=5) as answer:
        client("trust", pool.id, pool.client_id, json.load(answer))
    assert client("verify", tokens["IdToken"], "id")["sub"] == sub
    assert client("verify", tokens["AccessToken"], "access")["client_id"] == pool.client_id
    assert "error" in client("verify", tokens["IdToken"], "access")

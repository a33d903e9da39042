"""Sign-in at a certified OpenID provider that knows nothing of Cognito: npm oidc-provider, in both modes."""

import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from joserfc.jwk import RSAKey

from cognito_passwordless.models import JourneyEvent, MigratedUser

from .. import node
from ..local.hosted.browser import Page, _Stay
from .conftest import CALLBACK, ORIGIN

pytestmark = pytest.mark.django_db(transaction=True)
HERE = Path(__file__).parent / "openid_provider"
START_TIMEOUT = 60  # seconds
CLIENT, SECRET = "client:1+b", "a-secret/with+odd:characters%21"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the provider, gone after the run; the package itself is kept."""
    directory = tmp_path_factory.mktemp("openid-provider")
    for name in ("package.json", "server.mjs"):
        shutil.copy(HERE / name, directory)
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    packages = node.installed(*(f"{name}@{version}" for name, version in wanted.items()))
    (directory / "node_modules").symlink_to(packages / "node_modules")
    return directory


@contextmanager
def running(directory: Path, **setup: Any) -> Iterator[str]:
    """The provider's issuer."""
    usual = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uris": [f"{ORIGIN}{CALLBACK}"],
        "auth_method": "client_secret_basic",
        "person": {"email": "ann@example.com", "email_verified": "false", "given_name": "Ann"},
        # Node 20 has been seen to wait for itself for ever when it made one.
        "key": RSAKey.generate_key(2048).as_dict(private=True),
    }
    process = subprocess.Popen(
        [node.node(), "server.mjs"],
        cwd=directory,
        env={**os.environ, "SETUP": json.dumps(usual | setup), "NODE_ENV": "test"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    patience = threading.Timer(START_TIMEOUT, process.kill)
    patience.daemon = True
    patience.start()
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        for line in process.stdout:
            if line.startswith("http://127.0.0.1:"):
                break
        else:
            pytest.fail("the provider did not start")
        patience.cancel()
        yield line.strip()
        process.stdin.close()


class Visitor:
    """A browser at the provider, until it is sent back to the site."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(CookieJar()))

    def go(self, url: str) -> dict[str, str]:
        """What the site is told in the end."""
        for _ in range(10):
            page = self._get(url)
            if not page.location:
                assert "code" in page.hidden or "error" in page.hidden, page.text
                return page.hidden
            url = urljoin(url, page.location)
            if url.startswith(ORIGIN):
                return dict(parse_qsl(urlsplit(url).query))
        raise AssertionError("no way back")

    def _get(self, url: str) -> Page:
        try:
            with self._opener.open(url, timeout=20) as response:
                return Page(response.status, dict(response.headers), response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, dict(error.headers), error.read().decode())


@pytest.fixture
def connect_to(settings: Any) -> Callable[..., None]:
    def configure(issuer: str, **chosen: Any) -> None:
        app = {
            "provider_id": "main",
            "name": "Certified",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {
                "region": "eu-west-1",
                "user_pool_id": "eu-west-1_Elsewhere",
                "issuer": issuer,
                "routes": ["oidc"],
                **chosen,
            },
        }
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app]}}

    return configure


def sign_in(client: Client, response_mode: str) -> Any:
    answer = Visitor().go(client.get("/login/cognito/main/").headers["Location"])
    if response_mode == "query":
        return client.get(CALLBACK, answer)
    assert Client().post(CALLBACK, answer).headers["Location"] == f"{CALLBACK}?wait"
    return client.get(f"{CALLBACK}?done")


@pytest.mark.parametrize("response_mode", ["query", "form_post"])
@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
def test_sign_in_with_acr_values_and_claims(
    installed: Path, connect_to: Callable[..., None], response_mode: str, auth_method: str
) -> None:
    with running(installed, auth_method=auth_method) as issuer:
        connect_to(
            issuer,
            response_mode=response_mode,
            acr_values="silver bronze",
            claims={
                "id_token": {"auth_time": {"essential": True}, "acr": {"essential": True, "values": ["silver"]}},
                "userinfo": {"given_name": None},
            },
            authorize_params={"max_age": "300"},
        )
        client = Client()
        response = sign_in(client, response_mode)
        assert response.headers["Location"] == "/", list(JourneyEvent.objects.values_list("cause", "data"))
        record = MigratedUser.objects.get()
        assert (record.pool, record.sub, record.email) == (issuer, "ann-1", "ann@example.com")
        assert client.session["_auth_user_id"] == str(record.user_id)
        assert not EmailAddress.objects.get().verified


def test_less_than_was_asked_for_is_refused(installed: Path, connect_to: Callable[..., None]) -> None:
    with running(installed) as issuer:
        connect_to(issuer, acr_values="bronze")
        client = Client()
        assert sign_in(client, "query").status_code == 403
        assert JourneyEvent.objects.latest("pk").data == {"detail": "acr lower than asked"}
        assert "_auth_user_id" not in client.session


def test_a_second_use_of_its_code_is_refused(installed: Path, connect_to: Callable[..., None]) -> None:
    with running(installed) as issuer:
        connect_to(issuer)
        client = Client()
        answer = Visitor().go(client.get("/login/cognito/main/").headers["Location"])
        client.get(CALLBACK, answer)
        assert "_auth_user_id" in client.session
        thief = Client()
        state = Visitor().go(thief.get("/login/cognito/main/").headers["Location"])["state"]
        assert thief.get(CALLBACK, answer | {"state": state}).status_code == 403
        assert "_auth_user_id" not in thief.session

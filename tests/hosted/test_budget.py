"""What a returning sign-in costs, against allauth's own `openid_connect` provider at the same pool."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cognito_passwordless.local import LocalCognito, LocalPool

from ..local.hosted.browser import Browser
from .conftest import CALLBACK

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.hosted.urls")]
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
MORE = 8  # statements that ours may need beyond allauth's


@pytest.fixture
def theirs(settings: Any, monkeypatch: Any) -> Callable[[LocalPool], None]:
    """allauth's provider, as a site would set it up for this pool."""
    registry.load()
    monkeypatch.setitem(registry.provider_map, "openid_connect", OpenIDConnectProvider)

    def configure(pool: LocalPool) -> None:
        pool.allow(callback_urls=[f"http://testserver{reverse('openid_connect_callback', args=['theirs'])}"])
        app = {
            "provider_id": "theirs",
            "name": "Theirs",
            "client_id": pool.client_id,
            "secret": pool.client_secret,
            "settings": {"server_url": pool.issuer, "oauth_pkce_enabled": True},
        }
        settings.SOCIALACCOUNT_PROVIDERS = settings.SOCIALACCOUNT_PROVIDERS | {"openid_connect": {"APPS": [app]}}

    return configure


def cost(cognito: LocalCognito, act: Callable[[], Any]) -> tuple[list[str], list[str]]:
    """The statements and the calls of the pool that something needs."""
    calls = len(cognito.visits)
    with CaptureQueriesContext(connection) as captured:
        act()
    statements = [query["sql"] for query in captured.captured_queries]
    return [text for text in statements if not text.startswith(CONTROL)], cognito.visits[calls:]


def round_trip(
    cognito: LocalCognito, pool: LocalPool, person: str, start: str, callback: str
) -> tuple[list[str], list[str]]:
    client, browser = Client(), Browser(cognito, pool)
    away: list[str] = []

    def leave() -> None:
        response = client.post(start)
        away.append(response.headers["Location"])

    begun, first_calls = cost(cognito, leave)
    answer = browser.prove(browser.request(away[0]), person).answer
    finished, calls = cost(cognito, lambda: client.get(callback, answer))
    assert "_auth_user_id" in client.session
    return begun + finished, first_calls + calls


def test_a_returning_sign_in_needs_few_statements_and_one_http_call(
    cognito: LocalCognito,
    hosted: Callable[..., LocalPool],
    theirs: Callable[[LocalPool], None],
    make_user: Callable[..., User],
) -> None:
    pool = hosted()
    theirs(pool)
    # Somebody who has come before: their first sign-in would fail at userInfo's "true", which is no boolean.
    sub = pool.add_user("bea@example.com")
    SocialAccount.objects.create(provider="theirs", uid=sub, user=make_user("bea@example.com"))
    ours: tuple[list[str], list[str]] = ([], [])
    other: tuple[list[str], list[str]] = ([], [])
    for _ in range(2):  # the first time is not the returning one
        ours = round_trip(cognito, pool, "ann@example.com", "/login/cognito/main/", CALLBACK)
        urls = (reverse(f"openid_connect_{name}", args=["theirs"]) for name in ("login", "callback"))
        other = round_trip(cognito, pool, "bea@example.com", *urls)
    print(f"ours {len(ours[0])}, allauth's {len(other[0])}; calls {len(ours[1])}, {len(other[1])}")
    assert ours[1] == ["POST /oauth2/token"]
    assert len(other[1]) == 4
    assert len(ours[0]) <= len(other[0]) + MORE, "\n".join(ours[0])

"""allauth's API, with the connections of this package in its answers."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.models import MigratedUser

API = "/_allauth/browser/v1"
POOL = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _connections(settings: Any) -> None:
    apps = [
        {"provider_id": alias, "name": alias.title(), "client_id": "c", "settings": POOL} for alias in ("one", "two")
    ]
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": apps}}


@pytest.fixture
def ann(make_user: Callable[..., User]) -> User:
    """Somebody who came by one connection that is there and one that is gone."""
    user = make_user("ann@example.com", password="something long")
    for alias in ("one", "gone"):
        MigratedUser.objects.create(connection=alias, pool=alias, sub="s", user=user, status="migrated")
        SocialAccount.objects.create(provider=alias, uid="s", user=user)
    return user


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_configuration_names_every_connection(client: Client, ann: User, signed_in: bool) -> None:
    if signed_in:
        client.force_login(ann)
    response = client.get(f"{API}/config")
    assert response.status_code == 200
    assert response.json()["data"]["socialaccount"]["providers"] == [
        {"id": "one", "name": "One", "flows": ["provider_redirect"], "client_id": "c"},
        {"id": "two", "name": "Two", "flows": ["provider_redirect"], "client_id": "c"},
    ]


def test_the_app_client_can_do_nothing_with_them(client: Client) -> None:
    response = client.get("/_allauth/app/v1/config")
    assert response.status_code == 200
    assert response.json()["data"]["socialaccount"]["providers"] == []


def test_the_session_says_how_to_sign_in(client: Client) -> None:
    response = client.get(f"{API}/auth/session")
    assert response.status_code == 401
    (flow,) = [flow for flow in response.json()["data"]["flows"] if flow["id"] == "provider_redirect"]
    assert flow["providers"] == ["one", "two"]


def test_a_redirect_goes_to_our_login_page(client: Client) -> None:
    asked = {"provider": "one", "callback_url": "/inbox/", "process": "login"}
    response = client.post(f"{API}/auth/provider/redirect", asked)
    assert response.status_code == 302
    assert response.headers["Location"] == "/login/?next=%2Finbox%2F"


@pytest.mark.parametrize(("provider", "status"), [("cognito", 302), ("gone", 302), ("nonsense", 401)])
def test_a_redirect_to_no_connection_is_no_crash(client: Client, ann: User, provider: str, status: int) -> None:
    asked = {"provider": provider, "callback_url": "/inbox/", "process": "login"}
    assert client.post(f"{API}/auth/provider/redirect", asked).status_code == status


def test_linked_accounts_with_one_that_is_gone(client: Client, ann: User) -> None:
    client.force_login(ann)
    response = client.get(f"{API}/account/providers")
    assert [account["display"] for account in response.json()["data"]] == ["One", "gone (no longer used)"]
    gone = {"provider": "gone", "account": "s"}
    assert client.delete(f"{API}/account/providers", gone, content_type="application/json").status_code == 200
    assert [account.provider for account in SocialAccount.objects.all()] == ["one"]


def test_a_token_cannot_be_used_instead_of_a_code(client: Client) -> None:
    token = {"provider": "one", "process": "login", "token": {"client_id": "c", "id_token": "x"}}
    response = client.post(f"{API}/auth/provider/token", token, content_type="application/json")
    assert response.status_code == 400

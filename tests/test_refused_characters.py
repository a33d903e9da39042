"""What no database takes (NUL, half of a surrogate pair) is refused at the door, wherever text comes in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from cognito_passwordless.cognito import CognitoProfile, is_storable
from cognito_passwordless.models import ChallengeSession

pytestmark = pytest.mark.django_db(transaction=True)
CONTROL = {"NUL": "\0", "half a pair": "\ud800"}


def _strict(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """SQLite takes a NUL where PostgreSQL refuses it."""
    given = params.values() if isinstance(params, dict) else params or ()
    assert all(is_storable(value) for value in given if isinstance(value, str))
    return execute(sql, params, many, context)


@pytest.fixture(autouse=True)
def _as_postgresql() -> Iterator[None]:
    with connection.execute_wrapper(_strict):
        yield


@pytest.fixture(params=CONTROL.values(), ids=CONTROL)
def bad(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_typed(client: Client) -> None:
    for identifier in ("ann\0@example.com", "ann@exa\0mple.com", "+4915112345\x00678", "\0"):
        page = client.post("/login/", {"identifier": identifier})
        assert page.status_code == 200
        assert page.context["form"].errors["identifier"]
    assert not ChallengeSession.objects.exists()


def test_a_page_to_go_on_to_is_left_out(client: Client) -> None:
    assert client.get("/login/", {"next": "/a\0b"}).status_code == 200
    assert client.post("/login/", {"identifier": "ann@example.com", "next": "/a\0b", "by": "\0"}).status_code == 302
    assert ChallengeSession.objects.get().next_url == ""


def test_a_code_a_password_and_a_channel(client: Client) -> None:
    client.post("/login/", {"identifier": "ann@example.com"})
    assert client.post("/login/code/", {"code": "123\x00456"}).status_code == 200
    assert client.post("/login/code/retry/", {"channel": "\0"}).status_code == 429
    assert client.post("/login/code/resend/", {"next": "\0"}).status_code == 429


def test_the_parameters_and_the_name_of_a_callback(client: Client, pool: Any) -> None:
    assert pool
    path = reverse("cognito_passwordless:oidc_callback", args=["main"])
    for name in ("state", "code", "error", "iss"):
        given = {"state": "0" * 32 + ".x", "code": "x"} | {name: "\0"}
        assert client.get(path, given).status_code in {302, 303, 403}
        assert client.post(path, given).status_code in {302, 303, 403}
    for path in ("/login/cognito/ma%00in/", "/login/cognito/ma%00in/callback/"):
        assert client.get(path).status_code == 404


def test_a_cookie(client: Client) -> None:
    client.cookies["cognito_passwordless"] = '"a\\000b"'
    assert client.get("/login/code/").status_code == 302
    assert client.get("/login/code/status/").status_code == 404


@pytest.mark.parametrize("page", ["challengesession", "delivery", "migrateduser", "journeyevent", "sendcount"])
def test_a_search_and_a_filter_of_the_admin(admin_client: Client, page: str) -> None:
    path = reverse(f"admin:cognito_passwordless_{page}_changelist")
    for name in ("q", "connection", "status__exact", "scope__exact", "days", "cohort", "step__exact", "o", "p"):
        assert admin_client.get(path, {name: "a\0b"}, follow=True).status_code == 200


def test_a_handle_that_a_sites_own_view_gives(bad: str) -> None:
    from cognito_passwordless.flows.challenges import attempts, hosted

    assert attempts.find(f"a{bad}") is None
    assert hosted.find_by_state(f"{'0' * 32}.{bad}") is None


def test_the_claims_of_a_provider_are_left_out(bad: str) -> None:
    claims = {"sub": "1", "email": f"a{bad}@example.com", "given_name": f"A{bad}", "family_name": "Lee"}
    profile = CognitoProfile.from_claims(claims, pool="p", scope=["openid", "email", "profile"])
    assert (profile.email, dict(profile.attributes)) == ("", {"family_name": "Lee"})

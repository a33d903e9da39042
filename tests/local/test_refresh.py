"""Refresh tokens by boto3: new tokens, rotation, revocation, and the hosted login's grant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.sign_in.secret_hash import secret_hash

from .caller import Caller, refusal
from .hosted.browser import CALLBACK, Browser, claims_of

ANN = "ann@example.com"
Change = Callable[..., None]


@pytest.fixture
def tokens(caller: Caller) -> Any:
    caller.pool.add_user(ANN)
    return caller.sign_in(ANN)


@pytest.fixture
def client(caller: Caller) -> dict[str, Any]:
    return {"ClientId": caller.pool.client_id, "ClientSecret": caller.pool.client_secret}


def rotate(caller: Caller, grace: int) -> None:
    caller.boto.update_user_pool_client(
        UserPoolId=caller.pool.id,
        ClientId=caller.pool.client_id,
        RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": grace},
    )


def test_get_tokens_from_refresh_token(caller: Caller, tokens: Any, client: dict[str, Any]) -> None:
    fresh = caller.boto.get_tokens_from_refresh_token(RefreshToken=tokens["RefreshToken"], **client)
    result = fresh["AuthenticationResult"]
    assert "RefreshToken" not in result
    assert claims_of(result["AccessToken"])["origin_jti"] == claims_of(tokens["AccessToken"])["origin_jti"]


def test_a_wrong_client_secret_gets_none(caller: Caller, tokens: Any) -> None:
    given = {"ClientId": caller.pool.client_id, "ClientSecret": "wrong" * 6}
    call = caller.boto.get_tokens_from_refresh_token
    assert refusal(call, RefreshToken=tokens["RefreshToken"], **given)[0] == "NotAuthorizedException"


def test_a_refresh_token_is_of_one_client(cognito: LocalCognito, tokens: Any) -> None:
    other = cognito.create_pool("other", client_secret=False)
    call = Caller(cognito, other).boto.get_tokens_from_refresh_token
    answer = refusal(call, RefreshToken=tokens["RefreshToken"], ClientId=other.client_id)
    assert answer == ("NotAuthorizedException", "Invalid Refresh Token")


def test_a_rotated_token_is_good_for_its_grace_period_alone(
    caller: Caller, tokens: Any, client: dict[str, Any], cognito: LocalCognito
) -> None:
    rotate(caller, grace=10)
    call, old = caller.boto.get_tokens_from_refresh_token, tokens["RefreshToken"]
    new = call(RefreshToken=old, **client)["AuthenticationResult"]["RefreshToken"]
    assert new != old
    assert call(RefreshToken=old, **client)["AuthenticationResult"]["AccessToken"]
    cognito.advance(11)
    assert refusal(call, RefreshToken=old, **client)[0] == "RefreshTokenReuseException"


def test_rotation_rules_the_old_flow_out(caller: Caller, tokens: Any) -> None:
    rotate(caller, grace=0)
    key = claims_of(tokens["AccessToken"])["username"]
    digest = secret_hash(caller.pool.client_secret or "", caller.pool.client_id, key)
    given = {"REFRESH_TOKEN": tokens["RefreshToken"], "SECRET_HASH": digest}
    answer = refusal(caller.start, ANN, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
    assert answer[1] == "REFRESH_TOKEN_AUTH flow not enabled for this client"


def test_revoking_ends_what_came_from_the_same_sign_in(caller: Caller, tokens: Any, client: dict[str, Any]) -> None:
    other = caller.sign_in(ANN)
    caller.boto.revoke_token(Token=tokens["RefreshToken"], **client)
    assert "revoked" in refusal(caller.boto.get_user, AccessToken=tokens["AccessToken"])[1]
    call = caller.boto.get_tokens_from_refresh_token
    assert "revoked" in refusal(call, RefreshToken=tokens["RefreshToken"], **client)[1]
    assert caller.boto.get_user(AccessToken=other["AccessToken"])["Username"]


def test_a_global_sign_out_ends_everything(caller: Caller, tokens: Any, client: dict[str, Any]) -> None:
    other = caller.sign_in(ANN)
    caller.boto.global_sign_out(AccessToken=tokens["AccessToken"])
    assert "revoked" in refusal(caller.boto.get_user, AccessToken=other["AccessToken"])[1]
    call = caller.boto.get_tokens_from_refresh_token
    assert refusal(call, RefreshToken=other["RefreshToken"], **client)[0] == "NotAuthorizedException"


class TestHosted:
    @pytest.fixture
    def browser(self, cognito: LocalCognito, pool: LocalPool) -> Browser:
        pool.add_user(ANN)
        pool.allow(callback_urls=[CALLBACK])
        return Browser(cognito, pool)

    def refreshed(self, browser: Browser, token: str) -> Any:
        return browser.exchange("", grant_type="refresh_token", refresh_token=token).json

    def test_the_grant_keeps_the_scope(self, browser: Browser) -> None:
        first = browser.exchange(browser.sign_in(ANN, scope="openid email").answer["code"]).json
        again = self.refreshed(browser, first["refresh_token"])
        assert claims_of(again["access_token"])["scope"] == "openid email"
        assert claims_of(again["id_token"])["auth_time"] == claims_of(first["id_token"])["auth_time"]

    def test_a_revoked_token_opens_nothing(self, browser: Browser) -> None:
        first = browser.exchange(browser.sign_in(ANN).answer["code"]).json
        pair = {"client_id": browser.pool.client_id, "client_secret": browser.pool.client_secret or ""}
        assert browser.request("/oauth2/revoke", {"token": first["refresh_token"], **pair}).status == 200
        assert self.refreshed(browser, first["refresh_token"]) == {"error": "invalid_grant"}
        bearer = {"Authorization": f"Bearer {first['access_token']}"}
        assert browser.request("/oauth2/userInfo", **bearer).status == 401

    def test_without_the_scope_the_api_opens_nothing(self, browser: Browser, caller: Caller) -> None:
        first = browser.exchange(browser.sign_in(ANN).answer["code"]).json
        answer = refusal(caller.boto.get_user, AccessToken=first["access_token"])
        assert answer == ("NotAuthorizedException", "Access Token does not have required scopes")

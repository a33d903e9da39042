"""Tokens on every occasion, as the token trigger wants them, and the triggers before and after each sign-in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito
from cognito_passwordless.local.own_triggers import attach

from .caller import Caller, refusal
from .hosted.browser import CALLBACK, Browser
from .test_custom import ANN, ENVIRONMENT, Custom
from .test_lifecycle import payload

PASSWORD, NEW = "Correct-Horse-Battery-1", "Another-Horse-Battery-2"
RULES = {"add": {"plan": "gold"}, "scopes": ["orders/read"], "suppress_scopes": ["aws.cognito.signin.user.admin"]}


@pytest.fixture
def caller(cognito: LocalCognito) -> Caller:
    pool = cognito.create_pool("tokens", client_secret=False, callback_urls=[CALLBACK])
    attach(cognito, pool, {**ENVIRONMENT, "TOKEN_CLAIMS": json.dumps(RULES)})
    caller = Caller(cognito, pool)
    pool.add_user(ANN)
    caller.boto.admin_set_user_password(UserPoolId=pool.id, Username=ANN, Password=PASSWORD, Permanent=True)
    return caller


def by_password(caller: Caller, flow: str = "USER_PASSWORD_AUTH", **given: str) -> Any:
    parameters = given or {"USERNAME": ANN, "PASSWORD": PASSWORD}
    return caller.boto.initiate_auth(AuthFlow=flow, ClientId=caller.pool.client_id, AuthParameters=parameters)


def sources(caller: Caller) -> list[str]:
    calls = caller.cognito.triggers.calls()
    return [event["triggerSource"] for _, event in calls if event["userPoolId"] == caller.pool.id]


def shaped(caller: Caller, tokens: Any) -> str:
    """The newest source, where both tokens are as the rules say."""
    assert payload(tokens["IdToken"])["plan"] == "gold"
    access = payload(tokens["AccessToken"])
    assert access["plan"] == "gold"
    assert "orders/read" in access["scope"].split()
    assert "aws.cognito.signin.user.admin" not in access["scope"]
    return [source for source in sources(caller) if source.startswith("TokenGeneration")][-1]


def test_a_password_a_refresh_and_a_code(caller: Caller) -> None:
    tokens = by_password(caller)["AuthenticationResult"]
    assert shaped(caller, tokens) == "TokenGeneration_Authentication"
    again = by_password(caller, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])
    assert shaped(caller, again["AuthenticationResult"]) == "TokenGeneration_RefreshTokens"
    assert shaped(caller, caller.sign_in(ANN)) == "TokenGeneration_Authentication"
    custom = Custom(caller)
    custom.start()
    tokens = custom.answer(custom.code, {"page": "checkout"})["AuthenticationResult"]
    assert shaped(caller, tokens) == "TokenGeneration_Authentication"
    event = [e for name, e in caller.cognito.triggers.calls() if name == "PreTokenGenerationConfig"][-1]
    assert event["request"]["clientMetadata"] == {"page": "checkout"}


def test_a_new_password(caller: Caller) -> None:
    caller.boto.admin_set_user_password(UserPoolId=caller.pool.id, Username=ANN, Password=PASSWORD, Permanent=False)
    asked = by_password(caller)
    answered = caller.boto.respond_to_auth_challenge(
        ClientId=caller.pool.client_id,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": ANN, "NEW_PASSWORD": NEW},
    )
    assert shaped(caller, answered["AuthenticationResult"]) == "TokenGeneration_NewPasswordChallenge"


def test_the_hosted_login(caller: Caller, cognito: LocalCognito) -> None:
    browser = Browser(cognito, caller.pool)
    page = browser.sign_in(ANN)
    tokens = browser.exchange(page.answer["code"], auth="form").json
    named = {"IdToken": tokens["id_token"], "AccessToken": tokens["access_token"]}
    assert shaped(caller, named) == "TokenGeneration_HostedAuth"
    assert set(payload(tokens["access_token"])["scope"].split()) == {
        *("openid", "profile", "email", "phone", "orders/read")
    }


def test_the_trigger_is_asked_once_for_both_tokens(caller: Caller) -> None:
    by_password(caller)
    assert sources(caller).count("TokenGeneration_Authentication") == 1


def test_version_1_reaches_the_id_token_only_and_groups_both(caller: Caller, cognito: LocalCognito) -> None:
    def first(event: dict[str, Any], context: object) -> dict[str, Any]:
        assert event["version"] == "1"
        override = {"groupsToOverride": ["a"], "iamRolesToOverride": ["arn:r"], "preferredRole": "arn:r"}
        details = {"claimsToAddOrOverride": {"plan": "tin"}, "groupOverrideDetails": override}
        return {**event, "response": {"claimsOverrideDetails": details}}

    pool = cognito.create_pool("version 1", client_secret=False)
    pool.add_user(ANN)
    cognito.attach_triggers(pool, {"PreTokenGeneration": first})
    tokens = Caller(cognito, pool).sign_in(ANN)
    identity, access = payload(tokens["IdToken"]), payload(tokens["AccessToken"])
    assert (identity["plan"], identity["cognito:groups"], identity["cognito:roles"]) == ("tin", ["a"], ["arn:r"])
    assert identity["cognito:preferred_role"] == "arn:r"
    assert ("plan" in access, access["cognito:groups"], "cognito:roles" in access) == (False, ["a"], False)


class TestAround:
    """PreAuthentication and PostAuthentication, whichever way somebody signs in."""

    @pytest.fixture
    def watched(self, caller: Caller) -> Caller:
        environment = {**ENVIRONMENT, "PRE_AUTH_REFUSE": "blocked", "DJANGO_URL": "http://127.0.0.1:9"}
        attach(caller.cognito, caller.pool, {**environment, "DJANGO_HMAC_KEY": "x"})
        return caller

    BOTH = ["PreAuthentication_Authentication", "PostAuthentication_Authentication"]

    def around(self, caller: Caller) -> list[str]:
        return [source for source in sources(caller) if source in self.BOTH]

    def test_by_password(self, watched: Caller) -> None:
        tokens = by_password(watched)["AuthenticationResult"]
        assert self.around(watched) == self.BOTH
        by_password(watched, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])
        assert self.around(watched) == self.BOTH

    def test_by_the_pools_own_code(self, watched: Caller) -> None:
        watched.sign_in(ANN)
        assert self.around(watched) == self.BOTH

    def test_by_the_hosted_login(self, watched: Caller, cognito: LocalCognito) -> None:
        Browser(cognito, watched.pool).sign_in(ANN)
        assert self.around(watched) == self.BOTH

    @pytest.mark.parametrize("way", ["password", "code", "hosted"])
    def test_a_refusal_is_one(self, watched: Caller, cognito: LocalCognito, way: str) -> None:
        rows = [{"Name": "custom:blocked", "Value": "true"}]
        watched.boto.admin_update_user_attributes(UserPoolId=watched.pool.id, Username=ANN, UserAttributes=rows)
        before = len(cognito.inbox)
        if way == "hosted":
            browser = Browser(cognito, watched.pool)
            assert "This is not allowed." in browser.submit(browser.authorize(), username=ANN).text
        else:
            call = by_password if way == "password" else lambda caller: caller.start(ANN)
            assert refusal(call, watched)[0] == "UserLambdaValidationException"
        assert len(cognito.inbox) == before

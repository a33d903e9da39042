"""What goes over the wire: errors as the service writes them, other origins, replicas and issuers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

from .caller import Caller, client_at
from .hosted.browser import CALLBACK, Browser, claims_of

ANN = "ann@example.com"


def post(cognito: LocalCognito, operation: str, body: dict[str, Any]) -> Any:
    headers = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}", "Origin": "https://www.example.com"}
    headers["Content-Type"] = "application/x-amz-json-1.1"
    request = urllib.request.Request(cognito.url, json.dumps(body).encode(), headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    with caught.value as error:
        return error.code, error.headers, json.loads(error.read())


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("InitiateAuth", "ResourceNotFoundException"), ("StartWebAuthnRegistration", "UnknownOperationException")],
)
def test_an_error_is_as_amazon_writes_it(cognito: LocalCognito, operation: str, kind: str) -> None:
    body = {"ClientId": "unknown", "AuthFlow": "USER_AUTH", "AuthParameters": {"USERNAME": ANN}}
    status, headers, answer = post(cognito, operation, body)
    assert (status, answer["__type"]) == (400, kind)
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert (headers["x-amzn-ErrorType"], headers["x-amzn-ErrorMessage"]) == (f"{kind}:", answer["message"])
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "x-amzn-ErrorType" in headers["Access-Control-Expose-Headers"]


@pytest.fixture
def browser(cognito: LocalCognito, pool: LocalPool) -> Browser:
    pool.add_user(ANN)
    pool.allow(callback_urls=[CALLBACK])
    return Browser(cognito, pool)


def test_pages_of_other_origins_read_tokens_and_user_info_but_no_login_page(browser: Browser) -> None:
    token = browser.exchange("unknown")
    assert (token.status, token.headers["Access-Control-Allow-Origin"]) == (400, "*")
    assert browser.request("/oauth2/userInfo").headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in browser.authorize().headers


def test_pkce_is_for_those_who_offer_it(browser: Browser) -> None:
    none = {"code_challenge": "", "code_challenge_method": ""}
    code = browser.sign_in(ANN, **none).answer["code"]
    assert "id_token" in browser.exchange(code, code_verifier="").json
    browser.jar.clear()
    held = browser.sign_in(ANN).answer["code"]
    assert browser.exchange(held, code_verifier="").json == {"error": "invalid_grant"}


def test_a_client_has_the_flows_and_scopes_that_it_was_given(browser: Browser, caller: Caller) -> None:
    pool = caller.pool
    described = caller.boto.describe_user_pool_client(UserPoolId=pool.id, ClientId=pool.client_id)["UserPoolClient"]
    assert described["AllowedOAuthFlows"] == ["code"]
    caller.boto.update_user_pool_client(UserPoolId=pool.id, ClientId=pool.client_id, AllowedOAuthFlows=["implicit"])
    assert browser.authorize().answer["error"] == "unauthorized_client"


def issuer_by_code(caller: Caller, cognito: LocalCognito) -> str:
    return str(claims_of(caller.sign_in(ANN)["IdToken"])["iss"])


def test_the_issuer_type_is_that_of_the_pool(caller: Caller, cognito: LocalCognito) -> None:
    caller.pool.add_user(ANN)
    before = issuer_by_code(caller, cognito)
    # What an update leaves out is reset, as in the cloud.
    same = {"Policies": caller.boto.describe_user_pool(UserPoolId=caller.pool.id)["UserPool"]["Policies"]}
    caller.boto.update_user_pool(UserPoolId=caller.pool.id, IssuerConfiguration={"Type": "UPDATED"}, **same)
    after = issuer_by_code(caller, cognito)
    assert (before, after) == (caller.pool.issuer, f"{cognito.url}/updated/{caller.pool.id}")
    with urllib.request.urlopen(f"{after}/.well-known/openid-configuration", timeout=5) as answer:
        document = json.load(answer)
    assert document["issuer"] == after


def test_a_replica_has_the_same_people_and_an_issuer_of_its_own() -> None:
    with LocalCognito() as cognito:
        pool = cognito.create_pool("replicated")
        sub = pool.add_user(ANN)
        replica = cognito.add_replica()
        caller = Caller(cognito, pool)
        caller.boto = client_at(replica, cognito.region)
        claims = claims_of(caller.sign_in(ANN)["IdToken"])
        assert (claims["sub"], claims["iss"]) == (sub, f"{replica}/{pool.id}")
        with urllib.request.urlopen(f"{claims['iss']}/.well-known/openid-configuration", timeout=5) as answer:
            document = json.load(answer)
    assert document["issuer"] == claims["iss"]
    assert document["token_endpoint"] == f"{replica}/oauth2/token"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('email = "ANN@example.com"', 1),
        ('email ^= "Ann@"', 1),
        ('email ^= "nn"', 0),
        ('cognito:user_status = "confirmed"', 1),
        ('status = "Enabled"', 1),
        ('status = "enabled"', 0),
        ('given_name = "Ann \\"the\\" First"', 1),
        ('family_name = "x"', 0),
    ],
)
def test_filters_compare_as_the_api_reference_says(caller: Caller, query: str, found: int) -> None:
    caller.pool.add_user(ANN, attributes={"given_name": 'Ann "the" First'})
    assert len(caller.boto.list_users(UserPoolId=caller.pool.id, Filter=query)["Users"]) == found


@pytest.mark.parametrize("query", ['custom:plan = "gold"', "email = ann", 'email ~ "a"'])
def test_other_filters_are_refused(caller: Caller, query: str) -> None:
    with pytest.raises(caller.boto.exceptions.InvalidParameterException):
        caller.boto.list_users(UserPoolId=caller.pool.id, Filter=query)

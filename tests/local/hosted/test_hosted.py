"""The hosted login of a local pool, as a browser and a site see it."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.hosted.exchange import at_hash

from .browser import CALLBACK, VERIFIER, Browser, challenge_of, claims_of

LOGOUT = "https://www.example.com/"


@pytest.fixture
def pool(cognito: LocalCognito) -> LocalPool:
    made = cognito.create_pool("hosted", callback_urls=[CALLBACK], logout_urls=[LOGOUT])
    made.add_user("ann@example.com", groups=["customers"], attributes={"given_name": "Ann"}, sub=None)
    return made


@pytest.fixture
def browser(cognito: LocalCognito, pool: LocalPool) -> Browser:
    return Browser(cognito, pool)


def test_a_person_comes_back_with_a_code_and_the_state(browser: Browser) -> None:
    page = browser.sign_in("ann@example.com")
    assert page.location.startswith(f"{CALLBACK}?")
    assert page.answer["state"] == "state-1"
    assert set(page.answer) == {"code", "state"}


@pytest.mark.parametrize("auth", ["basic", "post"])
def test_the_code_is_exchanged_for_tokens_that_verify(browser: Browser, pool: LocalPool, auth: str) -> None:
    code = browser.sign_in("ann@example.com").answer["code"]
    tokens = browser.exchange(code, auth=auth).json
    key = jwt.PyJWKClient(pool.jwks_uri).get_signing_key_from_jwt(tokens["id_token"]).key
    claims = jwt.decode(tokens["id_token"], key, algorithms=["RS256"], audience=pool.client_id, issuer=pool.issuer)
    assert claims["token_use"] == "id"
    assert claims["nonce"] == "nonce-1"
    assert claims["at_hash"] == at_hash(tokens["access_token"])
    assert claims["email_verified"] is True
    assert claims["cognito:groups"] == ["customers"]
    assert abs(claims["auth_time"] - time.time()) < 30
    assert "acr" not in claims
    access = claims_of(tokens["access_token"])
    assert (access["token_use"], access["client_id"], access["scope"]) == (
        "access",
        pool.client_id,
        "openid profile email phone",
    )
    assert "aud" not in access


def test_form_post_answers_with_a_form_that_needs_no_javascript(browser: Browser) -> None:
    page = browser.sign_in("ann@example.com", response_mode="form_post", state='"><script>')
    assert (page.status, page.location) == (200, "")
    assert f'action="{CALLBACK}"' in page.text
    assert "<button>Continue</button>" in page.text
    assert page.answer["state"] == '"><script>'
    assert '"><script>' not in page.text
    assert browser.exchange(page.answer["code"]).status == 200


def test_a_code_is_good_once(browser: Browser) -> None:
    code = browser.sign_in("ann@example.com").answer["code"]
    assert browser.exchange(code).status == 200
    again = browser.exchange(code)
    assert (again.status, again.json) == (400, {"error": "invalid_grant"})


def test_a_code_lives_five_minutes(cognito: LocalCognito, browser: Browser) -> None:
    code = browser.sign_in("ann@example.com").answer["code"]
    cognito.advance(301)
    assert browser.exchange(code).json == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "https://www.example.com/other"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"client_id": "another"}, "invalid_client"),
    ],
)
def test_the_exchange_is_refused(browser: Browser, change: dict[str, str], error: str) -> None:
    code = browser.sign_in("ann@example.com").answer["code"]
    assert browser.exchange(code, **change).json == {"error": error}


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"client_secret": ""}])
def test_a_client_with_a_secret_has_to_show_it(browser: Browser, change: dict[str, str]) -> None:
    code = browser.sign_in("ann@example.com").answer["code"]
    assert browser.exchange(code, auth="post", **change).json == {"error": "invalid_client"}


def test_a_code_of_another_client_is_refused(cognito: LocalCognito, browser: Browser) -> None:
    other = cognito.create_pool("other", callback_urls=[CALLBACK])
    code = browser.sign_in("ann@example.com").answer["code"]
    assert Browser(cognito, other).exchange(code).json == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_a_request_out_of_order_is_sent_back_with_an_error(
    browser: Browser, change: dict[str, str], error: str
) -> None:
    page = browser.authorize(**change)
    assert page.location.startswith(f"{CALLBACK}?")
    assert (page.answer["error"], page.answer["state"]) == (error, "state-1")


@pytest.mark.parametrize("change", [{"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}])
def test_nobody_is_sent_to_an_address_that_is_not_registered(browser: Browser, change: dict[str, str]) -> None:
    page = browser.authorize(**change)
    assert (page.status, page.location) == (400, "")


def test_a_repeated_parameter_is_refused(browser: Browser) -> None:
    page = browser.request(f"/oauth2/authorize?client_id={browser.pool.client_id}&client_id=x")
    assert page.status == 400


def test_user_info_writes_booleans_as_strings(browser: Browser, pool: LocalPool) -> None:
    sub = pool.add_user("una@example.com", email_verified=False)
    tokens = browser.exchange(browser.sign_in("una@example.com").answer["code"]).json
    page = browser.request("/oauth2/userInfo", Authorization=f"Bearer {tokens['access_token']}")
    assert page.json == {"sub": sub, "email": "una@example.com", "email_verified": "false", "username": sub}
    assert claims_of(tokens["id_token"])["email_verified"] is False


def test_user_info_wants_an_access_token_with_openid(browser: Browser, cognito: LocalCognito, pool: LocalPool) -> None:
    tokens = browser.exchange(browser.sign_in("ann@example.com").answer["code"]).json
    for token in ("", "made.up.token", tokens["id_token"]):
        page = browser.request("/oauth2/userInfo", Authorization=f"Bearer {token}")
        assert (page.status, page.json) == (401, {"error": "invalid_token"})


@pytest.mark.parametrize(
    ("scope", "present", "absent"),
    [
        ("openid", {"email", "given_name"}, set()),
        ("openid email", {"email"}, {"given_name"}),
        ("openid profile", {"given_name"}, {"email", "email_verified"}),
    ],
)
def test_the_scope_decides_what_the_id_token_says(
    browser: Browser, scope: str, present: set[str], absent: set[str]
) -> None:
    tokens = browser.exchange(browser.sign_in("ann@example.com", scope=scope).answer["code"]).json
    claims = claims_of(tokens["id_token"])
    assert present <= claims.keys()
    assert not absent & claims.keys()


def test_mfa_people_are_asked_for_a_second_code(browser: Browser, cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user("max@example.com", phone_number="+491510000001", mfa=True)
    page = browser.sign_in("max@example.com", acr_values="urn:cognito:loa:2")
    assert "One more code" in page.text
    page = browser.submit(page, code=cognito.last_code("+491510000001") or "")
    claims = claims_of(browser.exchange(page.answer["code"]).json["id_token"])
    assert claims["acr"] == "urn:cognito:loa:3"


def test_asking_for_more_asks_for_a_second_code_where_one_can_be_sent(
    browser: Browser, cognito: LocalCognito, pool: LocalPool
) -> None:
    pool.add_user("both@example.com", phone_number="+491510000002")
    assert "One more code" in browser.sign_in("both@example.com", acr_values="urn:cognito:loa:3").text
    tokens = browser.exchange(browser.sign_in("ann@example.com", acr_values="urn:cognito:loa:3").answer["code"]).json
    assert claims_of(tokens["id_token"])["acr"] == "urn:cognito:loa:2"


def test_a_federated_person_comes_by_their_providers_page(browser: Browser, pool: LocalPool) -> None:
    sub = pool.add_federated_user("Google", "1234", "gil@example.com")
    page = browser.authorize()
    assert "Continue with Google" in page.text
    page = browser.submit(browser.submit(page, provider="Google"), provider="Google", external="gil@example.com")
    claims = claims_of(browser.exchange(page.answer["code"]).json["id_token"])
    assert (claims["sub"], claims["cognito:username"]) == (sub, "Google_1234")
    assert claims["email_verified"] is False


def test_a_named_provider_is_gone_to_at_once(browser: Browser, pool: LocalPool) -> None:
    pool.add_federated_user("Google", "1234", "gil@example.com")
    page = browser.authorize(identity_provider="Google")
    assert "stands in for Google" in page.text
    page = browser.submit(page, provider="Google", external="somebody else")
    assert "does not know that person" in page.text


def test_a_wrong_code_may_be_tried_again(browser: Browser, cognito: LocalCognito) -> None:
    page = browser.submit(browser.authorize(), username="ann@example.com")
    page = browser.submit(page, code="wrong")
    assert "not right" in page.text
    page = browser.submit(page, code=cognito.last_code("ann@example.com") or "")
    assert page.answer["code"]


def test_an_unknown_person_gets_the_same_page_and_no_code(browser: Browser, cognito: LocalCognito) -> None:
    page = browser.submit(browser.authorize(), username="nobody@example.com")
    assert "Enter your code" in page.text
    assert cognito.last_code("nobody@example.com") is None


@pytest.mark.parametrize("person", [{"enabled": False}, {"status": "UNCONFIRMED"}])
def test_whom_the_pool_refuses_does_not_come_back(browser: Browser, pool: LocalPool, person: dict[str, Any]) -> None:
    pool.add_user("ria@example.com", **person)
    page = browser.prove(browser.authorize(), "ria@example.com") if "enabled" in person else browser.authorize()
    if "status" in person:
        page = browser.submit(page, username="ria@example.com")
    assert not page.location
    assert "code" not in page.answer


def test_a_page_is_good_once(browser: Browser) -> None:
    page = browser.authorize()
    browser.submit(page, username="ann@example.com")
    assert browser.submit(page, username="ann@example.com").status == 400


def test_cancelling_goes_back_with_an_error(browser: Browser) -> None:
    page = browser.submit(browser.authorize(), cancel="1")
    assert page.answer["error"] == "access_denied"


def test_a_browser_stays_signed_in_until_it_signs_out(browser: Browser, cognito: LocalCognito) -> None:
    browser.sign_in("ann@example.com")
    assert browser.authorize(prompt="none").answer["code"]
    assert not browser.authorize(prompt="login").location
    cognito.advance(60)
    assert not browser.authorize(max_age="30").location
    page = browser.request(f"/logout?client_id={browser.pool.client_id}&logout_uri={LOGOUT}")
    assert page.location == LOGOUT
    assert browser.authorize(prompt="none").answer["error"] == "login_required"


def test_signing_out_goes_nowhere_else(browser: Browser) -> None:
    page = browser.request(f"/logout?client_id={browser.pool.client_id}&logout_uri=https://evil.example/")
    assert (page.status, page.location) == (400, "")


def test_discovery_names_the_endpoints(browser: Browser, cognito: LocalCognito, pool: LocalPool) -> None:
    document = browser.request(f"/{pool.id}/.well-known/openid-configuration").json
    assert document["issuer"] == pool.issuer
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint"):
        assert document[name].startswith(cognito.url)


def test_the_requests_can_be_counted(browser: Browser, cognito: LocalCognito) -> None:
    before = len(cognito.visits)
    browser.exchange(browser.sign_in("ann@example.com").answer["code"])
    assert cognito.visits[before:] == ["GET /oauth2/authorize", "POST /login", "POST /login", "POST /oauth2/token"]


def test_an_endpoint_can_be_made_to_fail(browser: Browser, cognito: LocalCognito) -> None:
    cognito.fail("POST /oauth2/token", "500")
    assert browser.exchange("code").status == 500


def test_pkce_is_checked_by_the_rfcs_own_example() -> None:
    from cognito_passwordless.local.hosted.grants import fits

    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    assert not fits("short", challenge_of("short"))

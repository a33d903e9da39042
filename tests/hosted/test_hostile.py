"""Hostile answers: each is refused, with an event, and signs nobody in."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from cognito_passwordless import connections
from cognito_passwordless.cognito import CognitoError, provider_of
from cognito_passwordless.cognito.caches import reset_documents
from cognito_passwordless.cognito.oidc import discovery
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

from .conftest import CALLBACK
from .provider import (
    ACCESS,
    CLIENT,
    POOL,
    SECRET,
    Provider,
    signed,
    signed_with_the_public_key,
    tampered,
    unsigned,
)

pytestmark = pytest.mark.django_db(transaction=True)
NOW = int(time.time())
GOLD = {"essential": True, "values": ["gold"]}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def foreign() -> Iterator[Provider]:
    with Provider(foreign=True) as running:
        yield running


def connection(provider: Provider, alias: str = "main", **chosen: Any) -> dict[str, Any]:
    return {
        "provider_id": alias,
        "name": "Cognito",
        "client_id": CLIENT,
        "secret": SECRET,
        "settings": {
            "region": "eu-west-1",
            "user_pool_id": POOL,
            "issuer": provider.issuer,
            "routes": ["oidc"],
            **chosen,
        },
    }


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    def set_up(*apps: dict[str, Any]) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": list(apps)}}

    return set_up


@dataclass
class Left:
    """A browser that has been sent to the provider."""

    client: Client
    state: str
    nonce: str

    def arrive(self, answer: dict[str, Any] | None = None, url: str = CALLBACK) -> HttpResponse:
        return self.client.get(url, {"code": "code-1", "state": self.state} | (answer or {}))

    @property
    def is_signed_in(self) -> bool:
        return "_auth_user_id" in self.client.session


def leave(provider: Provider, client: Client | None = None, alias: str = "main") -> Left:
    client = client or Client()
    response = client.get(f"/login/cognito/{alias}/")
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    left = Left(client, query["state"][0], query["nonce"][0])
    provider.expect(left.nonce)
    return left


def nobody_came_in(response: HttpResponse, left: Left, cause: str, detail: str = "") -> None:
    assert response.status_code in {403, 503}
    assert not left.is_signed_in
    assert not get_user_model().objects.exists()
    assert not MigratedUser.objects.exists()
    event = JourneyEvent.objects.latest("pk")
    assert event.outcome in {"refused", "failed"}
    assert (event.cause, (event.data or {}).get("detail", "")) == (cause, detail)
    assert event.attempt
    assert event.connection == "main"


def test_an_honest_answer_signs_in(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    left = leave(provider)
    assert left.arrive().headers["Location"] == "/"
    assert left.is_signed_in
    assert provider.paths()[-2:] == ["POST /token", "GET /jwks"]
    _, _, form, headers = provider.seen[-2]
    assert headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in form
    assert len(form["code_verifier"]) == 43


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"nonce": "another"}, "wrong nonce"),
        ({"nonce": None}, "wrong nonce"),
        ({"nonce": ["x"]}, "wrong nonce"),
        ({"iss": "https://evil.example"}, "wrong issuer"),
        ({"iss": None}, "wrong issuer"),
        ({"aud": "client-2"}, "wrong audience"),
        ({"aud": [CLIENT, "client-2"]}, "wrong audience"),
        ({"aud": [CLIENT, "client-2"], "azp": CLIENT}, "wrong audience"),
        ({"aud": None}, "wrong audience"),
        ({"azp": "client-2"}, "wrong authorized party"),
        ({"exp": NOW - 1}, "expired"),
        ({"exp": None}, "no exp"),
        ({"exp": "never"}, "no exp"),
        ({"iat": NOW + 3600}, "issued in the future"),
        ({"iat": None}, "no iat"),
        ({"token_use": "access", "client_id": CLIENT}, "not an ID token"),
        ({"token_use": None}, "not an ID token"),
        ({"sub": None}, "no subject"),
        ({"sub": ""}, "no subject"),
        ({"at_hash": "another"}, "at_hash of another access token"),
        ({"at_hash": 5}, "at_hash of another access token"),
    ],
)
def test_an_id_token_that_says_something_wrong(
    provider: Provider, configure: Callable[..., None], claims: dict[str, Any], detail: str
) -> None:
    configure(connection(provider))
    provider.claims = claims
    left = leave(provider)
    nobody_came_in(left.arrive(), left, "token_invalid", detail)


@pytest.mark.parametrize(
    ("sign", "detail"),
    [
        (tampered, "bad signature"),
        (unsigned, "malformed token, or not RS256"),
        (signed_with_the_public_key, "malformed token, or not RS256"),
        (lambda claims: signed(claims, name="second"), "bad signature"),
        (lambda claims: signed(claims, kid="unknown"), "unknown signing key"),
        (lambda claims: signed(claims, kid=""), "no key id"),
        (lambda claims: signed(claims, b64=False), "header extensions"),
        (lambda claims: "no.token.at.all", "malformed token, or not RS256"),
        (lambda claims: "é" * 20, "malformed token"),
        (lambda claims: "a" * 20_000, "malformed token"),
    ],
)
def test_an_id_token_that_is_signed_wrong(
    provider: Provider, configure: Callable[..., None], sign: Callable[..., str], detail: str
) -> None:
    configure(connection(provider))
    provider.sign = sign
    left = leave(provider)
    nobody_came_in(left.arrive(), left, "token_invalid", detail)


@pytest.mark.parametrize(
    ("answer", "cause", "detail"),
    [
        ({"access_token": ACCESS}, "token_invalid", "no ID token"),
        ({"id_token": None, "access_token": ACCESS}, "token_invalid", "no ID token"),
        ({"id_token": "x.y.z"}, "token_invalid", "no access token"),
        ([], "token_invalid", "no ID token"),
    ],
)
def test_an_answer_without_its_tokens(
    provider: Provider, configure: Callable[..., None], answer: Any, cause: str, detail: str
) -> None:
    configure(connection(provider))
    provider.tokens = answer
    left = leave(provider)
    nobody_came_in(left.arrive(), left, cause, detail)


def test_an_access_token_in_the_place_of_the_id_token(foreign: Provider, configure: Callable[..., None]) -> None:
    """Of a provider that knows no token_use: RFC 9068's type gives it away."""
    configure(connection(foreign))
    foreign.sign = lambda claims: signed(claims, typ="at+jwt")
    left = leave(foreign)
    nobody_came_in(left.arrive(), left, "token_invalid", "not an ID token by its type")


def test_a_replayed_code_is_the_providers_to_refuse(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    provider.status, provider.tokens = 400, {"error": "invalid_grant"}
    left = leave(provider)
    nobody_came_in(left.arrive(), left, "session_expired", "invalid_grant")


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (401, {"error": "invalid_client"}, "misconfigured"),
        (400, {"error": "<script>alert(1)</script>"}, "not_authorized"),
        (400, {"error": ["invalid_grant"]}, "not_authorized"),
        (429, {}, "throttled"),
        (503, {}, "unavailable"),
        (302, {}, "unavailable"),
    ],
)
def test_a_token_endpoint_that_refuses(
    provider: Provider, configure: Callable[..., None], status: int, body: dict[str, Any], cause: str
) -> None:
    configure(connection(provider))
    provider.status, provider.tokens = status, body
    left = leave(provider)
    response = left.arrive()
    assert b"<script>alert" not in response.content
    nobody_came_in(response, left, cause, JourneyEvent.objects.latest("pk").data["detail"])


@pytest.mark.parametrize("told", [{"sub": "somebody-else"}, {}, {"sub": ["6a1b"]}, ["6a1b"]])
def test_user_info_of_another_sub(foreign: Provider, configure: Callable[..., None], told: Any) -> None:
    configure(connection(foreign))
    foreign.claims = {"email": None, "email_verified": None}
    foreign.user_info = told
    left = leave(foreign)
    response = left.arrive()
    event = JourneyEvent.objects.latest("pk")
    assert event.cause in {"token_invalid", "unavailable"}
    nobody_came_in(response, left, event.cause, event.data["detail"])


def test_user_info_adds_and_never_replaces(foreign: Provider, configure: Callable[..., None]) -> None:
    configure(connection(foreign))
    foreign.claims = {"email": None, "email_verified": None}
    foreign.user_info = {"sub": "6a1b", "email": "ann@example.com", "iss": "https://evil.example", "acr": "high"}
    left = leave(foreign)
    left.arrive()
    assert left.is_signed_in
    record = MigratedUser.objects.get()
    assert (record.pool, record.email) == (foreign.issuer, "ann@example.com")


@pytest.mark.parametrize(
    ("chosen", "claims", "detail"),
    [
        ({"acr_values": "urn:cognito:loa:3"}, {"acr": "urn:cognito:loa:2"}, "acr lower than asked"),
        ({"acr_values": "urn:cognito:loa:3"}, {}, "acr lower than asked"),
        ({"acr_values": "urn:cognito:loa:3"}, {"acr": "urn:other:loa:4"}, "acr lower than asked"),
        ({"acr_values": "urn:cognito:loa:3"}, {"acr": ["urn:cognito:loa:3"]}, "acr lower than asked"),
        ({"acr_values": "gold silver"}, {"acr": "bronze"}, "acr lower than asked"),
        ({"claims": {"id_token": {"acr": GOLD}}}, {"acr": "iron"}, "acr lower than asked"),
        ({"claims": {"id_token": {"acr": {"essential": True}}}}, {}, "no acr"),
        ({"authorize_params": {"max_age": "60"}}, {"auth_time": None}, "no auth_time"),
        ({"authorize_params": {"max_age": "60"}}, {"auth_time": NOW - 3600}, "signed in too long ago"),
        ({"authorize_params": {"max_age": "60"}}, {"auth_time": NOW + 3600}, "auth_time in the future"),
        ({"authorize_params": {"max_age": "60"}}, {"auth_time": "now"}, "no auth_time"),
        ({"claims": {"id_token": {"auth_time": {"essential": True}}}}, {"auth_time": None}, "no auth_time"),
    ],
)  # fmt: skip
def test_a_sign_in_that_is_less_than_was_asked_for(
    provider: Provider,
    configure: Callable[..., None],
    chosen: dict[str, Any],
    claims: dict[str, Any],
    detail: str,
) -> None:
    configure(connection(provider, **chosen))
    provider.claims = claims
    left = leave(provider)
    nobody_came_in(left.arrive(), left, "token_invalid", detail)


@pytest.mark.parametrize(
    ("chosen", "claims"),
    [
        ({"acr_values": "urn:cognito:loa:2"}, {"acr": "urn:cognito:loa:2"}),
        ({"acr_values": "urn:cognito:loa:2"}, {"acr": "urn:cognito:loa:3"}),
        ({"acr_values": "gold silver"}, {"acr": "silver"}),
        ({"claims": {"id_token": {"acr": {"essential": True, "value": "gold"}}}}, {"acr": "gold"}),
        ({"claims": {"id_token": {"acr": None, "auth_time": None}}}, {"auth_time": None}),
        ({"authorize_params": {"max_age": "60"}}, {"auth_time": time.time}),
    ],
)
def test_a_sign_in_that_is_as_it_was_asked_for(
    provider: Provider, configure: Callable[..., None], chosen: dict[str, Any], claims: dict[str, Any]
) -> None:
    configure(connection(provider, **chosen))
    provider.claims = {name: int(value()) if callable(value) else value for name, value in claims.items()}
    left = leave(provider)
    left.arrive()
    assert left.is_signed_in


def test_no_state(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    left = leave(provider)
    nobody_came_in(left.client.get(CALLBACK, {"code": "code-1"}), left, "state_missing")
    nobody_came_in(left.client.get(CALLBACK), left, "state_missing")
    assert "POST /token" not in provider.paths()


@pytest.mark.parametrize(
    "state", ["x", "0" * 32, f"{'0' * 32}.{'a' * 43}", "é", "\x00", "{", "../..", "a" * 4096, "id.mac"]
)
def test_a_state_that_was_never_made_here(provider: Provider, configure: Callable[..., None], state: str) -> None:
    configure(connection(provider))
    left = leave(provider)
    nobody_came_in(left.arrive({"state": state}), left, "state_unknown")
    challenge = ChallengeSession.objects.get()
    nobody_came_in(left.arrive({"state": f"{challenge.pk.hex}.{'a' * 43}"}), left, "state_unknown")
    assert "POST /token" not in provider.paths()


def test_a_state_that_has_been_used(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    provider.claims = {"exp": NOW - 1}
    left = leave(provider)
    left.arrive()
    provider.claims = {}
    provider.expect(left.nonce)
    nobody_came_in(left.arrive(), left, "state_used")
    assert provider.paths().count("POST /token") == 1


def test_a_state_that_is_too_old(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    left = leave(provider)
    ChallengeSession.objects.update(expires_at="2020-01-01T00:00:00Z")
    nobody_came_in(left.arrive(), left, "expired")


def test_a_state_of_another_browser(provider: Provider, configure: Callable[..., None]) -> None:
    """Whoever is made to open the address of somebody else's answer is not signed in as them."""
    configure(connection(provider))
    left = leave(provider)
    victim = leave(provider)
    response = victim.arrive({"state": left.state})
    nobody_came_in(response, victim, "other_browser")
    assert JourneyEvent.objects.latest("pk").attempt.hex == left.state.partition(".")[0]
    # A browser that has asked for nothing is no better off.
    stranger = Left(Client(), left.state, left.nonce)
    stranger.arrive()
    nobody_came_in(stranger.client.get(f"{CALLBACK}?done"), stranger, "no_answer")
    # And the one that asked still can finish.
    provider.expect(left.nonce)
    assert left.arrive().headers["Location"] == "/"


def test_an_answer_that_somebody_else_left_for_a_browser_is_not_taken(
    provider: Provider, configure: Callable[..., None]
) -> None:
    """A cross-site POST of an attacker's own code and state, in the browser of somebody who has started as well."""
    configure(connection(provider, response_mode="form_post"))
    attacker = leave(provider)
    victim = leave(provider)
    Client().post(CALLBACK, {"code": "attacker's", "state": attacker.state})
    nobody_came_in(victim.client.get(f"{CALLBACK}?done"), victim, "no_answer")


def test_an_answer_that_is_sent_twice_is_taken_once(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider, response_mode="form_post"))
    left = leave(provider)
    for code in ("first", "second"):
        assert Client().post(CALLBACK, {"code": code, "state": left.state}).status_code == 303
    left.client.get(f"{CALLBACK}?done")
    assert left.is_signed_in
    assert provider.seen[-2][2]["code"] == "first" or provider.seen[-1][2].get("code") == "first"


def test_a_newer_attempt_of_the_browser_ends_the_older_one(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    old = leave(provider)
    old.client.get("/login/cognito/main/", {"next": "/inbox/"})
    nobody_came_in(old.arrive(), old, "other_browser")


def test_the_answer_of_another_connection(
    provider: Provider, foreign: Provider, configure: Callable[..., None]
) -> None:
    configure(connection(provider), connection(foreign, "other", user_pool_id="eu-west-1_Other0001"))
    left = leave(provider)
    response = left.arrive(url="/login/cognito/other/callback/")
    nobody_came_in(response, left, "other_connection")
    nobody_came_in(left.arrive({"iss": foreign.issuer}), left, "wrong_issuer")
    assert "POST /token" not in provider.paths() + foreign.paths()


def test_a_provider_that_names_itself_must_do_so(provider: Provider, configure: Callable[..., None]) -> None:
    provider.discovery = {"authorization_response_iss_parameter_supported": True}
    configure(connection(provider))
    left = leave(provider)
    nobody_came_in(left.arrive(), left, "wrong_issuer")
    left = leave(provider)
    left.arrive({"iss": provider.issuer})
    assert left.is_signed_in


@pytest.mark.parametrize(
    ("named", "accepted"),
    [
        (f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}", True),
        (f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL}", True),
        (f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL}", True),
        (f"https://issuer-cognito-idp.us-east-2.amazonaws.com/{POOL}", False),
        (f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL}/", False),
        (f"http://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL}", False),
        ("https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001", False),
    ],
)
def test_an_answer_and_a_document_may_name_any_issuer_of_the_pool_and_no_other(
    provider: Provider, configure: Callable[..., None], named: str, accepted: bool
) -> None:
    configure(connection(provider, regions=["us-east-1"]))
    left = leave(provider)
    response = left.arrive({"iss": named})
    assert left.is_signed_in is accepted
    if not accepted:
        nobody_came_in(response, left, "wrong_issuer")
    provider.discovery = {"issuer": named}
    found = connections.find("main")
    assert found
    with nullcontext() if accepted else pytest.raises(CognitoError, match="WrongIssuer"):
        provider_of(found, now=0.0, cache=discovery.DiscoveryCache())


def test_what_one_connection_accepts_is_not_shared_with_another(
    provider: Provider, configure: Callable[..., None]
) -> None:
    """A document is kept for the issuers that it was judged by."""
    provider.discovery = {"issuer": "https://login.example.com"}
    configure(connection(provider, issuers=["https://login.example.com"]), connection(provider, "other"))
    cache = discovery.DiscoveryCache()
    first, second = (found for alias in ("main", "other") if (found := connections.find(alias)))
    assert provider_of(first, now=0.0, cache=cache).token_endpoint
    with pytest.raises(CognitoError, match="WrongIssuer"):
        provider_of(second, now=0.0, cache=cache)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["state", "code", "error", "iss"])
def test_a_repeated_parameter(provider: Provider, configure: Callable[..., None], method: str, name: str) -> None:
    configure(connection(provider))
    left = leave(provider)
    answer = {"code": "code-1", "state": left.state} | {name: ["one", "two"]}
    nobody_came_in(getattr(left.client, method)(CALLBACK, answer), left, "repeated_parameter")
    assert "POST /token" not in provider.paths()


def test_an_oversized_parameter(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    left = leave(provider)
    nobody_came_in(left.arrive({"code": "c" * 5000}), left, "oversized_parameter")


@pytest.mark.parametrize(
    ("error", "cause", "status"),
    [
        ("access_denied", "access_denied", 403),
        ("login_required", "login_required", 403),
        ("temporarily_unavailable", "temporarily_unavailable", 503),
        ("invalid_scope", "invalid_scope", 403),
        ("<img src=x onerror=alert(1)>", "login_error", 403),
        ("x" * 4000, "login_error", 403),
    ],
)
def test_an_error_is_inert(
    provider: Provider, configure: Callable[..., None], error: str, cause: str, status: int
) -> None:
    configure(connection(provider, on_failure="branch", routes=["oidc", "local"]))
    left = leave(provider)
    html = "<script>alert(1)</script>"
    response = left.client.get(
        CALLBACK, {"error": error, "error_description": html, "error_uri": "javascript:alert(1)", "state": left.state}
    )
    assert response.status_code == status
    text = response.content.decode()
    assert "alert(1)" not in text
    assert "xxxx" not in text
    nobody_came_in(response, left, cause)
    # It opened no other door, and the attempt is over.
    assert ChallengeSession.objects.get().outcome == "answered"


def test_an_answer_with_neither_code_nor_error(provider: Provider, configure: Callable[..., None]) -> None:
    configure(connection(provider))
    left = leave(provider)
    nobody_came_in(left.client.get(CALLBACK, {"state": left.state}), left, "no_code")


@pytest.mark.parametrize("document", [{"issuer": "https://evil.example"}, {"token_endpoint": "file:///etc/passwd"}])
def test_a_discovery_document_of_somebody_else(
    provider: Provider, configure: Callable[..., None], document: dict[str, Any]
) -> None:
    provider.discovery = document
    configure(connection(provider))
    assert Client().get("/login/cognito/main/").status_code == 503
    assert JourneyEvent.objects.get().cause == "misconfigured"


def test_a_flood_of_unknown_keys_fetches_the_keys_once(
    provider: Provider, configure: Callable[..., None], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"starts_per_ip": "1000/1h"}}
    reset_documents()
    configure(connection(provider))
    left = leave(provider)
    left.arrive()
    assert provider.paths().count("GET /jwks") == 1
    get_user_model().objects.all().delete()
    MigratedUser.objects.all().delete()
    for number in range(100):
        provider.sign = lambda claims, number=number: signed(claims, kid=f"random-{number}")
        left = leave(provider)
        left.arrive()
        assert not left.is_signed_in
    assert provider.paths().count("GET /jwks") <= 2


def test_a_flood_of_starts_asks_a_silent_provider_once(provider: Provider, configure: Callable[..., None]) -> None:
    reset_documents()
    provider.discovery = {"issuer": "nobody"}
    configure(connection(provider))
    for _ in range(10):
        assert Client().get("/login/cognito/main/").status_code == 503
    assert len(provider.seen) == 1


def test_a_flood_of_strange_answers_writes_no_flood_of_events(
    provider: Provider, configure: Callable[..., None], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"starts_per_ip": "5/1h"}}
    configure(connection(provider))
    for _ in range(20):
        assert Client().get(CALLBACK, {"code": "x", "state": "y"}).status_code in {303, 403}
    assert JourneyEvent.objects.count() <= 5


VARIANTS = ["false", "False", "0", 0, None, "missing", "no", [], {}]


@pytest.mark.parametrize("verified", VARIANTS)
@pytest.mark.parametrize("trust", [False, True])
def test_an_address_that_is_not_verified_links_nobody_and_verifies_nothing(
    provider: Provider, configure: Callable[..., None], make_user: Callable[..., User], verified: Any, trust: bool
) -> None:
    configure(connection(provider, trust_verified=trust))
    provider.claims = {"email_verified": verified, "email": "bob@example.com"}
    if verified == "missing":
        provider.claims = {"email_verified": None, "email": "bob@example.com"}
    left = leave(provider)
    left.arrive()
    assert not EmailAddress.objects.filter(verified=True).exists()
    get_user_model().objects.all().delete()
    MigratedUser.objects.all().delete()
    make_user("bob@example.com")
    left = leave(provider)
    assert left.arrive().headers["Location"] == "/login/code/join/"
    assert not left.is_signed_in
    assert not MigratedUser.objects.exists()


@pytest.mark.parametrize("verified", [True, "true", "True"])
@pytest.mark.parametrize("trust", [False, True])
def test_a_verified_address_counts_only_where_the_connection_says_so(
    provider: Provider, configure: Callable[..., None], make_user: Callable[..., User], verified: Any, trust: bool
) -> None:
    configure(connection(provider, trust_verified=trust))
    bob = make_user("bob@example.com")
    provider.claims = {"email_verified": verified, "email": "bob@example.com"}
    left = leave(provider)
    left.arrive()
    assert left.is_signed_in is trust
    if trust:
        assert left.client.session["_auth_user_id"] == str(bob.pk)


@pytest.mark.parametrize("verified", [*VARIANTS, "true"])
def test_the_same_holds_for_what_user_info_says(
    foreign: Provider, configure: Callable[..., None], make_user: Callable[..., User], verified: Any
) -> None:
    configure(connection(foreign))
    make_user("bob@example.com")
    foreign.claims = {"email": None, "email_verified": None}
    foreign.user_info = {"sub": "6a1b", "email": "bob@example.com", "email_verified": verified}
    left = leave(foreign)
    assert left.arrive().headers["Location"] == "/login/code/join/"
    assert not left.is_signed_in

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from cognito_passwordless.cognito import Connection, ConnectionConfigError

from .conftest import POOL, make_connection

MINIMAL = {"region": "eu-west-1", "user_pool_id": POOL}


def from_settings(**settings: Any) -> Connection:
    return Connection.from_settings("main", "Cognito", "client1", "hush", MINIMAL | settings)


def mistakes(**settings: Any) -> set[str]:
    with pytest.raises(ConnectionConfigError) as caught:
        from_settings(**settings)
    return set(caught.value.mistakes)


def test_the_contract_s_settings_block_is_accepted() -> None:
    connection = from_settings(
        enabled=True,
        domain="https://login.example.com/",
        routes=["otp", "oidc"],
        domains=["Example.com"],
        lookup="try",
        otp_flow="USER_AUTH",
        scope=["openid", "profile", "email"],
        response_mode="form_post",
        callback_url=None,
        acr_values=["urn:cognito:loa:2", "urn:cognito:loa:1"],
        claims={"id_token": {"acr": {"essential": True}}},
        authorize_params={"lang": "de"},
        on_failure="branch",
        trust_verified=False,
        trusted_providers=["Google"],
        also_known_as=["amazon_cognito"],
        regions=[],
        issuers=[],
        retired=False,
        endpoint_url=None,
        issuer=None,
        endpoints={},
    )
    assert connection.routes == ("otp", "oidc")
    assert connection.domains == ("example.com",)
    assert connection.domain == "https://login.example.com"
    assert connection.acr_values == "urn:cognito:loa:2 urn:cognito:loa:1"
    assert dict(connection.claims or {}) == {"id_token": {"acr": {"essential": True}}}


def test_defaults() -> None:
    connection = from_settings()
    assert connection.issuer == f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"
    assert connection.jwks_uri == f"{connection.issuer}/.well-known/jwks.json"
    assert connection.active
    assert connection.is_cognito
    assert connection == make_connection(name="Cognito", client_secret="hush")


@pytest.mark.parametrize(
    ("enabled", "retired", "active"),
    [(True, False, True), (False, False, False), (True, True, False), (False, True, False)],
)
def test_active(enabled: bool, retired: bool, active: bool) -> None:
    assert from_settings(enabled=enabled, retired=retired).active is active


def test_issuer_and_keys_of_another_place() -> None:
    local = from_settings(issuer=f"http://127.0.0.1:9000/{POOL}")
    assert local.jwks_uri == f"http://127.0.0.1:9000/{POOL}/.well-known/jwks.json"
    assert local.is_cognito
    other = from_settings(issuer="https://id.example.com", endpoints={"jwks_uri": "https://id.example.com/keys"})
    assert other.jwks_uri == "https://id.example.com/keys"
    assert not other.is_cognito
    china = Connection.from_settings("cn", "", "c", None, {"region": "cn-north-1", "user_pool_id": "cn-north-1_Abc"})
    assert china.issuer == "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Abc"


def test_every_mistake_is_told_at_once_and_no_value_is() -> None:
    with pytest.raises(ConnectionConfigError) as caught:
        Connection.from_settings("main", "", "", "hush\n", {"routes": ["sms"], "retird": True, "enabled": "false"})
    assert set(caught.value.mistakes) == {
        "client_id", "client_secret", "region", "user_pool_id", "routes", "retird", "enabled",
    }  # fmt: skip
    assert "hush" not in str(caught.value)
    assert "otp, oidc, local" in caught.value.mistakes["routes"]
    assert "retired" in caught.value.mistakes["retird"]
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("enabled", "false"),
        ("enabled", 1),
        ("region", "eu_west_1"),
        ("region", "evil.example.com/eu-west-1"),
        ("user_pool_id", "eu-west-1"),
        ("user_pool_id", "eu-west-1_abc/../x"),
        ("domain", "login.example.com"),
        ("domain", "https://login.example.com/oauth2"),
        ("domain", "http://login.example.com"),
        ("domain", "https://user@login.example.com"),
        ("routes", []),
        ("routes", "otp"),
        ("routes", ["otp", "otp"]),
        ("routes", ["otp", "password"]),
        ("domains", ["@example.com"]),
        ("domains", "example.com"),
        ("domains", ["example.com", "EXAMPLE.com"]),
        ("domains", ["bücher.example"]),
        ("lookup", "ask"),
        ("lookup", ["try"]),
        ("otp_flow", "SRP"),
        ("session_minutes", 2),
        ("session_minutes", 16),
        ("session_minutes", "3"),
        ("session_minutes", 3.5),
        ("session_minutes", True),
        ("session_minutes", None),
        ("scope", ["email"]),
        ("scope", "email profile"),
        ("client_metadata", "no_path"),
        ("client_metadata", ["site.metadata"]),
        ("scope", ["openid", "a b"]),
        ("response_mode", "fragment"),
        ("callback_url", "/callback"),
        ("callback_url", "javascript:alert(1)"),
        ("acr_values", [1]),
        ("acr_values", "   "),
        ("claims", {"access_token": {}}),
        ("claims", "{}"),
        ("authorize_params", {"state": "mine"}),
        ("authorize_params", {"prompt": 1}),
        ("authorize_params", ["prompt"]),
        ("on_failure", "ignore"),
        ("trust_verified", None),
        ("retired", 0),
        ("endpoint_url", "file:///etc/passwd"),
        ("endpoint_url", "http://example.com"),
        ("endpoint_url", "https://example.com:port"),
        ("issuer", "https://example.com/?a=b"),
        ("issuers", "https://example.com"),
        ("issuers", ["http://example.com"]),
        ("issuers", ["https://example.com", "https://example.com"]),
        ("regions", "us-east-1"),
        ("regions", ["us-east"]),
        ("regions", ["evil.example.com/eu-west-1"]),
        ("regions", [None]),
        ("user_pool_id", "pool_abc"),
        ("also_known_as", "amazon_cognito"),
        ("also_known_as", ["amazon cognito"]),
        ("trusted_providers", ["Google", "Google"]),
        ("trusted_providers", [""]),
        ("endpoints", {"jwks": "https://example.com/keys"}),
        ("endpoints", {"jwks_uri": "http://example.com/keys"}),
        ("endpoints", {"jwks_uri": "https://[::1/keys"}),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(key: str, value: Any) -> None:
    assert mistakes(**{key: value}) == {key}


def test_a_scope_may_be_one_string() -> None:
    assert from_settings(scope="openid  email").scope == ("openid", "email")


def test_the_region_is_the_pool_s_or_a_replica_s() -> None:
    assert mistakes(region="us-east-1") == {"region"}
    assert mistakes(region="us-east-1", regions=["us-east-2"]) == {"region"}
    moved = from_settings(region="us-east-1", regions=["us-east-1"])
    assert moved.issuer == f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
    assert moved.pool == from_settings().pool == POOL


def test_a_pool_has_two_issuers_in_each_of_its_regions() -> None:
    types = ("cognito-idp", "issuer-cognito-idp")
    own = {f"https://{name}.eu-west-1.amazonaws.com/{POOL}" for name in types}
    assert from_settings().accepted_issuers == own
    more = own | {f"https://{name}.us-east-1.amazonaws.com/{POOL}" for name in types}
    assert from_settings(regions=["us-east-1"]).accepted_issuers == more
    assert from_settings(regions=["us-east-1"], region="us-east-1").accepted_issuers == more
    named = ["http://127.0.0.1:9000/eu-west-1_x", f"https://login.example.com/{POOL}"]
    assert from_settings(issuer=named[1], issuers=named[:1]).accepted_issuers == {*own, *named}
    assert from_settings(issuer=named[1]).pool == POOL
    china = from_settings(region="cn-north-1", user_pool_id="cn-north-1_Abc")
    assert china.accepted_issuers == {f"https://{name}.cn-north-1.amazonaws.com.cn/cn-north-1_Abc" for name in types}


def test_another_provider_is_its_issuer_and_no_user_pool() -> None:
    other = from_settings(issuer="https://id.example.com", issuers=["https://id.example.com/v2"])
    assert other.pool == "https://id.example.com"
    assert other.accepted_issuers == {"https://id.example.com", "https://id.example.com/v2"}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
        "http://localhost:9000",
        "http://cognito:9000",
        "http://10.1.2.3",
        "http://host.docker.internal:9000",
        "https://cognito.example.com",
    ],
)
def test_plain_http_only_nearby(url: str) -> None:
    assert from_settings(endpoint_url=url).endpoint_url == url


@pytest.mark.parametrize("alias", ["", "a/b", "a b", "..", "x" * 201, None, "-a"])
def test_an_alias_is_part_of_a_url(alias: Any) -> None:
    with pytest.raises(ConnectionConfigError) as caught:
        Connection.from_settings(alias, "", "client1", None, MINIMAL)
    assert set(caught.value.mistakes) == {"alias"}


def test_settings_that_are_no_mapping() -> None:
    with pytest.raises(ConnectionConfigError):
        Connection.from_settings("main", "", "client1", None, ["region"])  # type: ignore[arg-type]


def test_valid_from_birth_and_immutable() -> None:
    connection = make_connection()
    with pytest.raises(ConnectionConfigError):
        make_connection(lookup="ask")
    with pytest.raises(ConnectionConfigError):
        dataclasses.replace(connection, routes=())
    with pytest.raises(dataclasses.FrozenInstanceError):
        connection.enabled = False  # type: ignore[misc]
    params = {"lang": "de"}
    connection = make_connection(authorize_params=params)
    params["state"] = "mine"
    assert dict(connection.authorize_params) == {"lang": "de"}


def test_the_secret_is_not_shown_and_copies_are_equal() -> None:
    connection = make_connection(client_secret="hush", authorize_params={"lang": "de"})
    assert "hush" not in repr(connection)
    assert copy.deepcopy(connection) == connection
    assert pickle.loads(pickle.dumps(connection)) == connection
    assert hash(connection) == hash(copy.copy(connection))

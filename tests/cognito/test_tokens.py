import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from cognito_passwordless.cognito import (
    Cause,
    CognitoError,
    Connection,
    JwksCache,
    verify_id_token,
)

from .conftest import make_connection
from .signing import ISSUER, NOW, claims, jwk, private_key, token


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def cache(*keys: dict[str, Any]) -> JwksCache:
    document = {"keys": list(keys or (jwk("k1"),))}
    return JwksCache(fetch=lambda uri: document)


def verify(id_token: Any, connection: Connection | None = None, **more: Any) -> dict[str, Any]:
    more = {"now": NOW, "jwks": cache(), **more}
    return verify_id_token(connection or make_connection(), id_token, **more)


def reason(id_token: Any, connection: Connection | None = None, **more: Any) -> str:
    with pytest.raises(CognitoError) as caught:
        verify(id_token, connection, **more)
    assert caught.value.cause is Cause.token_invalid
    assert caught.value.__context__ is None
    return caught.value.detail


def test_a_good_token_gives_its_claims() -> None:
    assert verify(token())["sub"] == "6a1b"
    assert verify(token(claims(aud=["client1"])))["sub"] == "6a1b"
    assert verify(token(claims(azp="client1", nonce="n")), nonce="n")["nonce"] == "n"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example.com"}, "wrong issuer"),
        ({"iss": ISSUER + "/"}, "wrong issuer"),
        ({"iss": None}, "wrong issuer"),
        ({"aud": "client2"}, "wrong audience"),
        ({"aud": None}, "wrong audience"),
        ({"aud": ["client1", "client2"]}, "wrong audience"),
        ({"aud": ["client1", "client1"]}, "wrong audience"),
        ({"aud": ["client1", "client2"], "azp": "client1"}, "wrong audience"),
        ({"aud": []}, "wrong audience"),
        ({"aud": {"client1": 1}}, "wrong audience"),
        ({"azp": "client2"}, "wrong authorized party"),
        ({"token_use": "access"}, "not an ID token"),
        ({"token_use": None}, "not an ID token"),
        ({"token_use": "access", "aud": None, "client_id": "client1"}, "wrong audience"),
        ({"exp": NOW}, "expired"),
        ({"exp": NOW - 1}, "expired"),
        ({"exp": None}, "no exp"),
        ({"exp": "never"}, "no exp"),
        ({"exp": True}, "no exp"),
        ({"exp": float("inf")}, "no exp"),
        ({"exp": float("nan")}, "no exp"),
        ({"iat": NOW + 61}, "issued in the future"),
        ({"iat": None}, "no iat"),
        ({"nbf": NOW + 61}, "not valid yet"),
        ({"nbf": "x"}, "no nbf"),
        ({"sub": None}, "no subject"),
        ({"sub": ""}, "no subject"),
        ({"sub": 5}, "no subject"),
        ({"sub": ["6a1b"]}, "no subject"),
        ({"sub": "x" * 256}, "no subject"),
    ],
)
def test_hostile_claims(changes: dict[str, Any], why: str) -> None:
    assert reason(token(claims(**changes))) == why


@pytest.mark.parametrize("allowed", [{"iat": NOW + 60}, {"exp": NOW + 0.5}, {"nbf": NOW}])
def test_clocks_may_differ_a_little(allowed: dict[str, Any]) -> None:
    assert verify(token(claims(**allowed)))


@pytest.mark.parametrize("nonce", [None, "other", 5, "", ["n"]])
def test_a_nonce_that_was_asked_for_must_come_back(nonce: Any) -> None:
    assert reason(token(claims(nonce=nonce)), nonce="n") == "wrong nonce"


def unsigned(header: dict[str, Any], signature: bytes = b"") -> str:
    body = json.dumps(claims()).encode()
    return f"{b64(json.dumps(header).encode())}.{b64(body)}.{b64(signature)}"


def signed_with_the_public_key() -> str:
    secret = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head = unsigned({"alg": "HS256", "typ": "JWT", "kid": "k1"}).rpartition(".")[0]
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(head.encode())
    return f"{head}.{b64(mac.finalize())}"


def signed_with_pss() -> str:
    head = unsigned({"alg": "PS256", "typ": "JWT", "kid": "k1"}).rpartition(".")[0]
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return f"{head}.{b64(private_key().sign(head.encode(), scheme, hashes.SHA256()))}"


def with_other_claims() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{b64(json.dumps(claims(sub='admin')).encode())}.{signature}"


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (unsigned({"alg": "none", "kid": "k1"}), "malformed token, or not RS256"),
        (unsigned({"alg": "None", "kid": "k1"}), "malformed token, or not RS256"),
        (unsigned({"kid": "k1"}), "malformed token, or not RS256"),
        (signed_with_the_public_key(), "malformed token, or not RS256"),
        (signed_with_pss(), "malformed token, or not RS256"),
        (unsigned({"alg": "RS256", "kid": "k1"}), "bad signature"),
        (unsigned({"alg": "RS256", "kid": "k1"}, b"x" * 256), "bad signature"),
        (with_other_claims(), "bad signature"),
        (token(name="second"), "bad signature"),
        (token(kid="k2"), "unknown signing key"),
        (token(kid=""), "no key id"),
        (unsigned({"alg": "RS256"}, b"x" * 256), "no key id"),
        (unsigned({"alg": "RS256", "kid": 5}, b"x"), "malformed token, or not RS256"),
        (unsigned({"alg": "RS256", "kid": "k1", "jwk": jwk("k1", "second")}), "bad signature"),
        ("", "malformed token, or not RS256"),
        ("a.b", "malformed token, or not RS256"),
        ("a.b.c.d.e", "malformed token, or not RS256"),
        ("é.é.é", "malformed token"),
        (None, "malformed token"),
        (b"bytes", "malformed token"),
        (token(claims(padding="x" * 20_000)), "malformed token"),
    ],
)
def test_hostile_tokens(hostile: Any, why: str) -> None:
    assert reason(hostile) == why


@pytest.mark.parametrize("extension", [{"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}])
def test_header_extensions_are_refused(extension: dict[str, Any]) -> None:
    head = {"alg": "RS256", "kid": "k1"} | extension
    # Newer PyJWT does not even read the first one.
    assert reason(unsigned(head, b"x")) in ("header extensions", "malformed token, or not RS256")


@pytest.mark.parametrize("body", [b"[]", b"not json", b"\xff", b"[" * 5_000, b"null", b"5"])
def test_signed_nonsense(body: bytes) -> None:
    sealed = jwt.PyJWS().encode(body, private_key(), algorithm="RS256", headers={"kid": "k1"})
    assert reason(sealed) == "malformed claims"


def test_a_key_id_that_occurs_twice_is_nobody_s() -> None:
    twice = cache(jwk("k1"), jwk("k1", "second"), jwk("k2"))
    assert reason(token(), jwks=twice) == "unknown signing key"
    assert verify(token(kid="k2"), jwks=twice)


def test_the_reason_repeats_nothing_of_the_token() -> None:
    with pytest.raises(CognitoError) as caught:
        verify(token(claims(iss="ann@example.com", sub="ann@example.com")))
    assert "ann" not in str(caught.value)
    assert str(caught.value) == "verify_id_token failed: token_invalid (wrong issuer)"


UPDATED = ISSUER.replace("cognito-idp", "issuer-cognito-idp")


def keys_of(*issuers: str) -> JwksCache:
    """Each issuer has the key of its own place in the list, and nobody else is asked."""
    documents = {f"{issuer}/.well-known/jwks.json": jwk("k1", str(place)) for place, issuer in enumerate(issuers)}
    return JwksCache(fetch=lambda uri: {"keys": [documents[uri]]})


def test_a_token_of_each_issuer_of_the_pool_is_checked_with_that_issuer_s_keys() -> None:
    replica = ISSUER.replace("eu-west-1.", "us-east-1.")
    connection = make_connection(regions=["us-east-1"])
    keys = keys_of(ISSUER, UPDATED, replica)
    for place, issuer in enumerate((ISSUER, UPDATED, replica)):
        assert verify(token(claims(iss=issuer), name=str(place)), connection, jwks=keys)["iss"] == issuer
        other = str((place + 1) % 3)
        assert reason(token(claims(iss=issuer), name=other), connection, jwks=keys) == "bad signature"


@pytest.mark.parametrize(
    "issuer",
    [
        ISSUER.replace("eu-west-1.", "us-east-1."),
        UPDATED.replace("eu-west-1.", "us-east-1."),
        ISSUER.replace("TestPool1", "TestPool2"),
        UPDATED.replace("TestPool1", "testpool1"),
        UPDATED.replace("https:", "http:"),
        UPDATED + "/",
        ISSUER.replace("amazonaws.com", "amazonaws.com.cn"),
        ISSUER.replace("amazonaws.com", "amazonaws.com.evil.example"),
        ISSUER.replace("cognito-idp", "cognito-idp-evil"),
        ISSUER.upper(),
        ISSUER + "#",
        "",
        5,
        [ISSUER],
        {ISSUER: 1},
    ],
)
def test_the_keys_of_a_strange_issuer_are_never_fetched(issuer: Any) -> None:
    asked: list[str] = []
    keys = JwksCache(fetch=lambda uri: asked.append(uri) or {"keys": [jwk("k1")]})  # type: ignore[func-returns-value]
    assert reason(token(claims(iss=issuer)), jwks=keys) == "wrong issuer"
    assert asked == []


def test_a_connection_may_name_the_keys_of_all_its_issuers() -> None:
    keys = "https://keys.example.com/jwks"
    named = make_connection(endpoints={"jwks_uri": keys}, issuers=["https://login.example.com/pool"])
    cache = JwksCache(fetch=lambda uri: {keys: {"keys": [jwk("k1")]}}[uri])
    for issuer in (ISSUER, UPDATED, "https://login.example.com/pool"):
        assert verify(token(claims(iss=issuer)), named, jwks=cache)


def test_where_discovery_says_that_the_keys_are_counts_for_the_issuer_that_was_asked() -> None:
    found = "https://found.example.com/jwks"
    documents = {found: [jwk("k1")], f"{UPDATED}/.well-known/jwks.json": [jwk("k1", "second")]}
    cache = JwksCache(fetch=lambda uri: {"keys": documents[uri]})
    assert verify(token(), jwks=cache, jwks_uri=found)
    assert verify(token(claims(iss=UPDATED), name="second"), jwks=cache, jwks_uri=found)
    other = make_connection(issuer="https://id.example.com", issuers=["https://id.example.com/v2"])
    good = claims(iss="https://id.example.com/v2", token_use=None)
    assert verify(token(good), other, jwks=cache, jwks_uri=found)


def test_another_openid_provider_has_no_token_use() -> None:
    other = make_connection(issuer="https://id.example.com")
    good = claims(iss="https://id.example.com", token_use=None)
    assert verify(token(good), other)
    assert reason(token(good | {"token_use": "access"}), other) == "not an ID token"
    access = token(good, headers={"typ": "at+jwt"})
    assert reason(access, other) == "not an ID token by its type"


def test_keys_that_cannot_be_fetched_are_an_outage_not_a_bad_token() -> None:
    def fetch(uri: str) -> Any:
        raise CognitoError(Cause.timeout, "GET")

    with pytest.raises(CognitoError) as caught:
        verify(token(), jwks=JwksCache(fetch=fetch))
    assert caught.value.cause is Cause.timeout


def test_a_retired_pool_is_not_even_asked_for_its_keys() -> None:
    with pytest.raises(CognitoError) as caught:
        verify(token(), make_connection(retired=True))
    assert caught.value.aws_code == "ConnectionRetired"

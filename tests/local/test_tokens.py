from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.backend.tokens import Signer

from .caller import Caller

ANN, NUMBER = "ann@example.com", "+4915100000123"


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def verified(pool: LocalPool, token: str, issuer: str = "") -> dict[str, Any]:
    keys = jwk.KeySet.import_key_set(fetch(pool.jwks_uri))
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    registry = jwt.JWTClaimsRegistry(iss={"essential": True, "value": issuer or pool.issuer})
    registry.validate(decoded.claims)
    return decoded.claims


def test_the_id_token_says_who_it_is(caller: Caller) -> None:
    sub = caller.pool.add_user(
        ANN,
        phone_number=NUMBER,
        phone_number_verified=False,
        groups=["staff", "editors"],
        attributes={"given_name": "Ann", "custom:shoe": "42"},
    )
    # By another name than the address: `email` must be the attribute, not what was typed.
    claims = verified(caller.pool, caller.sign_in(sub, ANN)["IdToken"])
    assert sorted(claims["cognito:groups"]) == ["editors", "staff"]
    wanted = {
        "sub": sub,
        "cognito:username": sub,
        "aud": caller.pool.client_id,
        "token_use": "id",
        "email": ANN,
        "email_verified": True,
        "phone_number": NUMBER,
        "phone_number_verified": False,
        "given_name": "Ann",
        "custom:shoe": "42",
    }
    assert {name: claims[name] for name in wanted} == wanted
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["auth_time"] == claims["iat"]
    assert abs(claims["iat"] - time.time()) < 60


def test_an_unverified_address_is_a_false_and_not_a_string(caller: Caller) -> None:
    caller.pool.add_user(ANN, email_verified=False)
    claims = verified(caller.pool, caller.sign_in(ANN)["IdToken"])
    assert claims["email_verified"] is False
    assert "phone_number" not in claims
    assert "cognito:groups" not in claims


def test_a_user_name_is_kept_apart_from_the_sub(caller: Caller) -> None:
    sub = caller.pool.add_user(ANN, username="Google_123")
    claims = verified(caller.pool, caller.sign_in(ANN)["IdToken"])
    assert (claims["sub"], claims["cognito:username"]) == (sub, "Google_123")


def test_the_access_token_is_no_id_token(caller: Caller) -> None:
    sub = caller.pool.add_user(ANN, groups=["staff"])
    result = caller.sign_in(ANN)
    claims = verified(caller.pool, result["AccessToken"])
    assert "aud" not in claims
    assert "email" not in claims
    assert claims["client_id"] == caller.pool.client_id
    assert (claims["token_use"], claims["username"]) == ("access", sub)
    assert claims["cognito:groups"] == ["staff"]
    assert caller.boto.get_user(AccessToken=result["AccessToken"])["Username"] == sub


def test_tokens_keep_the_real_time_when_the_clock_is_advanced(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    caller.cognito.advance(100_000)
    claims = verified(caller.pool, caller.sign_in(ANN)["IdToken"])
    assert abs(claims["iat"] - time.time()) < 60


def test_a_refresh_gives_tokens_of_the_same_person(caller: Caller) -> None:
    sub = caller.pool.add_user(ANN)
    refresh = caller.sign_in(ANN)["RefreshToken"]
    answer = caller.boto.initiate_auth(
        AuthFlow="REFRESH_TOKEN_AUTH",
        ClientId=caller.pool.client_id,
        AuthParameters={"REFRESH_TOKEN": refresh, "SECRET_HASH": caller.signed(sub)["SECRET_HASH"]},
    )
    assert verified(caller.pool, answer["AuthenticationResult"]["IdToken"])["sub"] == sub


def test_discovery_names_the_issuer_and_the_keys(pool: LocalPool) -> None:
    document = fetch(f"{pool.issuer}/.well-known/openid-configuration")
    assert document["issuer"] == pool.issuer
    assert document["jwks_uri"] == pool.jwks_uri


def test_tokens_may_name_another_issuer_and_are_signed_with_the_same_key(
    cognito: LocalCognito, caller: Caller
) -> None:
    updated = f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{caller.pool.id}"
    caller.pool.add_user(ANN)
    cognito.issue_as(caller.pool.id, updated)
    token = caller.sign_in(ANN)["IdToken"]
    assert verified(caller.pool, token, updated)["iss"] == updated
    document = fetch(f"{caller.pool.issuer}/.well-known/openid-configuration")
    assert (document["issuer"], document["jwks_uri"]) == (updated, caller.pool.jwks_uri)


@pytest.mark.parametrize("name", ["jwks.json", "openid-configuration"])
def test_a_pool_that_does_not_exist_has_no_documents(cognito: LocalCognito, name: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        fetch(f"{cognito.url}/eu-west-1_Unknown/.well-known/{name}")
    caught.value.close()


def test_only_the_public_half_is_served_under_the_id_of_the_header(caller: Caller) -> None:
    caller.pool.add_user(ANN)
    (key,) = fetch(caller.pool.jwks_uri)["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    header = jwt.decode(caller.sign_in(ANN)["IdToken"], jwk.RSAKey.import_key(key), algorithms=["RS256"]).header
    assert (header["kid"], header["alg"]) == (key["kid"], "RS256")


def test_another_key_does_not_fit(cognito: LocalCognito, caller: Caller) -> None:
    caller.pool.add_user(ANN)
    stranger = jwk.KeySet.import_key_set(json.loads(Signer().jwks()))
    with pytest.raises((JoseError, ValueError)):
        jwt.decode(caller.sign_in(ANN)["IdToken"], stranger, algorithms=["RS256"])

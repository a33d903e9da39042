"""An issuer for tests: keys, JWK sets, tokens."""

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from .conftest import POOL

ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"
NOW = 1_800_000_000.0


def private_key(name: str = "first", bits: int = 2048) -> rsa.RSAPrivateKey:
    return _generated(name, bits)


@cache
def _generated(name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(kid: str, name: str = "first", bits: int = 2048, **more: Any) -> dict[str, Any]:
    public = json.loads(RSAAlgorithm.to_jwk(private_key(name, bits).public_key()))
    return {k: v for k, v in public.items() if k != "key_ops"} | {
        "kid": kid, "use": "sig", "alg": "RS256",
    } | more  # fmt: skip


def claims(**more: Any) -> dict[str, Any]:
    usual = {
        "iss": ISSUER,
        "sub": "6a1b",
        "aud": "client1",
        "token_use": "id",
        "iat": NOW - 1,
        "exp": NOW + 3600,
    }
    return {k: v for k, v in (usual | more).items() if v is not None}


def token(
    payload: dict[str, Any] | None = None,
    *,
    kid: str = "k1",
    name: str = "first",
    headers: dict[str, Any] | None = None,
) -> str:
    # encode() would turn datetimes and check "iss"; PyJWS signs what it is given.
    body = json.dumps(claims() if payload is None else payload).encode()
    key = private_key(name)
    return jwt.PyJWS().encode(body, key, algorithm="RS256", headers={"kid": kid} | (headers or {}))

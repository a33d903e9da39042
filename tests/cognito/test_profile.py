import copy
import dataclasses
import json
import pickle
from typing import Any

import pytest

from cognito_passwordless.cognito import CognitoProfile, PoolUser

from .signing import POOL, claims

FULL = claims(
    **{
        "cognito:username": "u-1",
        "cognito:groups": ["staff", "eu"],
        "cognito:roles": ["arn:aws:iam::1:role/x"],
        "cognito:preferred_role": "arn:aws:iam::1:role/x",
        "email": "ann@example.com",
        "email_verified": "true",
        "phone_number": "+4915112345678",
        "phone_number_verified": True,
        "given_name": "Ann",
        "updated_at": 1700000000,
        "address": {"formatted": "Somewhere 1"},
        "custom:tenant": "acme",
        "identities": [{"providerName": "Google"}],
        "is_superuser": True,
        "event_id": "e",
        "origin_jti": "o",
        "jti": "j",
        "at_hash": "h",
        "auth_time": 1,
        "nonce": "n",
        "middle_name": None,
    }
)
ALL = ("openid", "profile", "email", "phone", "address")


def profile(scope: tuple[str, ...] = ALL, **more: Any) -> CognitoProfile:
    return CognitoProfile.from_claims(FULL | more, pool=POOL, scope=scope)


def test_everything_that_was_asked_for() -> None:
    assert profile().to_dict() == {
        "pool": POOL,
        "sub": "6a1b",
        "username": "u-1",
        "email": "ann@example.com",
        "email_verified": True,
        "phone_number": "+4915112345678",
        "phone_number_verified": True,
        "groups": ["staff", "eu"],
        "attributes": {
            "given_name": "Ann",
            "updated_at": "1700000000",
            "address": '{"formatted": "Somewhere 1"}',
            "custom:tenant": "acme",
        },
        "proven": [],
    }
    assert json.loads(json.dumps(profile().to_dict())) == profile().to_dict()


@pytest.mark.parametrize(
    ("scope", "given"),
    [
        ((), set()),
        (("openid",), set()),
        (("openid", "email"), {"email", "email_verified"}),
        (("openid", "phone"), {"phone_number", "phone_number_verified"}),
        (("openid", "profile"), {"username", "groups", "attributes"}),
        (("openid", "address"), {"attributes"}),
        (("openid", "aws.cognito.signin.user.admin"), set()),
    ],
)
def test_scope_limits_what_enters(scope: tuple[str, ...], given: set[str]) -> None:
    values = profile(scope).to_dict()
    assert {key for key, value in values.items() if value} == {"pool", "sub"} | given


def test_custom_attributes_need_profile() -> None:
    assert set(profile(("openid", "profile")).attributes) == {
        "given_name", "updated_at", "custom:tenant",
    }  # fmt: skip
    assert set(profile(("openid", "address")).attributes) == {"address"}


@pytest.mark.parametrize("value", [True, "true", "True", "TRUE"])
def test_true(value: Any) -> None:
    assert profile(email_verified=value).email_verified is True
    assert profile(phone_number_verified=value).phone_number_verified is True


@pytest.mark.parametrize(
    "value",
    [
        False,
        "false",
        "False",
        "0",
        "1",
        0,
        1,
        None,
        "",
        "yes",
        "on",
        " true",
        [True],
        {"a": 1},
        1.0,
    ],
)
def test_everything_else_is_false(value: Any) -> None:
    assert profile(email_verified=value).email_verified is False
    assert profile(phone_number_verified=value).phone_number_verified is False


def test_a_missing_claim_is_false_and_so_is_one_without_an_address() -> None:
    bare = {k: v for k, v in FULL.items() if k not in ("email_verified", "phone_number")}
    built = CognitoProfile.from_claims(bare, pool=POOL, scope=ALL)
    assert built.email_verified is False
    assert built.phone_number_verified is False


@pytest.mark.parametrize("value", [5, None, ["ann@example.com"], {"a": "b"}, True])
def test_an_address_that_is_no_text_is_none(value: Any) -> None:
    assert profile(email=value).email == ""
    assert profile(email=value).email_verified is False


@pytest.mark.parametrize("value", ["staff", None, 5, {"staff": 1}, [5, None, ""]])
def test_groups_that_are_no_list_of_names_are_none(value: Any) -> None:
    assert profile(**{"cognito:groups": value}).groups == ()


@pytest.mark.parametrize(("pool", "sub"), [("", "1"), (POOL, None)])
def test_nobody_without_pool_and_sub(pool: str, sub: str | None) -> None:
    with pytest.raises(ValueError, match="pool and a sub"):
        CognitoProfile.from_claims({**FULL, "sub": sub}, pool=pool, scope=ALL)


def test_nothing_is_proven_unless_it_is_said() -> None:
    assert profile().proven == frozenset()
    proven = CognitoProfile.from_claims(FULL, pool=POOL, scope=ALL, proven=["ann@example.com"])
    assert proven.proven == {"ann@example.com"}


def test_repr_masks() -> None:
    shown = repr(CognitoProfile.from_claims(FULL, pool=POOL, scope=ALL, proven=["ann@example.com"]))
    for secret in ("ann@example.com", "4915112345678", "Ann", "acme", "Somewhere"):
        assert secret not in shown
    assert "a•••@e•••.com" in shown
    assert "+49•••••78" in shown
    assert "custom:tenant" in shown


def test_frozen_through_and_through() -> None:
    built = profile()
    with pytest.raises(dataclasses.FrozenInstanceError):
        built.email_verified = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        built.attributes["given_name"] = "x"  # type: ignore[index]
    assert pickle.loads(pickle.dumps(built)) == copy.deepcopy(built) == built
    assert hash(built) == hash(profile())


def test_from_the_directory() -> None:
    row = PoolUser(
        sub="6a1b",
        username="u-1",
        email="ann@example.com",
        email_verified=True,
        status="CONFIRMED",
        enabled=True,
        attributes={
            "sub": "6a1b", "email": "ann@example.com", "given_name": "Ann",
            "custom:tenant": "acme", "identities": "[]", "cognito:user_status": "CONFIRMED",
        },
    )  # fmt: skip
    built = CognitoProfile.from_directory(row, POOL)
    assert built.to_dict() == {
        "pool": POOL,
        "sub": "6a1b",
        "username": "u-1",
        "email": "ann@example.com",
        "email_verified": True,
        "phone_number": "",
        "phone_number_verified": False,
        "groups": [],
        "attributes": {"given_name": "Ann", "custom:tenant": "acme"},
        "proven": [],
    }

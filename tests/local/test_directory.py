"""People by all their names, and the directory calls that moto answers."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

from .caller import Caller, boto, refusal

ANN, NUMBER = "ann@example.com", "+4915100000123"


def test_a_person_signs_in_by_address_number_or_sub_in_any_case(caller: Caller) -> None:
    sub = caller.pool.add_user(ANN, phone_number=NUMBER)
    for name in (ANN, "Ann@Example.COM", NUMBER, sub):
        assert caller.sign_in(name, ANN)["IdToken"]


def test_administrators_find_people_by_the_same_names(caller: Caller) -> None:
    sub = caller.pool.add_user(ANN, phone_number=NUMBER)
    for name in (ANN, "Ann@Example.COM", NUMBER, sub):
        found = caller.boto.admin_get_user(UserPoolId=caller.pool.id, Username=name)
        assert found["Username"] == sub


def test_a_person_may_have_a_user_name(caller: Caller) -> None:
    sub = caller.pool.add_user(ANN, username="Google_123")
    assert sub != "Google_123"
    for name in ("google_123", ANN, sub):
        assert caller.sign_in(name, ANN)["IdToken"]


def alias_pool(cognito: LocalCognito) -> tuple[Any, LocalPool]:
    """A pool made by the API, as a client makes one, with an alias beside user names."""
    client = boto(cognito)
    pool = client.create_user_pool(
        PoolName="by name",
        AliasAttributes=["email"],
        Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    )["UserPool"]
    app = client.create_user_pool_client(
        UserPoolId=pool["Id"], ClientName="app", ExplicitAuthFlows=["ALLOW_USER_AUTH"]
    )["UserPoolClient"]
    return client, LocalPool(pool["Id"], app["ClientId"], None, "", None)


@pytest.mark.parametrize("verified", ["true", "false"])
def test_an_alias_works_while_it_is_verified(cognito: LocalCognito, verified: str) -> None:
    client, pool = alias_pool(cognito)
    client.admin_create_user(
        UserPoolId=pool.id,
        Username="ann",
        UserAttributes=[
            {"Name": "email", "Value": ANN},
            {"Name": "email_verified", "Value": verified},
        ],
    )
    client.admin_set_user_password(UserPoolId=pool.id, Username="ann", Password="Correct-1-horse", Permanent=True)
    caller = Caller(cognito, pool)
    assert caller.sign_in("ann", ANN)["IdToken"]
    if verified == "true":
        assert caller.sign_in(ANN)["IdToken"]
    else:
        assert refusal(caller.start, ANN)[0] == "UserNotFoundException"
    assert refusal(caller.start, "ANN")[0] == "UserNotFoundException"


def test_pages_of_sixty_hold_everybody_once(cognito: LocalCognito, pool: LocalPool) -> None:
    subs = {pool.add_user(f"crowd{number}@example.com") for number in range(130)}
    client, listed, sizes, token = boto(cognito), [], [], {}
    while True:
        page = client.list_users(UserPoolId=pool.id, Limit=60, **token)
        listed += [user["Username"] for user in page["Users"]]
        sizes.append(len(page["Users"]))
        if "PaginationToken" not in page:
            break
        token = {"PaginationToken": page["PaginationToken"]}
    assert sizes == [60, 60, 10]
    assert len(listed) == len(set(listed)) == 130
    assert set(listed) == subs


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('email = "ann@example.com"', 1),
        ('email ^= "ann"', 2),
        ('phone_number = "+4915100000123"', 1),
        ('cognito:user_status = "ARCHIVED"', 1),
        ('cognito:user_status = "CONFIRMED"', 2),
        ('status = "Disabled"', 1),
        ('email = "nobody@example.com"', 0),
    ],
)
def test_lists_can_be_filtered(cognito: LocalCognito, pool: LocalPool, query: str, found: int) -> None:
    pool.add_user(ANN, phone_number=NUMBER)
    pool.add_user("anna@example.com", status="ARCHIVED")
    pool.add_user("ben@example.com", enabled=False)
    assert len(boto(cognito).list_users(UserPoolId=pool.id, Filter=query)["Users"]) == found


@pytest.mark.parametrize(
    "status",
    [
        "UNCONFIRMED",
        "CONFIRMED",
        "ARCHIVED",
        "UNKNOWN",
        "RESET_REQUIRED",
        "FORCE_CHANGE_PASSWORD",
        "EXTERNAL_PROVIDER",
    ],
)
def test_every_status_is_listed_as_it_was_set(cognito: LocalCognito, pool: LocalPool, status: str) -> None:
    sub = pool.add_user(ANN, status=status)
    client = boto(cognito)
    assert client.list_users(UserPoolId=pool.id)["Users"][0]["UserStatus"] == status
    assert client.admin_get_user(UserPoolId=pool.id, Username=sub)["UserStatus"] == status


def test_the_pool_and_its_client_describe_themselves(cognito: LocalCognito, pool: LocalPool) -> None:
    client = boto(cognito)
    described = client.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert described["Id"] == pool.id
    assert described["MfaConfiguration"] == "OFF"
    app = client.describe_user_pool_client(UserPoolId=pool.id, ClientId=pool.client_id)["UserPoolClient"]
    assert app["ClientSecret"] == pool.client_secret
    assert app["PreventUserExistenceErrors"] == "ENABLED"
    assert app["AuthSessionValidity"] == 3
    assert "ALLOW_USER_AUTH" in app["ExplicitAuthFlows"]


def test_what_an_administrator_changes_counts_at_once(open_caller: Caller) -> None:
    caller = open_caller
    pool_id, client = caller.pool.id, caller.boto
    client.admin_create_user(
        UserPoolId=pool_id,
        Username=ANN,
        UserAttributes=[{"Name": "email_verified", "Value": "true"}],
    )
    assert caller.start(ANN)["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]
    client.admin_set_user_password(UserPoolId=pool_id, Username=ANN, Password="Correct-1-horse", Permanent=True)
    assert caller.sign_in(ANN)["IdToken"]
    client.admin_reset_user_password(UserPoolId=pool_id, Username=ANN)
    assert refusal(caller.start, ANN)[0] == "PasswordResetRequiredException"
    client.admin_delete_user(UserPoolId=pool_id, Username=ANN)
    assert refusal(caller.start, ANN)[0] == "UserNotFoundException"

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import phonenumbers
import pytest

from cognito_passwordless.local import LocalCognito
from cognito_passwordless.local.seed import KINDS, add_people, fill, people

from .caller import Caller, boto


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    assert list(people(50)) == list(people(50)) == list(people(80))[:50]
    assert list(people(50, seed=2)) != list(people(50))
    assert [one.sub for one in people(3)] == [one.sub for one in people(3)]


def test_everybody_is_somebody_else_and_obviously_nobody() -> None:
    crowd = list(people(1000))
    emails = [one.email for one in crowd if one.email]
    numbers = [one.phone_number for one in crowd if one.phone_number]
    assert len(set(emails)) == len(emails)
    assert len(set(numbers)) == len(numbers)
    assert len({one.sub for one in crowd}) == 1000
    assert {email.rpartition(".")[0].rpartition("@")[2] for email in emails} == {"example"}
    for number in numbers:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))


def test_every_kind_is_there_by_hand_and_in_the_crowd() -> None:
    kinds = Counter(one.kind.name for one in people(300))
    assert [one.kind for one in people(len(KINDS))] == list(KINDS)
    assert min(kinds.values()) > 1
    assert set(kinds) == {kind.name for kind in KINDS}


def test_the_pool_lists_them_as_they_were_invented(cognito: LocalCognito) -> None:
    pool = cognito.create_pool("seeded")
    crowd = fill(pool, 120)
    pages = boto(cognito).get_paginator("list_users").paginate(UserPoolId=pool.id)
    listed = {user["Username"]: user for page in pages for user in page["Users"]}
    assert set(listed) == {one.sub for one in crowd}
    for one in crowd:
        row = listed[one.sub]
        attributes = {entry["Name"]: entry["Value"] for entry in row["Attributes"]}
        assert (row["UserStatus"], row["Enabled"]) == (one.kind.status, one.kind.enabled)
        assert attributes.get("email") == one.email
        assert attributes.get("phone_number") == one.phone_number
        assert attributes["given_name"] == one.given_name
    assert Caller(cognito, pool).sign_in("ann@example.com")["IdToken"]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_people_of_a_file(cognito: LocalCognito, tmp_path: Path, form: str) -> None:
    pool = cognito.create_pool("file")
    password, file = "Correct-Horse-Battery-1", tmp_path / f"people.{form}"
    if form == "json":
        row = {"email": "zoe@example.com", "email_verified": False, "groups": ["staff"], "password": password}
        file.write_text(json.dumps([{**row, "custom:plan": "gold"}]))
    else:
        file.write_text(
            f"email,email_verified,groups,password,custom:plan\nzoe@example.com,false,staff,{password},gold"
        )
    assert add_people(pool, file) == 1
    person = boto(cognito).admin_get_user(UserPoolId=pool.id, Username="zoe@example.com")
    attributes = {row["Name"]: row["Value"] for row in person["UserAttributes"]}
    assert (attributes["custom:plan"], attributes["email_verified"]) == ("gold", "false")
    given = {**Caller(cognito, pool).signed("zoe@example.com"), "PASSWORD": password}
    request = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": pool.client_id, "AuthParameters": given}
    assert boto(cognito).initiate_auth(**request)["AuthenticationResult"]


@pytest.mark.parametrize("text", ["{}", "[1]", "no json", '[{"status": "MERRY"}]'])
def test_a_file_of_something_else_is_refused(cognito: LocalCognito, tmp_path: Path, text: str) -> None:
    file = tmp_path / "people.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"."):
        add_people(cognito.create_pool("file"), file)

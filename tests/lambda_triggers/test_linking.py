"""Linking federated users: only where both sides have proven the same address, and to one user or none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers import pre_sign_up
from cognito_passwordless.lambda_triggers.core.deadline import Deadline
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Unavailable
from cognito_passwordless.lambda_triggers.runtime import Note
from cognito_passwordless.local import LocalCognito

from .rounds import NOW, POOL, UNHURRIED, event
from .standin import Provider, provider

ANN = "ann@example.com"
AWS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
PROVEN = {"email": ANN, "email_verified": "true"}


def user(**changed: Any) -> dict[str, Any]:
    """A user as ListUsers has it."""
    attributes = {"sub": "1", **PROVEN, **changed.pop("attributes", {})}
    rows = [{"Name": name, "Value": value} for name, value in attributes.items()]
    return {"Username": "ann", "Enabled": True, "UserStatus": "CONFIRMED", "Attributes": rows, **changed}


@pytest.fixture
def pool() -> Iterator[Provider]:
    with provider() as running:
        yield running


def arrive(
    pool: Provider,
    *found: dict[str, Any],
    username: str = "Google_123",
    attributes: dict[str, Any] | None = None,
    **environment: str,
) -> str:
    """What the log says of somebody who comes by a provider, where the pool has these users."""
    pool.by_operation = {"ListUsers": json.dumps({"Users": found}).encode()}
    request = {"userAttributes": PROVEN if attributes is None else attributes}
    chosen = {**AWS, "AWS_ENDPOINT_URL": pool.url, "PRE_SIGN_UP_LINK": "true", **environment}
    note = Note()
    answer = pre_sign_up.respond(
        event("PreSignUp_ExternalProvider", request, username=username),
        settings=Settings(chosen),
        now=NOW,
        deadline=Deadline(UNHURRIED),
        note=note,
    )
    # Whatever becomes of it, nothing is confirmed or verified by it.
    assert set(answer["response"].values()) == {False}
    return str(note.details.get("linked", ""))


def test_who_has_proven_the_same_address_is_linked(pool: Provider) -> None:
    assert arrive(pool, user()) == "linked"
    listed, linked = pool.operations
    assert listed == ("ListUsers", {"UserPoolId": POOL, "Filter": f'email = "{ANN}"', "Limit": 3})
    assert linked == (
        "AdminLinkProviderForUser",
        {
            "UserPoolId": POOL,
            "DestinationUser": {"ProviderName": "Cognito", "ProviderAttributeValue": "ann"},
            "SourceUser": {
                "ProviderName": "Google",
                "ProviderAttributeName": "Cognito_Subject",
                "ProviderAttributeValue": "123",
            },
        },
    )


def test_nobody_is_linked_unless_it_is_asked_for(pool: Provider) -> None:
    assert arrive(pool, user(), PRE_SIGN_UP_LINK="false") == ""
    assert pool.asked == []


@pytest.mark.parametrize("flag", ["false", "", "yes", None, 1])
def test_an_address_that_the_provider_does_not_vouch_for_is_not_looked_up(pool: Provider, flag: Any) -> None:
    assert arrive(pool, user(), attributes={"email": ANN, "email_verified": flag}) == "unproven"
    assert arrive(pool, user(), attributes={"email_verified": "true"}) == "unproven"
    assert pool.asked == []


@pytest.mark.parametrize("address", ['x" or email ^= "', "a\\b@example.com"])
def test_an_address_cannot_change_the_question(pool: Provider, address: str) -> None:
    assert arrive(pool, user(), attributes={"email": address, "email_verified": "true"}) == "unusable"
    assert pool.asked == []


@pytest.mark.parametrize("username", ["", "Google", "Google_", "ann"])
def test_a_name_that_is_no_federated_one_is_left_alone(pool: Provider, username: str) -> None:
    assert arrive(pool, user(), username=username) == "unusable"
    assert pool.asked == []


@pytest.mark.parametrize(
    ("username", "provider_name", "subject"),
    [("google_1", "Google", "1"), ("SignInWithApple_a.b_c", "SignInWithApple", "a.b_c"), ("okta_9", "okta", "9")],
)
def test_social_providers_are_called_by_their_names(
    pool: Provider, username: str, provider_name: str, subject: str
) -> None:
    assert arrive(pool, user(), username=username) == "linked"
    source = pool.operations[-1][1]["SourceUser"]
    assert (source["ProviderName"], source["ProviderAttributeValue"]) == (provider_name, subject)


@pytest.mark.parametrize(
    "found",
    [
        [],
        [user(), user(Username="other")],
        [user(Enabled=False)],
        [user(UserStatus="EXTERNAL_PROVIDER")],
        [user(UserStatus="UNCONFIRMED")],
        [user(UserStatus="ARCHIVED")],
        [user(attributes={"email_verified": "false"})],
        [user(attributes={"email": "somebody.else@example.com"})],
        [user(Attributes=None)],
        ["not a user"],
    ],
)
def test_anything_but_one_user_who_has_proven_it_is_nobody(pool: Provider, found: list[Any]) -> None:
    assert arrive(pool, *found) == "no_match"
    assert [name for name, _ in pool.operations] == ["ListUsers"]


def test_a_pool_that_does_not_answer_refuses(pool: Provider) -> None:
    pool.status = 500
    with pytest.raises(Unavailable, match="cognito-idp"):
        arrive(pool, user())


def test_the_question_is_one_that_a_pool_understands(cognito: LocalCognito) -> None:
    """Found by moto's own filter, then refused by moto, which cannot link."""
    made = cognito.create_pool("linking")
    made.add_user(ANN)
    asked = {**event("PreSignUp_ExternalProvider", {"userAttributes": PROVEN}), "userPoolId": made.id}
    settings = Settings({**AWS, "AWS_ENDPOINT_URL": cognito.url, "PRE_SIGN_UP_LINK": "true"})
    with pytest.raises(Unavailable):
        pre_sign_up.respond(
            {**asked, "userName": "Google_1"}, settings=settings, now=NOW, deadline=Deadline(UNHURRIED), note=Note()
        )
    assert [call.operation for call in cognito.calls[-2:]] == ["ListUsers", "AdminLinkProviderForUser"]

"""People whom the pool does not have yet, fetched by the migration trigger while they sign in."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_passwordless.lambda_triggers import user_migration
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.runtime import run
from cognito_passwordless.local import LocalCognito

from .caller import Caller, refusal
from .test_custom import ANN
from .test_lifecycle import payload

PASSWORD, NEW = "Correct-Horse-Battery-1", "Another-Horse-Battery-2"
FOUND = {"found": True, "attributes": {"email": ANN, "given_name": "Ann"}, "verified": ["email"]}
INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")


class Site:
    """Django's answers, by password; ``more`` goes over what it says of the user."""

    def __init__(self, **more: Any) -> None:
        self.more = more
        self.asked: list[dict[str, Any]] = []

    def __call__(self, question: str, payload: Any, **_: Any) -> dict[str, Any]:
        self.asked.append(dict(payload))
        known = payload.get("password", PASSWORD) == PASSWORD and payload["username"] == ANN
        return {**FOUND, **self.more} if known else {"found": False}


@pytest.fixture
def caller(cognito: LocalCognito) -> Caller:
    return Caller(cognito, cognito.create_pool("migration", client_secret=False, flows=["ALLOW_USER_PASSWORD_AUTH"]))


def migrate_from(caller: Caller, site: Site) -> None:
    def handler(event: dict[str, Any], context: object) -> Any:
        def respond(asked: object, **parts: Any) -> dict[str, Any]:
            return user_migration.respond(asked, **parts, ask=site)

        return run("user_migration", respond, event, context, settings=Settings({}), write=lambda line: None)

    caller.cognito.attach_triggers(caller.pool, {"UserMigration": handler})


def sign_in(caller: Caller, password: str = PASSWORD, username: str = ANN) -> Any:
    return caller.boto.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=caller.pool.client_id,
        AuthParameters={"USERNAME": username, "PASSWORD": password},
        ClientMetadata={"from": "the client"},
    )


def test_the_right_password_brings_a_user_and_signs_in(caller: Caller) -> None:
    site = Site()
    migrate_from(caller, site)
    token = payload(sign_in(caller)["AuthenticationResult"]["IdToken"])
    assert (token["email"], token["email_verified"], token["given_name"]) == (ANN, True, "Ann")
    # The next sign-in asks nobody.
    sign_in(caller)
    assert len(site.asked) == 1


def test_the_event_is_as_in_the_cloud(caller: Caller) -> None:
    migrate_from(caller, Site())
    sign_in(caller)
    event = next(e for name, e in reversed(caller.cognito.triggers.calls()) if name == "UserMigration")
    assert event["userName"] == ANN
    assert event["request"] == {
        "userAttributes": None,
        "password": PASSWORD,
        "validationData": {"from": "the client"},
    }
    assert set(event["response"].values()) == {None}


@pytest.mark.parametrize(("password", "username"), [("wrong", ANN), (PASSWORD, "nobody@example.com")])
def test_whoever_django_does_not_know_stays_unknown(caller: Caller, password: str, username: str) -> None:
    migrate_from(caller, Site())
    assert refusal(sign_in, caller, password, username) == INCORRECT
    assert caller.boto.list_users(UserPoolId=caller.pool.id)["Users"] == []


def test_a_forgotten_password_brings_a_user_too(caller: Caller) -> None:
    site = Site()
    migrate_from(caller, site)
    caller.boto.forgot_password(ClientId=caller.pool.client_id, Username=ANN)
    assert "password" not in site.asked[0]
    caller.boto.confirm_forgot_password(
        ClientId=caller.pool.client_id,
        Username=ANN,
        ConfirmationCode=caller.cognito.last_code(ANN),
        Password=NEW,
    )
    assert "AuthenticationResult" in sign_in(caller, NEW)


def test_a_status_may_ask_for_a_new_password(caller: Caller) -> None:
    migrate_from(caller, Site(finalUserStatus="FORCE_CHANGE_PASSWORD"))
    assert sign_in(caller)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


@pytest.mark.parametrize(
    "response", [{"userAttributes": None}, {"userAttributes": {"email": 5}}, {"finalUserStatus": "GONE"}]
)
def test_an_answer_that_cognito_would_not_take_is_refused(caller: Caller, response: dict[str, Any]) -> None:
    def handler(event: dict[str, Any], context: object) -> Any:
        return {**event, "response": {"userAttributes": {"email": ANN}, **response}}

    caller.cognito.attach_triggers(caller.pool, {"UserMigration": handler})
    assert refusal(sign_in, caller)[0] == "InvalidLambdaResponseException"


def test_a_sign_in_by_code_never_migrates(cognito: LocalCognito) -> None:
    caller, site = Caller(cognito, cognito.create_pool("codes", client_secret=False)), Site()
    migrate_from(caller, site)
    caller.start(ANN)
    assert site.asked == []


def test_nobody_is_told_who_has_forgotten_a_password(caller: Caller) -> None:
    told = caller.boto.forgot_password(ClientId=caller.pool.client_id, Username="nobody@example.com")
    assert told["CodeDeliveryDetails"]["Destination"] == "n***@e***"
    assert caller.cognito.last_code("nobody@example.com") is None

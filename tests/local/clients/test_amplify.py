"""aws-amplify, unmodified, at a pool without triggers: passwords, codes, sign-up, refresh and sign-out."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool
from tests.lambda_triggers.with_tools.web import modules
from tests.node import Conversation, conversation

from ..caller import boto

ANN, PASSWORD = "ann@example.com", "Correct-Horse-Battery-1"
INCORRECT = {"error": "NotAuthorizedException", "message": "Incorrect username or password."}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    directory = tmp_path_factory.mktemp("amplify")
    (directory / "node_modules").symlink_to(modules())
    yield from conversation(Path(shutil.copy(Path(__file__).with_name("amplify.mjs"), directory)))


@pytest.fixture
def pool(cognito: LocalCognito) -> LocalPool:
    return cognito.create_pool("amplify", client_secret=False)


@pytest.fixture
def page(cognito: LocalCognito, pool: LocalPool, script: Conversation) -> Conversation:
    script("signOut")
    script("configure", {"url": cognito.url, "user_pool_id": pool.id, "client_id": pool.client_id})
    return script


@pytest.fixture
def ann(cognito: LocalCognito, pool: LocalPool) -> str:
    sub = pool.add_user(ANN)
    request = {"UserPoolId": pool.id, "Username": ANN, "Password": PASSWORD, "Permanent": True}
    boto(cognito).admin_set_user_password(**request)
    return sub


def signed_in(page: Conversation, **options: Any) -> Any:
    password = options.pop("password", PASSWORD)
    return page("signIn", {"username": ANN, "password": password, "options": options})


FLOWS: list[dict[str, str]] = [
    {"authFlowType": "USER_SRP_AUTH"},
    {"authFlowType": "USER_PASSWORD_AUTH"},
    {"authFlowType": "USER_AUTH", "preferredChallenge": "PASSWORD_SRP"},
    {"authFlowType": "USER_AUTH", "preferredChallenge": "PASSWORD"},
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: " ".join(flow.values()))
def test_a_right_password_signs_in_and_a_wrong_one_does_not(
    page: Conversation, ann: str, flow: dict[str, str]
) -> None:
    assert signed_in(page, password="Wrong-Horse-Battery-1", **flow) == INCORRECT
    assert signed_in(page, **flow)["isSignedIn"] is True
    assert page("tokens", False)["id"]["sub"] == ann


def test_a_code_by_user_auth(page: Conversation, ann: str, cognito: LocalCognito) -> None:
    begun = page(
        "signIn", {"username": ANN, "options": {"authFlowType": "USER_AUTH", "preferredChallenge": "EMAIL_OTP"}}
    )
    assert begun["nextStep"]["signInStep"] == "CONFIRM_SIGN_IN_WITH_EMAIL_CODE"
    assert page("confirmSignIn", {"challengeResponse": cognito.last_code(ANN)})["isSignedIn"] is True


def test_sign_up_without_a_password_and_auto_sign_in(page: Conversation, cognito: LocalCognito) -> None:
    options = {"userAttributes": {"email": ANN}, "autoSignIn": {"authFlowType": "USER_AUTH"}}
    begun = page("signUp", {"username": ANN, "options": options})
    assert begun["nextStep"]["signUpStep"] == "CONFIRM_SIGN_UP"
    done = page("confirmSignUp", {"username": ANN, "confirmationCode": cognito.last_code(ANN)})
    assert done["nextStep"]["signUpStep"] == "COMPLETE_AUTO_SIGN_IN"
    assert page("autoSignIn") == {"isSignedIn": True, "nextStep": {"signInStep": "DONE"}}
    assert page("tokens", False)["id"]["email"] == ANN


def test_tokens_are_refreshed(page: Conversation, ann: str) -> None:
    signed_in(page)
    before, after = page("tokens", False), page("tokens", True)
    assert after["access"] != before["access"]
    assert after["id"]["sub"] == ann
    assert after["id"]["auth_time"] == before["id"]["auth_time"]


@pytest.mark.parametrize("everywhere", [True, False])
def test_after_a_sign_out_the_tokens_are_revoked(
    page: Conversation, ann: str, cognito: LocalCognito, everywhere: bool
) -> None:
    signed_in(page)
    access = page("tokens", False)["access"]
    assert boto(cognito).get_user(AccessToken=access)["Username"] == ann
    page("signOut", {"global": everywhere})
    with pytest.raises(boto(cognito).exceptions.NotAuthorizedException, match="revoked"):
        boto(cognito).get_user(AccessToken=access)
    assert page("tokens", False) is None

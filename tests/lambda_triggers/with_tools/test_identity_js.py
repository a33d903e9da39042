"""amazon-cognito-identity-js, unmodified, against the local Cognito with our triggers."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from cognito_passwordless.local import LocalCognito
from tests.node import Conversation, conversation, installed

from ..aws import IDENTITY
from .talk import ANN, INCORRECT, PASSWORD, Talk

PACKAGE = "amazon-cognito-identity-js@6.3.21"


@pytest.fixture(scope="module")
def cognito() -> Iterator[LocalCognito]:
    with LocalCognito() as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    directory = tmp_path_factory.mktemp("identity")
    (directory / "node_modules").symlink_to(installed(PACKAGE) / "node_modules")
    script = shutil.copy(Path(__file__).with_name("identity.mjs"), directory)
    yield from conversation(Path(script))


@pytest.fixture
def talk(cognito: LocalCognito, page: Conversation) -> Callable[..., Talk]:
    return lambda **environment: Talk.at_a_new_pool(cognito, page, **environment)


def test_right_at_first(talk: Callable[..., Talk]) -> None:
    it = talk()
    sub = it.pool.add_user(ANN)
    begun = it.begin()
    assert (begun["signedIn"], begun["message"], begun["destination"]) == (False, "code_sent", "a***@e***")
    assert it.answer(it.code) == {"signedIn": True}
    assert it.page("claims")["sub"] == sub


def test_wrong_then_right(talk: Callable[..., Talk]) -> None:
    it = talk()
    it.pool.add_user(ANN)
    it.begin()
    assert it.answer(it.wrong)["attemptsLeft"] == "2"
    assert it.answer(it.code) == {"signedIn": True}


def test_wrong_to_the_end(talk: Callable[..., Talk]) -> None:
    it = talk()
    it.pool.add_user(ANN)
    it.begin()
    right, wrong = it.code, it.wrong
    assert [it.answer(wrong).get("attemptsLeft") for _ in range(2)] == ["2", "1"]
    assert it.answer(wrong) == INCORRECT
    assert it.answer(right)["error"] == "NotAuthorizedException"


def test_resend(talk: Callable[..., Talk], cognito: LocalCognito) -> None:
    it = talk(OTP_ON_RESEND="rotate")
    it.pool.add_user(ANN)
    it.begin()
    first = it.code
    cognito.advance(31)
    assert it.page("resend")["message"] == "code_resent"
    assert it.code != first
    assert it.answer(it.code) == {"signedIn": True}


def test_unknown_people(talk: Callable[..., Talk]) -> None:
    it = talk()
    shown = it.begin("nobody@example.com")
    assert (shown["signedIn"], shown["message"]) == (False, "code_sent")
    assert [it.answer("000000").get("attemptsLeft") for _ in range(2)] == ["2", "1"]
    assert it.answer("000000") == INCORRECT
    assert it.sent == 0


class TestPasswordFirst:
    """By SRP: the password never leaves the client."""

    @pytest.fixture
    def it(self, talk: Callable[..., Talk]) -> Talk:
        made = talk(OTP_FIRST_FACTOR="password")
        made.pool.add_user(ANN)
        client = boto3.client("cognito-idp", endpoint_url=made.cognito.url, **IDENTITY)
        client.admin_set_user_password(UserPoolId=made.pool.id, Username=ANN, Password=PASSWORD, Permanent=True)
        return made

    def test_right(self, it: Talk) -> None:
        assert it.begin(ANN, PASSWORD)["message"] == "code_sent"
        assert it.answer(it.wrong)["attemptsLeft"] == "2"
        assert it.answer(it.code) == {"signedIn": True}

    def test_wrong(self, it: Talk) -> None:
        assert it.begin(ANN, "wrong") == INCORRECT
        assert it.sent == 0

    def test_left_out(self, it: Talk) -> None:
        assert it.begin() == INCORRECT
        assert it.sent == 0

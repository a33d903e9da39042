"""aws-amplify, unmodified, against the local Cognito with our triggers: every conversation that a sign-in can be."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from cognito_passwordless.local import LocalCognito
from tests.node import Conversation, conversation

from ..aws import IDENTITY, limits_table, moto_server
from .talk import ANN, INCORRECT, PASSWORD, Talk
from .web import WEB, modules


@pytest.fixture(scope="module")
def cognito() -> Iterator[LocalCognito]:
    with LocalCognito() as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    directory = tmp_path_factory.mktemp("page")
    (directory / "node_modules").symlink_to(modules())
    (directory / "package.json").write_text('{"type": "module"}')
    shutil.copy(WEB / "flow.js", directory)
    script = shutil.copy(Path(__file__).with_name("amplify.mjs"), directory)
    yield from conversation(Path(script))


@pytest.fixture
def talk(cognito: LocalCognito, page: Conversation) -> Callable[..., Talk]:
    return lambda **environment: Talk.at_a_new_pool(cognito, page, **environment)


def test_right_at_first(talk: Callable[..., Talk]) -> None:
    it = talk()
    sub = it.pool.add_user(ANN)
    begun = it.begin()
    assert (begun["signedIn"], begun["message"], begun["destination"]) == (False, "code_sent", "a***@e***")
    assert it.answer(it.code)["signedIn"] is True
    assert it.page("claims")["sub"] == sub


def test_wrong_then_right(talk: Callable[..., Talk]) -> None:
    it = talk()
    it.pool.add_user(ANN)
    it.begin()
    assert it.answer(it.wrong)["attemptsLeft"] == "2"
    assert it.answer(it.code)["signedIn"] is True


def test_wrong_to_the_end(talk: Callable[..., Talk]) -> None:
    it = talk()
    it.pool.add_user(ANN)
    it.begin()
    wrong = it.wrong
    assert [it.answer(wrong).get("attemptsLeft") for _ in range(2)] == ["2", "1"]
    assert it.answer(wrong) == INCORRECT


def test_resend(talk: Callable[..., Talk], cognito: LocalCognito) -> None:
    it = talk(OTP_ON_RESEND="rotate")
    it.pool.add_user(ANN)
    it.begin()
    first = it.code
    cognito.advance(31)
    assert it.page("resend")["message"] == "code_resent"
    assert it.code != first
    assert it.answer(it.code)["signedIn"] is True


def test_expiry(talk: Callable[..., Talk], cognito: LocalCognito) -> None:
    it = talk(OTP_TTL="60")
    it.pool.add_user(ANN)
    it.begin()
    cognito.advance(61)
    assert it.answer(it.code) == INCORRECT


def test_unknown_people(talk: Callable[..., Talk]) -> None:
    it = talk()
    shown = it.begin("nobody@example.com")
    assert (shown["signedIn"], shown["message"]) == (False, "code_sent")
    assert [it.answer("000000").get("attemptsLeft") for _ in range(2)] == ["2", "1"]
    assert it.answer("000000") == INCORRECT
    assert it.sent == 0


class TestPasswordFirst:
    @pytest.fixture
    def it(self, talk: Callable[..., Talk]) -> Talk:
        made = talk(OTP_FIRST_FACTOR="password")
        made.pool.add_user(ANN)
        client = boto3.client("cognito-idp", endpoint_url=made.cognito.url, **IDENTITY)
        client.admin_set_user_password(UserPoolId=made.pool.id, Username=ANN, Password=PASSWORD, Permanent=True)
        return made

    def test_right(self, it: Talk) -> None:
        assert it.begin(ANN, PASSWORD)["message"] == "code_sent"
        assert it.answer(it.code)["signedIn"] is True

    def test_wrong(self, it: Talk) -> None:
        assert it.begin(ANN, "wrong") == INCORRECT
        assert it.sent == 0

    def test_left_out(self, it: Talk) -> None:
        assert it.begin() == INCORRECT
        assert it.sent == 0


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, str]]:
    with moto_server() as url, limits_table(url) as environment:
        yield {**environment, "LIMITS_FAILURES": "6/1h"}


@pytest.mark.parametrize("with_table", [False, True])
def test_a_restart_evades_the_limits_only_without_the_table(
    talk: Callable[..., Talk], table: dict[str, str], with_table: bool
) -> None:
    it = talk(**(table if with_table else {}))
    it.pool.add_user(ANN)
    for _ in range(2):
        it.begin()
        wrong = it.wrong
        assert [it.answer(wrong).get("attemptsLeft") for _ in range(3)] == ["2", "1", None]
    it.begin()
    assert it.answer(it.code)["signedIn"] is not with_table

"""Counts across sign-ins, on moto's DynamoDB."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import pytest
from moto.dynamodb.models import DynamoDBBackend

from cognito_passwordless.lambda_triggers.aws.dynamodb import Table
from cognito_passwordless.lambda_triggers.challenge import limits
from cognito_passwordless.lambda_triggers.challenge.limits import limits_of
from cognito_passwordless.lambda_triggers.core.deadline import BUDGET, Deadline
from cognito_passwordless.lambda_triggers.core.environment import Limit, Settings
from cognito_passwordless.lambda_triggers.errors import Unavailable
from cognito_passwordless.otp import Policy

from .aws import AWS, IDENTITY, limits_table, moto_server
from .rounds import COGNITO_WAITS, NOW, UNHURRIED, Post, SignIn, code_in, other_than
from .standin import hanging


@pytest.fixture(scope="module", autouse=True)
def _writes_are_atomic() -> Iterator[None]:
    """In DynamoDB a conditional write is one step. In moto the condition is read first and the row written later, and
    two requests at once can both find room."""
    lock, update = threading.Lock(), DynamoDBBackend.update_item

    def one_at_a_time(backend: Any, *args: Any, **kwargs: Any) -> Any:
        with lock:
            return update(backend, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoDBBackend, "update_item", one_at_a_time)
        yield


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def table(moto: str) -> Iterator[dict[str, str]]:
    with limits_table(moto) as environment:
        yield environment


@pytest.fixture
def rows(moto: str) -> Callable[[], list[dict[str, Any]]]:
    client = boto3.client("dynamodb", endpoint_url=moto, **IDENTITY)
    return lambda: client.scan(TableName="limits")["Items"]


def guess_wrong(post: Post, now: float, **environment: str) -> SignIn:
    sign_in = SignIn(post, now=now, **environment).start()
    wrong = other_than(post.code)
    while not sign_in.outcome:
        sign_in.answer(wrong)
    return sign_in


def test_without_the_table_a_restart_begins_anew(post: Post) -> None:
    for number in range(5):
        guess_wrong(post, NOW + 60 * number)
    assert SignIn(post, now=NOW + 400).start().answer(post.code) == "tokens"


def test_with_the_table_a_restart_evades_nothing(post: Post, table: dict[str, str]) -> None:
    table["LIMITS_FAILURES"] = "5/1h"
    for number in range(2):
        guess_wrong(post, NOW + 60 * number, **table)
    later = SignIn(post, now=NOW + 400, **table).start()
    assert later.answer(post.code) == ""
    after_the_window = SignIn(post, now=NOW + 3700, **table).start()
    assert after_the_window.answer(post.code) == "tokens"


def test_a_right_answer_forgets_the_failures(post: Post, table: dict[str, str]) -> None:
    table["LIMITS_FAILURES"] = "3/1h"
    for number in range(3):
        sign_in = SignIn(post, now=NOW + 60 * number, **table).start()
        sign_in.answer(other_than(post.code))
        assert sign_in.answer(post.code) == "tokens"


def test_sends_are_counted_across_sign_ins_for_unknown_people_too(post: Post, table: dict[str, str]) -> None:
    table["LIMITS_SENDS"] = "2/1h"
    for unknown in (False, True):
        name = f"name-{unknown}"
        shown = [
            SignIn(post, now=NOW + 60 * n, unknown=unknown, username=name, **table).start().public["message"]
            for n in range(3)
        ]
        assert shown == ["code_sent", "code_sent", "send_limit"]
    assert len(post.messages) == 2


def test_a_repeat_gets_the_same_code_in_any_instance(post: Post, table: dict[str, str]) -> None:
    for delay in (0, 15, 29):
        limits._begun.clear()
        SignIn(post, now=NOW + delay, **table).start()
    assert len({code_in(message) for message in post.messages}) == 1


def test_after_a_right_answer_the_next_code_is_another(post: Post, table: dict[str, str]) -> None:
    assert SignIn(post, **table).start().answer(post.code) == "tokens"
    SignIn(post, now=NOW + 1, **table).start()
    assert code_in(post.messages[0]) != code_in(post.messages[1])


def test_the_table_holds_no_name_and_no_code(
    post: Post, table: dict[str, str], rows: Callable[[], list[dict[str, Any]]]
) -> None:
    sign_in = SignIn(post, username="ann@example.com", **table).start()
    sign_in.answer(other_than(post.code))
    found = str(rows())
    assert {row["pk"]["S"][:2] for row in rows()} == {"f#", "s#", "c#", "r#"}
    assert "ann" not in found
    assert post.code not in found
    assert sign_in.attributes["phone_number"] not in found


def test_answers_at_once_are_compared_as_often_as_allowed(table: dict[str, str]) -> None:
    settings, policy, granted = Settings(table), Policy(), []

    def claim() -> None:
        granted.append(limits_of(settings, Deadline(UNHURRIED)).claim_attempt("owner", "nonce", policy, NOW))

    threads = [threading.Thread(target=claim) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == policy.max_attempts
    assert len(granted) == 24


class Turns:
    """Lets calls of several threads through one at a time, in an order that is given."""

    def __init__(self, order: Sequence[int]) -> None:
        self._left = list(order)
        self._moved = threading.Condition()

    def wait(self, number: int) -> None:
        """Until it is the turn of ``number``; a turn that was planned too many is passed over by `leave`."""
        with self._moved:
            assert self._moved.wait_for(lambda: not self._left or self._left[0] == number, 20)

    def done(self) -> None:
        with self._moved:
            del self._left[:1]
            self._moved.notify_all()

    def leave(self, number: int) -> None:
        with self._moved:
            self._left = [turn for turn in self._left if turn != number]
            self._moved.notify_all()


class TurningTable(Table):
    """A table whose calls wait for their turn, so that a test chooses how two requests interleave."""

    def __init__(self, settings: Settings, turns: Turns, number: int) -> None:
        super().__init__(settings, Deadline(UNHURRIED))
        self._turns = turns
        self._number = number

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        self._turns.wait(self._number)
        try:
            return super().call(operation, **parameters)
        finally:
            self._turns.done()


# Every order of two calls each: the count, and the second call where a window is over.
ORDERS = [*sorted(set(itertools.permutations((0, 0, 1, 1)))), (0, 1) * 4, (1, 0) * 4, (0, 1, 1, 0) * 2]


@pytest.mark.parametrize("before", ["nothing", "one left", "none left", "a window that is over"])
def test_no_order_of_two_requests_grants_more_than_the_limit(table: dict[str, str], before: str) -> None:
    """Every answer is compared at most as often as it may be, however the calls behind two of them interleave."""
    settings, limit = Settings(table), Limit(count=2, window=600)
    room = {"nothing": 2, "one left": 1, "none left": 0, "a window that is over": 2}[before]
    for run, order in enumerate(ORDERS):
        key, plain = f"f#{run}", Table(settings, Deadline(UNHURRIED))
        for _ in range({"one left": 1, "none left": 2, "a window that is over": 2}.get(before, 0)):
            assert plain.count(key, limit, NOW - (900 if before == "a window that is over" else 0))
        turns, granted = Turns(order), []

        def claim(number: int, key: str = key, turns: Turns = turns, granted: list[bool] = granted) -> None:
            # The second function's clock is a little ahead.
            granted.append(TurningTable(settings, turns, number).count(key, limit, NOW + number))
            turns.leave(number)

        threads = [threading.Thread(target=claim, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        granted += [plain.count(key, limit, NOW + 2) for _ in range(3)]
        assert sum(granted) == room, order


class TestWhenTheTableIsDown:
    """Closed: nothing is compared, and nothing is sent."""

    @pytest.fixture(params=["refuses", "hangs"])
    def down(self, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
        if request.param == "refuses":
            yield {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "LIMITS_TABLE": "limits"}
            return
        with hanging() as address:
            yield {**AWS, "AWS_ENDPOINT_URL": address, "LIMITS_TABLE": "limits"}

    def test_create_sends_nothing_and_says_so(self, post: Post, down: dict[str, str]) -> None:
        began = time.monotonic()
        sign_in = SignIn(post, seconds=BUDGET, **down).start()
        assert (sign_in.public["message"], post.messages) == ("send_failed", [])
        assert time.monotonic() - began < COGNITO_WAITS

    def test_verify_compares_nothing(self, post: Post, down: dict[str, str]) -> None:
        sign_in = SignIn(post, seconds=BUDGET).start()
        sign_in.settings = Settings({**down, "OTP_SECRET": sign_in.settings.text("OTP_SECRET")})
        began = time.monotonic()
        with pytest.raises(Unavailable):
            sign_in.answer(post.code)
        assert time.monotonic() - began < COGNITO_WAITS

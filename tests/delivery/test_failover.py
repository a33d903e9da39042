import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from cognito_passwordless.delivery import Closed, Failure, Message, SendFailed, Sent, deliver

OTHER = f"{__name__}.Second"
FIRST = f"{__name__}.First"


class First:
    """A sender whose fate the test decides; it notes whom it was given."""

    failure: ClassVar[Exception | None] = None
    given: ClassVar[list[tuple[str, str]]] = []
    rate: ClassVar[str | None] = None

    def __init__(self, name: str = "first") -> None:
        self.name = name

    def send(self, message: Message) -> str:
        self.given.append((type(self).__name__, message.text))
        if self.failure:
            raise self.failure
        return f"{self.name}-id"


class Second(First):
    failure: ClassVar[Exception | None] = None
    rate = "5/1s"


class Gate:
    """Notes who passes, and closes after so many."""

    def __init__(self, most: int = 10) -> None:
        self.passed: list[tuple[str, str | None]] = []
        self.losses = 0
        self.most = most

    def enter(self, key: str, rate: str | None) -> None:
        if len(self.passed) >= self.most:
            raise Closed("copies_used")
        self.passed.append((key, rate))

    def lost(self) -> None:
        self.losses += 1


@pytest.fixture(autouse=True)
def _two_senders(settings: Any) -> Iterator[None]:
    entries = [{"BACKEND": FIRST, "OPTIONS": {"name": "a"}}, {"BACKEND": OTHER}]
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SENDERS": {"sms": entries}}
    yield
    First.failure = Second.failure = None
    First.given.clear()


def by(*failures: Failure | Exception | None) -> None:
    First.failure, Second.failure = (
        SendFailed(str(failure), failure) if isinstance(failure, Failure) else failure for failure in failures
    )


def outcome(sms: Message, gate: Gate | None = None) -> tuple[str, Failure] | Sent:
    try:
        return deliver(sms, gate)
    except SendFailed as error:
        return error.cause, error.failure


def test_the_first_that_takes_the_message_is_enough(sms: Message) -> None:
    assert outcome(sms) == Sent(FIRST, "a-id")
    assert len(First.given) == 1


@pytest.mark.parametrize("failure", [Failure.LATER, Failure.REFUSED, Failure.UNKNOWN])
def test_the_next_one_gets_the_same_message(sms: Message, failure: Failure) -> None:
    by(failure, None)
    assert outcome(sms) == Sent(OTHER, "first-id")
    assert First.given == [("First", sms.text), ("Second", sms.text)]


def test_nobody_else_is_asked_about_a_bad_number(sms: Message) -> None:
    by(Failure.RECIPIENT, None)
    assert outcome(sms) == ("recipient", Failure.RECIPIENT)
    assert len(First.given) == 1


@pytest.mark.parametrize(
    ("failures", "gravest"),
    [
        ((Failure.LATER, Failure.REFUSED), Failure.LATER),
        ((Failure.REFUSED, Failure.REFUSED), Failure.REFUSED),
        ((Failure.UNKNOWN, Failure.LATER), Failure.UNKNOWN),
        ((Failure.REFUSED, Failure.RECIPIENT), Failure.RECIPIENT),
    ],
)
def test_when_all_fail_the_gravest_decides(sms: Message, failures: tuple[Failure, Failure], gravest: Failure) -> None:
    by(*failures)
    assert outcome(sms) == (str(gravest), gravest)


def test_every_sender_passes_the_gate_with_its_own_rate_and_losses_are_told(sms: Message) -> None:
    by(Failure.UNKNOWN, None)
    gate = Gate()
    outcome(sms, gate)
    assert gate.passed == [(f"sms 0 {FIRST}", None), (f"sms 1 {OTHER}", "5/1s")]
    assert gate.losses == 1


def test_a_closed_gate_ends_it(sms: Message) -> None:
    by(Failure.UNKNOWN, None)
    with pytest.raises(Closed):
        deliver(sms, Gate(most=1))
    assert len(First.given) == 1


def test_without_any_sender_nothing_is_sent(sms: Message, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {"SENDERS": {"sms": []}}
    assert outcome(sms) == ("no_sender", Failure.REFUSED)


@pytest.mark.parametrize(
    "entry",
    [
        {"BACKEND": "nowhere.Sender"},
        {"BACKEND": FIRST, "OPTIONS": {"colour": "red"}},
    ],
)
def test_a_sender_that_cannot_be_built_leaves_the_work_to_the_next(
    sms: Message, settings: Any, entry: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    settings.COGNITO_PASSWORDLESS = {"SENDERS": {"sms": [entry, {"BACKEND": OTHER}]}}
    assert outcome(sms) == Sent(OTHER, "first-id")
    assert "cannot be built" in caplog.text


def test_what_a_sender_of_the_sites_own_raises_may_mean_that_the_message_is_out(
    sms: Message, caplog: pytest.LogCaptureFixture
) -> None:
    by(KeyError(sms.text), KeyError(sms.text))
    with caplog.at_level(logging.DEBUG):
        assert outcome(sms) == ("KeyError", Failure.UNKNOWN)
    assert sms.text not in caplog.text

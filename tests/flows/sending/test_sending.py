"""The worker's part: it may run twice or die anywhere, and what it sends is as if it ran once."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User

from cognito_passwordless.delivery import Failure, Message, SendFailed
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.flows.challenges import attempts
from cognito_passwordless.flows.sending.deliveries import LEASE
from cognito_passwordless.flows.sending.send_code import TryLater, send
from cognito_passwordless.models import ChallengeSession, Delivery, SendCount

from ..started import ANN, NOW, after, held

pytestmark = pytest.mark.django_db(transaction=True)

LATER = LEASE.total_seconds() + 1


class Stubborn(MemorySender):
    """A provider that fails as long as the test wants it to."""

    failures: ClassVar[list[SendFailed]] = []

    def send(self, message: Message) -> str:
        if self.failures:
            raise self.failures.pop()
        return super().send(message)


@pytest.fixture
def provider(settings: Any) -> Iterator[list[SendFailed]]:
    """The failures that the provider of e-mails has in store."""
    senders = {"email": [{"BACKEND": f"{__name__}.Stubborn"}]}
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SENDERS": senders}
    yield Stubborn.failures
    Stubborn.failures.clear()


@pytest.fixture
def ann(make_user: Callable[..., User]) -> User:
    return make_user(ANN)


def work(challenge: ChallengeSession, now: datetime = NOW, *, final: bool = False, generation: int = 1) -> None:
    send(challenge.pk, generation, now=now, final=final)


def down() -> SendFailed:
    return SendFailed("down", Failure.LATER)


def state(challenge: ChallengeSession) -> tuple[str, str]:
    """What the page and the delivery say."""
    challenge.refresh_from_db()
    return challenge.sending, Delivery.objects.get(challenge=challenge).status


def test_the_same_task_twice_sends_once(ann: User, outbox: list[Message]) -> None:
    _, challenge = held()
    work(challenge)
    work(challenge)
    work(challenge, after(LATER))
    assert len(outbox) == 1
    assert state(challenge) == ("done", "sent")


def test_a_worker_that_has_begun_is_left_alone_until_its_lease_is_over(ann: User, outbox: list[Message]) -> None:
    _, challenge = held()
    Delivery.objects.create(challenge=challenge, number=1, generation=1, channel="email", started_at=NOW)
    with pytest.raises(TryLater) as later:
        work(challenge, after(LATER - 2))
    assert not outbox
    assert 1 <= later.value.seconds <= 3
    work(challenge, after(LATER))
    assert len(outbox) == 1


def test_after_two_workers_died_no_third_one_sends(ann: User, outbox: list[Message]) -> None:
    _, challenge = held()
    Delivery.objects.create(challenge=challenge, number=1, generation=1, channel="email", started_at=NOW, copies=2)
    work(challenge, after(LATER))
    assert not outbox
    assert state(challenge) == ("done", "unknown")


def test_a_worker_that_outlived_its_lease_does_not_say_how_its_successors_message_ended(
    ann: User, provider: list[SendFailed], outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, challenge = held()

    def slow_and_then_down(self: Stubborn, message: Message) -> str:
        monkeypatch.undo()
        work(challenge, after(LATER))  # somebody else takes over and sends
        raise down()

    monkeypatch.setattr(Stubborn, "send", slow_and_then_down)
    with pytest.raises(TryLater):
        work(challenge)
    assert state(challenge) == ("done", "sent")
    work(challenge, after(LATER + 1), final=True)
    assert len(outbox) == 1


def test_a_worker_that_died_just_before_the_end_leaves_no_page_waiting(ann: User, outbox: list[Message]) -> None:
    _, challenge = held()
    work(challenge)
    ChallengeSession.objects.update(sending="queued")
    work(challenge)
    assert state(challenge) == ("done", "sent")
    assert len(outbox) == 1


def test_a_message_is_paid_for_once_however_often_it_is_tried(
    ann: User, provider: list[SendFailed], outbox: list[Message]
) -> None:
    _, challenge = held()
    provider.extend(down() for _ in range(4))
    for _ in range(4):
        with pytest.raises(TryLater):
            work(challenge)
    work(challenge)
    assert len(outbox) == 1
    assert SendCount.objects.get(scope="sends").count == 1


def test_the_last_failure_ends_the_waiting(ann: User, provider: list[SendFailed]) -> None:
    _, challenge = held()
    provider.append(down())
    work(challenge, final=True)
    assert state(challenge) == ("done", "failed")
    assert Delivery.objects.get().provider_down


def test_a_message_beyond_the_budget_is_not_sent_and_looks_as_if_it_were(
    ann: User, outbox: list[Message], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sends": "1/1h"}}
    challenges = [held()[1] for _ in range(3)]
    for challenge in challenges:
        work(challenge)
    # The second is the link of this hour.
    assert ["/login/link/" in message.text for message in outbox] == [False, True]
    assert state(challenges[2]) == ("done", "skipped")


def test_a_known_browser_gets_its_message_when_strangers_used_up_the_budget(
    make_user: Callable[..., User], outbox: list[Message], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sends": "1/1h"}}
    address = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 55}.com"  # as long as an address can be
    make_user(address, first_name="Ann")
    for browser in ("", "", "k" * 32, "k" * 32):
        work(held(address, known_browser=browser)[1])
    assert ["/login/link/" in message.text for message in outbox] == [False, True, False]
    assert all(len(count.key) <= 254 for count in SendCount.objects.all())  # SQLite would not complain


def test_nothing_is_sent_after_expiry_or_for_what_is_over_or_rotated_away(ann: User, outbox: list[Message]) -> None:
    expired = held()[1]
    work(expired, after(600))
    assert state(expired) == ("done", "failed")
    handle, superseded = held()
    attempts.supersede(handle)
    work(superseded)
    work(held(generation=2)[1], generation=1)
    assert not outbox
    assert Delivery.objects.get().cause == "expired"

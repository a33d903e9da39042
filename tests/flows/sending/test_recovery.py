"""Messages that fell out of the queue are found again, and those that came too late are seen to have failed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.challenges.status import status
from cognito_passwordless.flows.sending.recovery import recover_sends
from cognito_passwordless.models import ChallengeSession, Delivery

from ..started import ANN, NOW, after, held

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_no_worker_has_finished_is_asked_for_again(
    make_user: Callable[..., User], outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(ANN)
    monkeypatch.setattr("cognito_passwordless.flows.sending.dispatch.timezone.now", lambda: after(100))
    held()
    assert recover_sends(after(60)) == {"asked again": 0, "expired": 0}
    assert recover_sends(after(100)) == {"asked again": 1, "expired": 0}
    assert len(outbox) == 1
    assert recover_sends(after(101)) == {"asked again": 0, "expired": 0}


def test_a_queue_that_is_merely_long_does_not_grow(
    monkeypatch: pytest.MonkeyPatch, make_user: Callable[..., User]
) -> None:
    asked = []
    monkeypatch.setattr("cognito_passwordless.flows.sending.recovery.dispatch.dispatch", asked.append)
    held()
    for minute in range(10):
        recover_sends(after(60 * minute))
    assert len(asked) <= 3


def test_what_expired_unsent_is_seen_to_have_failed(make_user: Callable[..., User], outbox: list[Message]) -> None:
    make_user(ANN)
    held()
    assert recover_sends(after(601)) == {"asked again": 0, "expired": 1}
    assert not outbox
    assert Delivery.objects.values_list("status", "cause").get() == ("failed", "expired")
    assert ChallengeSession.objects.get().sending == "done"
    assert recover_sends(after(660)) == {"asked again": 0, "expired": 0}


def test_the_page_says_so_when_nobody_finishes(make_user: Callable[..., User]) -> None:
    _, challenge = held()
    assert status(challenge, now=after(30)).state == "sending"
    assert status(challenge, now=after(61)).state == "trouble"


def test_a_decoy_is_not_done_sooner_than_real_messages_of_late(settings: Any) -> None:
    """The provider takes five seconds at the moment; a decoy takes none."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "celery"}
    _, real = held("bob@example.com")
    Delivery.objects.create(
        challenge=real, number=1, generation=1, channel="email", status="sent", started_at=NOW, finished_at=after(5)
    )
    _, decoy = held("nobody@example.com", sending="done", last_sent_at=after(10))
    assert status(decoy, now=after(14)).state == "sending"
    assert status(decoy, now=after(15)).state == "sent"
    assert status(decoy, now=after(14), answered=True).state == "sent"

"""Messages that fell out of the queue are found again, and those that came too late are seen to have failed."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.sending.recovery import recover_sends
from cognito_passwordless.models import ChallengeSession, Delivery

from ..started import ANN, after, held

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_no_worker_has_finished_is_asked_for_again(
    make_user: Callable[..., User], outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(ANN)
    monkeypatch.setattr("cognito_passwordless.flows.sending.send_code.timezone.now", lambda: after(100))
    held()
    assert recover_sends(after(60)) == {"asked again": 0, "expired": 0}
    assert recover_sends(after(100)) == {"asked again": 1, "expired": 0}
    assert len(outbox) == 1
    assert recover_sends(after(101)) == {"asked again": 0, "expired": 0}


def test_a_queue_that_is_merely_long_does_not_grow(
    monkeypatch: pytest.MonkeyPatch, make_user: Callable[..., User]
) -> None:
    asked = []
    monkeypatch.setattr("cognito_passwordless.flows.sending.recovery.send_code.dispatch", asked.append)
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

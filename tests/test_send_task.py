"""What the task `send_code` makes of a failing database, and of a broker with errors of its own."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import Retry
from django.db import OperationalError

from cognito_passwordless import tasks
from cognito_passwordless.exceptions import DispatchFailed


def run(monkeypatch: pytest.MonkeyPatch, *, retries: int = 0, is_eager: bool = False) -> None:
    def fails(*arguments: Any, **options: Any) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(tasks, "send", fails)
    task = tasks.send_code
    task.push_request(retries=retries, is_eager=is_eager, called_directly=False, delivery_info={})
    monkeypatch.setattr(task, "signature_from_request", lambda *a, **k: SimpleNamespace(apply_async=lambda: None))
    try:
        task.run("00000000-0000-0000-0000-000000000000", 1)
    finally:
        task.pop_request()


def test_a_failing_database_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Retry) as later:
        run(monkeypatch)
    assert 0 < later.value.when <= 16


@pytest.mark.parametrize("ended", [{"retries": tasks.DATABASE_TRIES - 1}, {"is_eager": True}])
def test_it_is_left_to_recovery_at_last(monkeypatch: pytest.MonkeyPatch, ended: dict[str, Any]) -> None:
    with pytest.raises(OperationalError):
        run(monkeypatch, **ended)


def test_an_error_of_any_broker_is_a_message_that_was_not_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class OfTheBroker(Exception):
        """As Amazon SQS and others have them."""

    def fails(*arguments: Any, **options: Any) -> None:
        raise OfTheBroker

    monkeypatch.setattr(tasks.send_code, "apply_async", fails)
    with pytest.raises(DispatchFailed):
        tasks.dispatch_by_celery("00000000-0000-0000-0000-000000000000", 1, "email")
    tasks.broker.worked()

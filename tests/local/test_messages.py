from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest

from cognito_passwordless.local.messages.inbox import Inbox, Message, masked, sent


def message(destination: str = "ann@example.com", code: str = "01234567") -> Message:
    return sent("EMAIL", destination, code, at=0.0, username="ann", pool_id="pool")


def test_the_last_code_is_the_newest_to_that_address_however_it_is_written() -> None:
    inbox = Inbox()
    for code in ("11111111", "22222222"):
        inbox.deliver(message("Ann@Example.com", code))
    inbox.deliver(message("ben@example.com", "33333333"))
    assert inbox.last_code("ann@example.com") == "22222222"
    assert inbox.last_code("nobody@example.com") is None
    assert [m.code for m in inbox.all()] == ["11111111", "22222222", "33333333"]


def test_listeners_hear_every_message() -> None:
    inbox, heard = Inbox(), list[Message]()
    inbox.listen(heard.append)
    inbox.deliver(message())
    assert heard == [message()]


def test_a_message_is_frozen_and_does_not_show_its_code() -> None:
    assert "01234567" not in repr(message())
    assert message().at == datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(FrozenInstanceError):
        message().code = "0"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("medium", "destination", "shown"),
    [
        ("EMAIL", "ann@example.com", "a***@e***"),
        ("SMS", "+4915100000123", "+*********0123"),
        ("SMS", "+1", "+*+1"),
    ],
)
def test_a_destination_is_masked(medium: str, destination: str, shown: str) -> None:
    assert masked(medium, destination) == shown  # type: ignore[arg-type]

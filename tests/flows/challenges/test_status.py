"""What a person who waits may see: nothing of it comes from their own message."""

from typing import Any

import pytest

from cognito_passwordless.flows.challenges.status import SENT_AFTER, STALLED_AFTER, status
from cognito_passwordless.models import ChallengeSession, Delivery

from ..started import after, held

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _with_workers(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "celery"}


def message(identifier: str, *, begun: float = 0, ended: float | None = None, **fields: Any) -> ChallengeSession:
    """A challenge, and where its message stands."""
    _, challenge = held(identifier, created_at=after(begun), last_sent_at=after(begun))
    Delivery.objects.create(
        challenge=challenge,
        number=1,
        generation=1,
        channel="email",
        started_at=after(begun),
        finished_at=None if ended is None else after(ended),
        **fields,
    )
    return challenge


def failed(identifier: str, ended: float = 1, **fields: Any) -> ChallengeSession:
    return message(identifier, ended=ended, status="failed", **{"provider_down": True, **fields})


def state(challenge: ChallengeSession, seconds: float) -> str:
    return status(challenge, now=after(seconds)).state


@pytest.mark.parametrize("took", [0.1, 2, 8, 14, 45])
def test_sent_appears_at_the_same_moment_however_long_a_message_takes(took: float) -> None:
    for number in range(50):
        known = message(f"known{number}@example.com", ended=took, status="sent")
        decoy = message(f"nobody{number}@example.com", ended=0, status="skipped")
        ChallengeSession.objects.filter(pk=decoy.pk).update(sending="done")
        for seconds in (0, SENT_AFTER - 0.1, SENT_AFTER, took - 0.01, took, 20):
            expected = "sent" if seconds >= SENT_AFTER else "sending"
            assert state(known, seconds) == state(decoy, seconds) == expected


def test_a_floor_is_waited_for_as_well() -> None:
    _, challenge = held(refusal_floor=5)
    assert [state(challenge, seconds) for seconds in (4.9, 5)] == ["sending", "sent"]


def test_a_message_that_hangs_is_no_trouble_to_be_seen() -> None:
    hanging = message("ann@example.com", status="waiting")
    assert state(hanging, STALLED_AFTER + 60) == "sent"


def test_a_queue_that_no_worker_serves_is_trouble_for_everybody() -> None:
    _, challenge = held()
    _, later = held("bob@example.com", created_at=after(40), last_sent_at=after(40))
    assert state(challenge, STALLED_AFTER) == "sent"
    assert state(challenge, STALLED_AFTER + 1) == "trouble"
    assert state(later, STALLED_AFTER + 1) == "sent"  # nobody has waited for long enough to say so
    assert state(later, 40 + STALLED_AFTER + 1) == "trouble"


def test_one_persons_failures_are_nobody_elses_trouble() -> None:
    challenges = [failed("ann@example.com", ended=number) for number in range(9)]
    assert {state(challenge, 10) for challenge in challenges} == {"sent"}


@pytest.mark.parametrize(("people", "seen"), [(2, "sent"), (3, "trouble")])
def test_the_failures_of_several_people_in_a_row_are(people: int, seen: str) -> None:
    for number in range(people):
        failed(f"{number}@example.com", ended=number)
    _, nobody = held("nobody@example.com")
    assert state(nobody, 10) == seen
    message("somebody@example.com", ended=9, status="sent")
    assert state(nobody, 10) == "sent"


def test_refusals_of_single_addresses_are_never() -> None:
    for number in range(9):
        failed(f"{number}@example.com", provider_down=False)
    _, nobody = held("nobody@example.com")
    assert state(nobody, 10) == "sent"


def test_a_provider_that_cannot_be_reached_is_at_once_and_for_a_while() -> None:
    failed("ann@example.com", for_everybody=True)
    _, nobody = held("nobody@example.com")
    assert state(nobody, 2) == "trouble"
    message("nobody@example.com", begun=100, status="skipped")
    assert state(nobody, 182) == "sent"

"""One code, many tries: what goes out, and what the row says, when providers fail in the middle."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User

from cognito_passwordless.delivery import Failure, Message, SendFailed
from cognito_passwordless.flows.challenges import attempts
from cognito_passwordless.flows.sending import deliveries, send_code
from cognito_passwordless.flows.sending.deliveries import LEASE
from cognito_passwordless.flows.sending.send_code import MAX_TRIES, TryLater
from cognito_passwordless.models import ChallengeSession, Delivery, JourneyEvent

from ..started import ANN, NOW, after, held

pytestmark = pytest.mark.django_db(transaction=True)
Fate = Failure | type[BaseException] | Callable[[], None] | None


class Killed(BaseException):
    """`kill -9`, as far as one process can show it: no line of ours runs after it."""


class Provider:
    """A sender whose fate is written down for each of its calls. What it "sent", or may have, is in `out`."""

    fates: ClassVar[list[Fate]] = []
    out: ClassVar[list[str]] = []
    calls: ClassVar[list[str]] = []

    def send(self, message: Message) -> str:
        self.calls.append(type(self).__name__)
        fate = self.fates.pop(0) if self.fates else None
        if isinstance(fate, Failure):
            if fate is Failure.UNKNOWN:
                self.out.append(message.text)
            raise SendFailed(str(fate), fate)
        self.out.append(message.text)
        if isinstance(fate, type):
            raise fate
        if fate:
            fate()
        return f"id-{len(self.calls)}"


class First(Provider):
    fates: ClassVar[list[Fate]] = []


class Second(Provider):
    fates: ClassVar[list[Fate]] = []


@pytest.fixture(autouse=True)
def _providers(settings: Any, make_user: Callable[..., User]) -> Iterator[None]:
    make_user(ANN)
    senders = {"email": [{"BACKEND": f"{__name__}.First"}, {"BACKEND": f"{__name__}.Second"}]}
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SENDERS": senders}
    yield
    for remembered in (First.fates, Second.fates, Provider.out, Provider.calls):
        remembered.clear()


def fates(first: list[Fate], second: list[Fate] | None = None) -> ChallengeSession:
    First.fates[:] = first
    Second.fates[:] = second or []
    return held()[1]


def work(challenge: ChallengeSession, now: Any = NOW, *, final: bool = False) -> float | None:
    """Seconds until another try is wanted at the earliest; None when there is to be none."""
    try:
        send_code.send(challenge.pk, 1, now=now, final=final)
    except TryLater as later:
        return later.seconds
    return None


def work_until_done(challenge: ChallengeSession) -> int:
    """As Celery would: again and again. Gives the number of runs."""
    for run in range(1, 20):
        if work(challenge, after(run)) is None:
            return run
    raise AssertionError("it never ends")


def row() -> tuple[str, str, int, str]:
    delivery = Delivery.objects.get()
    return delivery.status, delivery.cause, delivery.copies, delivery.sender.rpartition(".")[2]


def page() -> str:
    return ChallengeSession.objects.get().sending


def codes() -> set[str]:
    return {code for text in Provider.out for code in re.findall(r"\b\d{6}\b", text)}


def test_the_row_has_the_providers_id() -> None:
    work(fates([None]))
    assert row() == ("sent", "", 1, "First")
    assert Delivery.objects.get().provider_message_id == "id-1"


@pytest.mark.parametrize("failure", [Failure.LATER, Failure.REFUSED])
def test_when_the_first_says_no_the_second_sends_and_one_message_is_out(failure: Failure) -> None:
    assert work_until_done(fates([failure])) == 1
    assert row() == ("sent", "", 1, "Second")
    assert len(Provider.out) == 1
    assert page() == "done"


def test_when_the_first_does_not_answer_the_second_sends_the_same_code() -> None:
    assert work_until_done(fates([Failure.UNKNOWN])) == 1
    assert row() == ("sent", "", 2, "Second")
    assert len(Provider.out) == 2
    assert len(codes()) == 1


def test_a_bad_address_is_tried_once() -> None:
    assert work_until_done(fates([Failure.RECIPIENT])) == 1
    assert row() == ("failed", "recipient", 0, "")
    assert Provider.calls == ["First"]
    assert not Delivery.objects.get().provider_down
    assert page() == "done"


def test_throttling_is_tried_again_until_the_tries_are_used_up() -> None:
    assert work_until_done(fates([Failure.LATER] * 9, [Failure.LATER] * 9)) == MAX_TRIES
    assert row() == ("failed", "later", 0, "")
    assert Delivery.objects.get().provider_down
    assert not Provider.out
    assert JourneyEvent.objects.get().outcome == "failed"


def test_throttling_that_ends_is_forgotten() -> None:
    assert work_until_done(fates([Failure.LATER, Failure.LATER, None], [Failure.LATER, Failure.LATER])) == 3
    assert row() == ("sent", "", 1, "First")
    assert len(Provider.out) == 1


def test_while_it_waits_the_page_waits() -> None:
    challenge = fates([Failure.LATER], [Failure.LATER])
    assert work(challenge) == 0
    assert row()[0] == "waiting"
    assert page() == "queued"


def test_refusals_alone_are_not_tried_again() -> None:
    assert work_until_done(fates([Failure.REFUSED], [Failure.REFUSED])) == 1
    assert row() == ("failed", "refused", 0, "")


def test_two_that_do_not_answer_are_all_that_is_risked() -> None:
    assert work_until_done(fates([Failure.UNKNOWN] * 5, [Failure.UNKNOWN] * 5)) == 1
    assert row() == ("unknown", "unknown", 2, "")
    assert len(Provider.out) == 2
    assert len(codes()) == 1
    assert page() == "done"


def test_an_only_provider_that_does_not_answer_is_asked_once_more(settings: Any) -> None:
    senders = {"email": [{"BACKEND": f"{__name__}.First"}]}
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SENDERS": senders}
    assert work_until_done(fates([Failure.UNKNOWN] * 5)) == 2
    assert row() == ("unknown", "unknown", 2, "")
    assert len(Provider.out) == 2


@pytest.mark.parametrize("deaths", range(1, 6))
def test_however_often_workers_die_two_copies_of_one_code_are_the_most(deaths: int) -> None:
    challenge = fates([Killed] * deaths)
    moment = 0.0
    for _ in range(deaths + 2):
        with suppress(Killed):
            work(challenge, after(moment))
        moment += LEASE.total_seconds() + 1
    status, _cause, copies, _ = row()
    assert status in {"sent", "unknown"}
    assert copies == len(Provider.out) == min(2, deaths + 1)
    assert len(codes()) == 1
    assert page() == "done"


def test_a_task_that_comes_back_at_once_waits_until_the_dead_are_told_from_the_slow() -> None:
    challenge = fates([Killed])
    with pytest.raises(Killed):
        work(challenge)
    seconds = work(challenge, after(2))
    assert seconds is not None
    assert LEASE.total_seconds() - 2 <= seconds <= LEASE.total_seconds()
    assert work(challenge, after(2 + seconds)) is None
    assert row() == ("sent", "", 2, "First")


def test_a_code_that_is_rotated_away_while_its_message_waits_does_not_go_out_by_the_next_provider() -> None:
    challenge = fates([rotate_and_refuse])
    assert work(challenge) is None
    assert Provider.calls == ["First"]
    assert row()[:2] == ("failed", "over")


def rotate_and_refuse() -> None:
    ChallengeSession.objects.update(generation=2)
    Provider.out.pop()
    raise SendFailed("refused", Failure.REFUSED)


def test_a_challenge_that_is_answered_while_a_provider_hangs_gets_no_second_copy() -> None:
    challenge = fates([verified_and_lost])
    assert work(challenge) is None
    assert Provider.calls == ["First"]
    assert row()[:2] == ("unknown", "over")


def verified_and_lost() -> None:
    attempts.accept(ChallengeSession.objects.get())
    raise SendFailed("unknown", Failure.UNKNOWN)


def test_what_expires_while_a_provider_is_slow_does_not_go_out_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow() -> None:
        monkeypatch.setattr(deliveries.Gate, "clock", lambda self: after(600))
        Provider.out.pop()
        raise SendFailed("later", Failure.LATER)

    assert work(fates([slow])) is None
    assert Provider.calls == ["First"]
    assert row()[:2] == ("failed", "expired")


def test_a_message_that_nobody_sent_in_time_is_seen_to_have_failed() -> None:
    challenge = fates([])
    assert work(challenge, after(601)) is None
    assert row() == ("failed", "expired", 0, "")
    assert page() == "done"
    assert JourneyEvent.objects.get().cause == "expired"
    assert work(challenge, after(700)) is None
    assert JourneyEvent.objects.count() == 1


def test_a_message_that_was_begun_and_then_expired_may_be_out() -> None:
    challenge = fates([Killed])
    with pytest.raises(Killed):
        work(challenge, after(590))
    assert work(challenge, after(601)) is not None  # its worker may still be at it
    assert work(challenge, after(700)) is None
    assert row() == ("unknown", "expired", 1, "")


def test_a_slow_worker_that_did_send_has_the_last_word() -> None:
    challenge = fates([lambda: work_meanwhile(challenge)], [])
    assert work(challenge) is None
    assert row()[0] == "sent"


def work_meanwhile(challenge: ChallengeSession) -> None:
    """Another worker takes the message over after the lease, and its provider refuses."""
    First.fates.append(Failure.REFUSED)
    Second.fates.append(Failure.REFUSED)
    work(challenge, after(LEASE.total_seconds() + 1))


def test_a_worker_without_the_key_of_the_web_says_so(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    challenge = fates([])
    settings.SECRET_KEY = "another-key-of-a-worker-that-was-set-up-by-somebody-else"
    assert work(challenge) is None
    assert row() == ("failed", "key_unknown", 0, "")
    assert Delivery.objects.get().provider_down
    assert "SECRET_KEY differs" in caplog.text

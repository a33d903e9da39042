"""Fixed codes for reviewers: for whom, until when, and under which limits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless.delivery import Message
from cognito_passwordless.models import ChallengeSession, Delivery, JourneyEvent

pytestmark = pytest.mark.django_db(transaction=True)
REVIEWER, CODE = "reviewer@example.com", "493817"


@pytest.fixture(autouse=True)
def until(settings: Any) -> Callable[[str], None]:
    def choose(day: str) -> None:
        entry = {"identifier": REVIEWER, "code": CODE, "until": day}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "REVIEW_CODES": [entry]}

    choose("2999-12-31")
    return choose


def sign_in(client: Client, code: str = CODE, identifier: str = REVIEWER) -> bool:
    client.post("/login/", {"identifier": identifier})
    client.post("/login/code/", {"code": code})
    return "_auth_user_id" in client.session


def test_a_reviewer_signs_in_and_nothing_is_sent(
    client: Client, make_user: Callable[..., User], outbox: list[Message]
) -> None:
    make_user(REVIEWER)
    assert sign_in(client)
    assert not outbox
    assert list(Delivery.objects.values_list("status", "cause")) == [("skipped", "review_code")]
    assert JourneyEvent.objects.filter(step="sent").values_list("outcome", "cause").get() == ("ok", "review_code")


def test_nobody_else_signs_in_by_it(client: Client, make_user: Callable[..., User]) -> None:
    make_user("ann@example.com")
    assert not sign_in(client, identifier="ann@example.com")


def test_it_is_the_only_right_code(client: Client, make_user: Callable[..., User]) -> None:
    from cognito_passwordless import keys
    from cognito_passwordless.otp import derive

    make_user(REVIEWER)
    client.post("/login/", {"identifier": REVIEWER})
    challenge = ChallengeSession.objects.get()
    key = keys.keyring().current
    ours = derive(key, str(challenge.pk), purpose="sign_in", generation=1, length=challenge.code_length)
    client.post("/login/code/", {"code": ours.reveal()})
    assert "_auth_user_id" not in client.session


def test_it_ends_with_its_day(
    client: Client, make_user: Callable[..., User], outbox: list[Message], until: Callable[[str], None]
) -> None:
    make_user(REVIEWER)
    until(timezone.now().date().isoformat())
    assert sign_in(Client())
    until("2020-01-01")
    assert not sign_in(client)
    assert len(outbox) == 1, "and then the person is sent a code like anybody"


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}])
def test_never_for_staff(
    client: Client, make_user: Callable[..., User], settings: Any, rights: dict[str, bool]
) -> None:
    make_user(REVIEWER, **rights)
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "STAFF_SIGN_IN": True}
    assert not sign_in(client)


def test_whoever_becomes_staff_meanwhile_does_not_come_in(client: Client, make_user: Callable[..., User]) -> None:
    user = make_user(REVIEWER)
    client.post("/login/", {"identifier": REVIEWER})
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.post("/login/code/", {"code": CODE})
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("signup", [False, True])
def test_it_proves_no_address(client: Client, make_user: Callable[..., User], settings: Any, signup: bool) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": signup}
    assert not sign_in(Client())  # nobody has this address
    make_user(REVIEWER, verified=False)
    assert not sign_in(client)  # and here nobody has proven it


def test_attempts_are_limited_as_for_everybody(client: Client, make_user: Callable[..., User]) -> None:
    make_user(REVIEWER)
    client.post("/login/", {"identifier": REVIEWER})
    for guess in ("111111", "222222", "333333", CODE):
        client.post("/login/code/", {"code": guess})
    assert "_auth_user_id" not in client.session


def test_the_code_does_not_show_itself() -> None:
    from cognito_passwordless.conf import conf

    assert CODE not in repr(conf.review_codes)

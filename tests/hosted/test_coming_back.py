"""Undone, erased, or the pool retired and in use again: the same person signs in, by each route, and is who they were.

No duplicate, no loss, everything on the timeline.
"""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.flows.accounts import tombstones
from cognito_passwordless.flows.events import audit
from cognito_passwordless.flows.lifecycle import cutover, erase, undo
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser

from ..flows.people import ANN, SignIn
from .conftest import Trip

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+4915112345678"
Come = Callable[[], Client]


class Person:
    """Ann, who comes by one route; the pool's own, or ours for somebody who lives in Django already."""

    def __init__(self, route: str, pool: LocalPool, sign_in: SignIn, go: Callable[[LocalPool], Trip]) -> None:
        self.route, self.pool, self.sign_in, self.go = route, pool, sign_in, go

    def comes(self) -> Client:
        """By their route, whoever they are by now; the browser is signed in."""
        if self.route == "hosted":
            trip = self.go(self.pool)
            assert trip.sign_in().status_code == 302
            assert trip.user_id
            return trip.client
        client, challenge = self.sign_in.start(self.typed)
        code = self.sign_in.sent_code() if challenge.route == "local" else self.sign_in.cognito.last_code(self.typed)
        assert self.sign_in.answer(client, code or "").status_code == 302, challenge.decoy_reason
        assert "_auth_user_id" in client.session
        return client

    def is_refused(self) -> bool:
        if self.route == "hosted":
            trip = self.go(self.pool)
            return (trip.sign_in().status_code, trip.user_id) == (403, None)
        client, challenge = self.sign_in.start(self.typed)
        code = self.sign_in.sent_code() if challenge.route == "local" else self.sign_in.cognito.last_code(self.typed)
        return self.sign_in.answer(client, code or "").status_code == 403

    @property
    def typed(self) -> str:
        return NUMBER if self.route == "sms" else ANN


@pytest.fixture(params=["email", "sms", "hosted", "linked"])
def ann(
    request: pytest.FixtureRequest,
    hosted: Callable[..., LocalPool],
    trip: Callable[[LocalPool], Trip],
    cognito: LocalCognito,
    sent_code: Callable[[], str],
    make_user: Callable[..., User],
) -> Person:
    pool = hosted(people=False, routes=["oidc"] if request.param == "hosted" else ["otp", "oidc"])
    sub = pool.add_user(ANN, phone_number=NUMBER if request.param == "sms" else None)
    if request.param == "linked":
        make_user(ANN)
        MigratedUser.objects.create(
            connection="main", pool=pool.id, sub=sub, email=ANN, attributes={"email_verified": "true"}
        )
    return Person(request.param, pool, SignIn(cognito, sent_code), trip)


@pytest.fixture
def steps() -> Callable[[], list[str]]:
    """What was done about the record, by operators."""

    def read() -> list[str]:
        record = MigratedUser.objects.get()
        events = JourneyEvent.objects.filter(attempt=audit.attempt_of(record)).order_by("pk")
        return [f"{event.step} {event.cause}" for event in events]

    return read


def is_one(user: Any = None) -> bool:
    """One user, one record, one link; the user is this one, where it is given."""
    record = MigratedUser.objects.get()
    return (
        record.status == "migrated"
        and User.objects.get() == record.user
        and SocialAccount.objects.get().user == record.user
        and EmailAddress.objects.count() <= 1
        and (user is None or record.user == user)
    )


@pytest.mark.parametrize("choice", ["keep", "remove"])
def test_undone_and_in_again_twice(ann: Person, steps: Callable[[], list[str]], choice: undo.Choice) -> None:
    first = ann.comes()
    user = User.objects.get()
    stays = choice == "keep" or ann.route == "linked"
    for _ in range(2):
        outcome = undo.undo(MigratedUser.objects.get().pk, choice=choice, now=timezone.now()).outcome
        assert outcome == ("user_kept" if choice == "keep" else "link_removed" if stays else "user_removed")
        assert ann.sign_in.is_out(first) == (choice == "remove")
        first = ann.comes()
        assert is_one(user if stays else None)
    assert steps() == [f"undone {outcome}"] * 2
    assert JourneyEvent.objects.filter(step="migrated", outcome="ok").count() == 3


def test_erased_turned_away_lifted_and_in_again(ann: Person) -> None:
    first = ann.comes()
    (tombstone,) = erase.erase(MigratedUser.objects.get().pk, now=timezone.now(), by="7").tombstones
    key = tombstone.pk
    assert ann.sign_in.is_out(first)
    assert not SocialAccount.objects.exists()
    if ann.route == "linked":  # who has an account of their own keeps it, and nothing of the pool comes back
        ann.comes()
        assert User.objects.count() == 1
        assert not MigratedUser.objects.exists()
        return
    assert not User.objects.exists()
    assert ann.is_refused()
    assert not User.objects.exists()
    assert not MigratedUser.objects.exists()
    tombstones.remove(tombstone, now=timezone.now(), by="7")
    ann.comes()
    assert is_one()
    events = JourneyEvent.objects.filter(attempt=key).order_by("pk")
    assert list(events.values_list("step", flat=True)) == ["erased", "turned_away", "erasure_lifted"]


@pytest.mark.parametrize("undone", [False, True])
def test_retired_in_by_our_code_in_use_again_and_in_again(
    ann: Person, cognito: LocalCognito, undone: bool, steps: Callable[[], list[str]]
) -> None:
    ann.comes()
    user = User.objects.get()
    if undone:
        undo.undo(MigratedUser.objects.get().pk, choice="keep", now=timezone.now())
    connection = connections.find("main")
    assert connection
    cutover.retire(connection, now=timezone.now(), by="7")
    calls, visits = len(cognito.calls), len(cognito.visits)
    ann.sign_in.by_our_code(ann.typed)
    assert (len(cognito.calls), len(cognito.visits)) == (calls, visits)
    assert is_one(user)
    cutover.unretire(connection, now=timezone.now(), by="7")
    ann.comes()
    assert is_one(user)
    events = JourneyEvent.objects.filter(attempt=cutover.attempt_of(connection.alias)).order_by("pk")
    assert list(events.values_list("step", flat=True)) == ["retired", "unretired"]
    assert steps() == (["undone user_kept"] if undone else [])

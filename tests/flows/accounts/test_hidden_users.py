"""A site that keeps deleted users: the default manager of its user model leaves them out."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User, UserManager
from django.db.models import QuerySet
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"


class Kept(UserManager[User]):
    def get_queryset(self) -> QuerySet[User]:
        return super().get_queryset().exclude(last_name="deleted")


@pytest.fixture(autouse=True)
def _hides(monkeypatch: pytest.MonkeyPatch) -> None:
    manager: Any = Kept()
    manager.model, manager.name = User, "objects"
    monkeypatch.setitem(vars(User._meta), "default_manager", manager)  # where Django caches it
    monkeypatch.setattr(User, "objects", manager)


def sign_in(typed: str, code: Callable[[], str | None]) -> Client:
    client = Client()
    assert client.post("/login/", {"identifier": typed}).status_code == 302
    client.post("/login/code/", {"code": code() or ""})
    return client


def test_a_user_who_is_there_signs_in(make_user: Any, sent_code: Callable[[], str]) -> None:
    make_user(ANN)
    assert "_auth_user_id" in sign_in(ANN, sent_code).session


def test_a_deleted_user_gets_no_code_though_their_address_was_verified(make_user: Any, outbox: list[Any]) -> None:
    make_user(ANN, last_name="deleted")
    sign_in(ANN, lambda: "000000")
    assert ChallengeSession.objects.get().decoy_reason == "inactive"
    assert outbox == []


def test_nor_comes_in_who_is_deleted_between_code_and_entry(make_user: Any, sent_code: Callable[[], str]) -> None:
    make_user(ANN)
    client = Client()
    client.post("/login/", {"identifier": ANN})
    User.objects.update(last_name="deleted")
    assert client.post("/login/code/", {"code": sent_code()}).status_code == 403
    assert "_auth_user_id" not in client.session


def test_a_migrated_person_whose_user_was_deleted_is_refused(
    make_user: Any, pool: LocalPool, cognito: LocalCognito
) -> None:
    sub = pool.add_user("kim@example.com", username="kim@example.com")
    first = sign_in("kim@example.com", lambda: cognito.last_code("kim@example.com"))
    assert "_auth_user_id" in first.session
    User.objects.update(last_name="deleted")
    EmailAddress.objects.all().delete()  # as sites do, so that the address is free
    again = sign_in("kim@example.com", lambda: cognito.last_code("kim@example.com"))
    assert "_auth_user_id" not in again.session
    assert User._base_manager.count() == 1
    assert MigratedUser.objects.get(sub=sub).user is not None


def test_a_new_person_gets_a_name_that_no_deleted_user_has(settings: Any, sent_code: Callable[[], str]) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    User.objects.create_user(username="ann", email="another@example.com", last_name="deleted")
    client = sign_in(ANN, sent_code)
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert user.email == ANN
    assert user.username.startswith("ann")


def test_a_deleted_user_who_only_wrote_an_address_blocks_nobody(settings: Any, sent_code: Callable[[], str]) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    User.objects.create_user(username="old", email=ANN, last_name="deleted")
    client = sign_in(ANN, sent_code)
    assert User.objects.get(pk=client.session["_auth_user_id"]).username != "old"

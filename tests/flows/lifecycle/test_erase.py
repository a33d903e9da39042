"""Forgetting a person, and who comes back from it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.flows.accounts import tombstones
from cognito_passwordless.flows.accounts.errors import ActionRefused
from cognito_passwordless.flows.lifecycle import erase
from cognito_passwordless.flows.pool_sync import trigger_events
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import (
    ChallengeSession,
    Erasure,
    FailureCount,
    ImportProblem,
    ImportRun,
    JourneyEvent,
    MigratedUser,
    PhoneNumber,
    SendCount,
)
from cognito_passwordless.signals import person_erased

from ..people import ANN, SignIn

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+4915112345678"


def erased(record: MigratedUser | None = None, remove_user: bool | None = None) -> erase.Erased:
    record = record or MigratedUser.objects.get()
    return erase.erase(record.pk, remove_user=remove_user, now=timezone.now(), by="command")


def everything() -> str:
    """Every value of every table but the sessions', whose holders are nobody any more."""
    text = []
    with database.cursor() as cursor:
        for table in database.introspection.table_names():
            if table != "django_session":
                cursor.execute(f'SELECT * FROM "{table}"')
                text.append(repr(cursor.fetchall()))
    return "\n".join(text)


def with_traces(pool: LocalPool, sign_in: SignIn) -> MigratedUser:
    """Somebody who has left traces everywhere."""
    sub = pool.add_user(ANN)
    sign_in.at_pool(ANN)
    record = MigratedUser.objects.get()
    user = User.objects.get()
    now = timezone.now()
    record.attributes = {"given_name": "Annabel"}
    record.save()
    PhoneNumber.objects.create(user=user, number=NUMBER, verified=True)
    JourneyEvent.objects.update(data={"io": ANN})
    trigger_events.signed_in(connections.find("main"), {"sub": sub}, new_device=False, now=now)  # type: ignore[arg-type]
    SendCount.objects.create(scope="sends", key=f"some-browser {ANN}")
    run = ImportRun.objects.create(connection="main", started_at=now, updated_at=now)
    ImportProblem.objects.create(run=run, position=1, sub=sub, reason="duplicate")
    for row in (record, user, EmailAddress.objects.get()):
        LogEntry.objects.create(
            user=User.objects.create_user(f"staff{row.pk}-{type(row).__name__}"),
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=f"{row} {ANN} {sub}",
            action_flag=2,
        )
    return record


def test_nothing_of_the_person_is_left(pool: LocalPool, sign_in: SignIn) -> None:
    record = with_traces(pool, sign_in)
    user = User.objects.get(username="ann")
    secrets = (ANN, "Annabel", NUMBER, record.sub)
    assert all(secret in everything() for secret in secrets)
    assert erased(record, remove_user=True).removed_user
    found = everything()
    assert [secret for secret in secrets if secret in found] == []
    assert not User.objects.filter(pk=user.pk).exists()
    assert not ChallengeSession.objects.exists()


@pytest.mark.parametrize("remove_user", [True, False])
def test_what_was_recorded_before_anybody_was_known_goes_even_when_the_sign_in_is_long_forgotten(
    pool: LocalPool, sign_in: SignIn, remove_user: bool
) -> None:
    record = with_traces(pool, sign_in)
    ChallengeSession.objects.all().delete()  # as `purge_expired` does after a month
    before = JourneyEvent.objects.get(step="answered")
    assert (before.user, before.data) == (None, {"io": ANN})
    erased(record, remove_user=remove_user)
    before.refresh_from_db()
    assert before.data is None


def test_whoever_is_erased_is_turned_away_and_nothing_is_remembered_of_it(
    pool: LocalPool, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    sub = pool.add_user(ANN)
    first = sign_in.at_pool(ANN)
    (tombstone,) = erased().tombstones
    assert sign_in.is_out(first)
    with caplog.at_level(logging.INFO, logger="cognito_passwordless"):
        sign_in.at_pool(ANN, status=403)
    refusal = JourneyEvent.objects.get(step="migrated", outcome="refused")
    assert (refusal.cause, refusal.user, refusal.data) == ("erased", None, None)
    assert not User.objects.exists()
    assert not MigratedUser.objects.exists()
    SendCount.objects.all().delete()  # budgets, which end by themselves
    found = everything()
    assert ANN not in found
    assert sub not in found
    assert ANN not in caplog.text
    steps = JourneyEvent.objects.filter(attempt=tombstone.pk).order_by("pk").values_list("step", flat=True)
    assert list(steps) == ["erased", "turned_away"]


def test_a_lifted_tombstone_lets_them_begin_anew(pool: LocalPool, sign_in: SignIn) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    (tombstone,) = erased().tombstones
    tombstones.remove(tombstone, now=timezone.now(), by="7")
    sign_in.at_pool(ANN)
    assert User.objects.count() == MigratedUser.objects.count() == SocialAccount.objects.count() == 1
    event = JourneyEvent.objects.get(step="erasure_lifted")
    assert event.data == {"by": "7"}


def test_a_rotated_key_still_knows_its_tombstones(pool: LocalPool, sign_in: SignIn, settings: Any) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    erased()
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-that-is-long-enough-for-us", [before]
    assert tombstones.unreadable() == 0
    sign_in.at_pool(ANN, status=403)
    settings.SECRET_KEY_FALLBACKS = []
    assert tombstones.unreadable() == 1


def test_a_tombstone_tells_nothing_and_differs_from_site_to_site(settings: Any) -> None:
    one = tombstones.create("https://pool.example", "sub-1", connection="main", now=timezone.now())
    again = tombstones.create("https://pool.example", "sub-1", connection="main", now=timezone.now())
    assert one.pk == again.pk
    assert Erasure.objects.count() == 1
    assert tombstones.find_tombstone("https://pool.example", "sub-1") == one
    assert tombstones.find_tombstone("https://other.example", "sub-1") is None
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-us"
    assert tombstones.find_tombstone("https://pool.example", "sub-1") is None


def test_imports_ask_for_a_whole_page_at_once(django_assert_num_queries: Any) -> None:
    for sub in ("1", "3"):
        tombstones.create("i", sub, connection="main", now=timezone.now())
    with django_assert_num_queries(1):
        assert tombstones.erased_among("i", [str(number) for number in range(1000)]) == {"1", "3"}
    with django_assert_num_queries(0):
        assert tombstones.erased_among("i", []) == set()


def test_what_is_written_at_the_same_moment_does_not_stay(
    pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User], monkeypatch: Any
) -> None:
    """A sign-in that ends as a conflict writes its case after its own transaction: an erasure may come between."""
    from cognito_passwordless.flows.accounts import pool_records
    from cognito_passwordless.flows.migration import flow as migration

    sub = pool.add_user(ANN)
    verified = {"email_verified": "true"}
    MigratedUser.objects.create(connection="main", pool=pool.id, sub=sub, email=ANN, attributes=verified)
    holder = make_user(ANN, is_active=False)
    EmailAddress.objects.filter(user=holder).update(email="other@example.com")
    User.objects.filter(pk=holder.pk).update(email="other@example.com")
    carry_out = migration.carry_out

    def conflict(*arguments: Any, **named: Any) -> Any:
        carry_out(*arguments, **named)
        raise migration.MigrationConflict("several_users")

    record_refusal = pool_records.record_refusal

    def erased_first(*arguments: Any) -> None:
        erased()
        record_refusal(*arguments)

    monkeypatch.setattr(migration, "carry_out", conflict)
    monkeypatch.setattr(migration.pool_records, "record_refusal", erased_first)
    sign_in.at_pool(ANN, status=403)
    assert not MigratedUser.objects.exists()
    assert JourneyEvent.objects.filter(step="turned_away").exists()


def test_imports_take_away_what_they_wrote_of_them(django_assert_num_queries: Any) -> None:
    for sub in ("1", "2"):
        tombstones.create("i", sub, connection="main", now=timezone.now())
    for sub in ("1", "2", "3"):
        MigratedUser.objects.create(connection="main", pool="i", sub=sub)
    MigratedUser.objects.create(connection="main", pool="j", sub="1")
    assert tombstones.delete_erased("i", ["1", "3"]) == {"1"}
    assert set(MigratedUser.objects.values_list("pool", "sub")) == {("i", "2"), ("i", "3"), ("j", "1")}
    with django_assert_num_queries(1):
        assert tombstones.delete_erased("i", ["3"]) == set()


def test_what_the_pools_triggers_tell_brings_nobody_back(pool: LocalPool, sign_in: SignIn) -> None:
    sub = pool.add_user(ANN)
    sign_in.at_pool(ANN)
    erased()
    connection = connections.find("main")
    assert connection is not None
    trigger_events.confirmed(connection, {"sub": sub, "email": ANN}, username="ann", now=timezone.now())
    trigger_events.signed_in(connection, {"sub": sub}, new_device=False, now=timezone.now())
    assert not MigratedUser.objects.exists()
    assert sub not in everything()


class TestTheDjangoUser:
    def test_who_was_there_before_is_kept_without_what_came_from_the_pool_and_signs_in_as_ever(
        self, pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User], settings: Any
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {
            **settings.COGNITO_PASSWORDLESS,
            "ATTRIBUTES": {"given_name": "first_name"},
        }
        user = make_user(ANN)
        sub = pool.add_user(ANN)
        MigratedUser.objects.create(
            connection="main", pool=pool.id, sub=sub, email=ANN,
            attributes={"email_verified": "true", "given_name": "Annabel"},
        )  # fmt: skip
        sign_in.by_our_code(ANN)
        assert User.objects.get().first_name == "Annabel"
        assert not erased().removed_user
        assert sub not in everything()
        assert "Annabel" not in everything()
        sign_in.by_our_code(ANN)
        assert list(User.objects.all()) == [user]
        assert not MigratedUser.objects.exists()

    def test_whom_the_migration_made_goes_unless_they_have_gained_something(
        self, pool: LocalPool, sign_in: SignIn
    ) -> None:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        user = User.objects.get()
        user.set_password("theirs")
        user.save()
        found = erase.preview(MigratedUser.objects.get())
        assert (found.removes_user, found.gained) == (False, {"password": 1})
        assert not erased().removed_user
        assert User.objects.get() == user

    @pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
    def test_is_left_alone_when_they_are_staff(self, pool: LocalPool, sign_in: SignIn, right: str) -> None:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        User.objects.update(**{right: True})
        with pytest.raises(ActionRefused, match="privileged_user"):
            erased(remove_user=True)
        assert MigratedUser.objects.exists()
        assert not Erasure.objects.exists()

    def test_of_two_pool_users_is_erased_with_both(self, pool: LocalPool, sign_in: SignIn) -> None:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        MigratedUser.objects.create(connection="main", pool=pool.id, sub="twin", user=User.objects.get())
        record = MigratedUser.objects.exclude(sub="twin").get()
        assert len(erased(record).tombstones) == 2
        assert not MigratedUser.objects.exists()


def test_other_people_with_the_address_are_told_and_stay(pool: LocalPool, sign_in: SignIn) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    record = MigratedUser.objects.get()
    other = MigratedUser.objects.create(connection="other", pool="i", sub="s", email=ANN)
    assert erase.preview(record).others == 1
    erased(record)
    assert list(MigratedUser.objects.all()) == [other]


def test_counted_failures_outlive_it(pool: LocalPool, sign_in: SignIn) -> None:
    """Law 3: only a success ends them."""
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    FailureCount.objects.filter(identifier=ANN).update(count=2)
    erased()
    assert FailureCount.objects.get(identifier=ANN).count == 2


def test_somebody_who_never_came_can_be_erased_too(pool: LocalPool, sign_in: SignIn) -> None:
    sub = pool.add_user(ANN)
    MigratedUser.objects.create(connection="main", pool=pool.id, sub=sub, email=ANN, status="conflict")
    erased()
    sign_in.at_pool(ANN, status=403)
    assert not MigratedUser.objects.exists()
    with pytest.raises(ActionRefused, match="no_such_person"):
        erase.erase(1, now=timezone.now())


def test_a_site_is_told_and_its_own_failure_undoes_it(pool: LocalPool, sign_in: SignIn, cognito: LocalCognito) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)

    def refuse(user: Any, user_removed: bool, **kwargs: Any) -> None:
        assert (user, user_removed) == (User.objects.get(), True)
        raise RuntimeError("not yet")

    person_erased.connect(refuse, weak=False, dispatch_uid="t")
    try:
        with pytest.raises(RuntimeError, match="not yet"):
            erased()
    finally:
        person_erased.disconnect(dispatch_uid="t")
    assert MigratedUser.objects.exists()
    assert not Erasure.objects.exists()

"""Telling the pool who has left it: on a local Cognito, from the pages, after commit, and taken back by an undo."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.utils import timezone

from cognito_passwordless.exceptions import DispatchFailed
from cognito_passwordless.flows.lifecycle import undo
from cognito_passwordless.flows.pool_sync import outbox, worker
from cognito_passwordless.flows.pool_sync.worker import RetryLater, update_pool
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ConnectionState, JourneyEvent, MigratedUser, PhoneNumber, PoolNotice
from cognito_passwordless.tasks import mark_migrated_in_pool

from ..people import ANN, SignIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws_identity")]
ALL = ["mark", "sign_out", "disable"]
CHANGES = {"AdminUpdateUserAttributes", "AdminUserGlobalSignOut", "AdminDisableUser"}

Connect = Callable[..., Any]


@pytest.fixture
def leaving(cognito: LocalCognito, connect: Connect) -> Callable[..., LocalPool]:
    """A pool that is told of those who leave it, with Ann in it."""

    def make(*words: str, **chosen: Any) -> LocalPool:
        pool = cognito.create_pool("leaving")
        connect(pool, after_migration=list(words or ALL), **chosen)
        pool.add_user(ANN)
        return pool

    return make


def in_pool(cognito: LocalCognito, pool: LocalPool) -> dict[str, Any]:
    """What the pool itself says of its only person."""
    client: Any = boto3.client("cognito-idp", region_name=cognito.region, endpoint_url=cognito.url)
    (user,) = client.list_users(UserPoolId=pool.id)["Users"]
    marks = {row["Name"]: row["Value"] for row in user["Attributes"] if row["Name"].startswith("custom:")}
    return {"enabled": user["Enabled"], **marks}


def the_notice() -> PoolNotice:
    return PoolNotice.objects.get()


def told() -> list[tuple[str, str]]:
    events = JourneyEvent.objects.filter(step=worker.STEP).order_by("pk")
    return list(events.values_list("outcome", "cause"))


def changes(cognito: LocalCognito, since: int) -> list[str]:
    return [call.operation for call in cognito.calls[since:] if call.operation in CHANGES]


def quick(pk: int) -> None:
    update_pool(pk, clock=timezone.now, sleep=lambda seconds: None)


class TestAfterAMigration:
    def test_the_pool_marks_signs_out_and_disables(
        self, leaving: Callable[..., LocalPool], cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        pool, since = leaving("disable", "mark", "sign_out"), len(cognito.calls)
        sign_in.at_pool(ANN)
        record = MigratedUser.objects.get()
        assert record.migrated_at
        mark = f"{record.migrated_at:%Y-%m-%dT%H:%M:%SZ}"
        assert in_pool(cognito, pool) == {"enabled": False, "custom:migrated": mark}
        assert changes(cognito, since) == ["AdminUpdateUserAttributes", "AdminUserGlobalSignOut", "AdminDisableUser"]
        assert told() == [("ok", "mark,sign_out,disable")]
        assert not the_notice().waiting

    def test_nothing_is_told_unless_the_connection_says_so(
        self, pool: LocalPool, cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        pool.add_user(ANN)
        since = len(cognito.calls)
        sign_in.at_pool(ANN)
        assert changes(cognito, since) == []
        assert not PoolNotice.objects.exists()

    def test_the_attribute_is_the_connections(
        self, leaving: Callable[..., LocalPool], cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        pool = leaving("mark", migrated_attribute="custom:moved_on")
        sign_in.at_pool(ANN)
        assert "custom:moved_on" in in_pool(cognito, pool)

    def test_refresh_tokens_of_other_apps_die(
        self, leaving: Callable[..., LocalPool], cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        pool = leaving("sign_out")
        backend = pool._backend.user_pools[pool.id]
        (user,) = backend.users.values()
        token, _ = backend.create_refresh_token(pool.client_id, user.username)
        sign_in.at_pool(ANN)
        assert backend.refresh_tokens[token] is None

    def test_they_come_in_by_our_own_code_from_then_on(
        self, leaving: Callable[..., LocalPool], sign_in: SignIn
    ) -> None:
        leaving()
        sign_in.at_pool(ANN)
        sign_in.by_our_code(ANN)

    def test_a_sign_in_neither_fails_nor_waits_when_the_pool_does_not_take_it(
        self, leaving: Callable[..., LocalPool], cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        pool = leaving()
        for error in ("500", "throttle"):
            cognito.fail("AdminUpdateUserAttributes", error, pool_id=pool.id)
        sign_in.at_pool(ANN)
        assert the_notice().waiting
        assert in_pool(cognito, pool) == {"enabled": True}


@pytest.fixture
def waiting(leaving: Callable[..., LocalPool], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> LocalPool:
    """Ann has been migrated, and no worker took the message."""

    def nobody(pk: int) -> None:
        raise DispatchFailed("broker")

    monkeypatch.setattr("cognito_passwordless.tasks.mark_inline", nobody)
    pool = leaving()
    sign_in.at_pool(ANN)
    assert the_notice().waiting
    return pool


class TestTheWayIn:
    def test_whoever_would_have_none_is_not_disabled(self, waiting: LocalPool, cognito: LocalCognito) -> None:
        EmailAddress.objects.all().delete()
        get_user_model().objects.update(email="")
        quick(the_notice().pk)
        assert in_pool(cognito, waiting)["enabled"]
        assert told() == [("ok", "mark,sign_out,no_way_in")]

    @pytest.mark.parametrize("country", ["DE", "AT"])
    def test_is_a_number_where_sms_go_to(
        self, waiting: LocalPool, cognito: LocalCognito, settings: Any, country: str
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SMS_COUNTRIES": [country]}
        EmailAddress.objects.all().delete()
        get_user_model().objects.update(email="")
        PhoneNumber.objects.create(user=get_user_model().objects.get(), number="+4915112345678", verified=True)
        quick(the_notice().pk)
        assert in_pool(cognito, waiting)["enabled"] == (country == "AT")


class TestTheQueue:
    def test_its_message_holds_an_id_and_nothing_else(
        self, waiting: LocalPool, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        sent: list[Any] = []
        monkeypatch.setattr(mark_migrated_in_pool, "apply_async", lambda args, **options: sent.append(args))
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "celery"}
        assert outbox.hand_over(the_notice().pk)
        assert json.loads(json.dumps(sent)) == [[MigratedUser.objects.get().pk]]

    def test_what_no_worker_took_is_handed_out_again_after_an_hour(
        self, waiting: LocalPool, cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cognito_passwordless.tasks.mark_inline", quick)
        assert outbox.hand_over_again(timezone.now() + timedelta(minutes=59)) == 0
        assert outbox.hand_over_again(timezone.now() + timedelta(minutes=61)) == 1
        assert not in_pool(cognito, waiting)["enabled"]
        assert outbox.hand_over_again(timezone.now() + timedelta(hours=9)) == 0

    def test_a_second_run_does_nothing(self, waiting: LocalPool, cognito: LocalCognito) -> None:
        quick(the_notice().pk)
        since = len(cognito.calls)
        quick(the_notice().pk)
        assert cognito.calls[since:] == []
        assert len(told()) == 1

    def test_two_workers_do_not_tell_at_once(self, waiting: LocalPool, cognito: LocalCognito) -> None:
        PoolNotice.objects.update(held_until=timezone.now() + timedelta(seconds=30))
        since = len(cognito.calls)
        with pytest.raises(RetryLater, match="busy"):
            quick(the_notice().pk)
        assert cognito.calls[since:] == []

    def test_after_one_that_died_another_goes_on(self, waiting: LocalPool, cognito: LocalCognito) -> None:
        PoolNotice.objects.update(held_until=timezone.now() - timedelta(seconds=1), told={"mark": "done"})
        since = len(cognito.calls)
        quick(the_notice().pk)
        assert changes(cognito, since) == ["AdminUserGlobalSignOut", "AdminDisableUser"]
        assert told() == [("ok", "mark,sign_out,disable")]

    def test_a_call_that_may_have_been_made_is_made_again(self, waiting: LocalPool, cognito: LocalCognito) -> None:
        cognito.fail("AdminDisableUser", "500", pool_id=waiting.id)
        with pytest.raises(RetryLater):
            quick(the_notice().pk)
        assert the_notice().told["disable"] == "begun"
        since = len(cognito.calls)
        quick(the_notice().pk)
        assert changes(cognito, since) == ["AdminDisableUser"]


class TestWhenThePoolRefuses:
    @pytest.mark.parametrize("error", ["throttle", "500", "TooManyRequestsException"])
    def test_what_passes_is_tried_again_from_where_it_was(
        self, waiting: LocalPool, cognito: LocalCognito, error: str
    ) -> None:
        cognito.fail("AdminUserGlobalSignOut", error, pool_id=waiting.id)
        with pytest.raises(RetryLater) as failed:
            quick(the_notice().pk)
        assert failed.value.tries == 1
        assert told() == []
        since = len(cognito.calls)
        quick(the_notice().pk)
        assert changes(cognito, since) == ["AdminUserGlobalSignOut", "AdminDisableUser"]
        assert told() == [("ok", "mark,sign_out,disable")]

    def test_after_six_tries_it_rests_and_says_so_once(self, waiting: LocalPool, cognito: LocalCognito) -> None:
        cognito.fail("AdminUpdateUserAttributes", "throttle", times=12, pool_id=waiting.id)
        for _ in range(2):
            for _ in range(worker.MAX_TRIES - 1):
                with pytest.raises(RetryLater):
                    quick(the_notice().pk)
            quick(the_notice().pk)
        assert told() == [("failed", "throttled")]
        quick(the_notice().pk)
        assert told()[-1] == ("ok", "mark,sign_out,disable")

    def test_a_missing_right_is_not_tried_again_at_once_and_not_forgotten(
        self, waiting: LocalPool, cognito: LocalCognito
    ) -> None:
        cognito.fail("AdminUpdateUserAttributes", "AccessDeniedException", pool_id=waiting.id)
        quick(the_notice().pk)
        assert told() == [("failed", "misconfigured")]
        assert (the_notice().waiting, the_notice().cause) == (True, "misconfigured")

    def test_somebody_who_is_gone_is_not_looked_for_again(self, waiting: LocalPool) -> None:
        waiting._backend.user_pools[waiting.id].users.clear()
        quick(the_notice().pk)
        assert told() == [("refused", "unknown_user")]
        assert not the_notice().waiting

    def test_another_person_of_the_same_name_is_left_alone(self, waiting: LocalPool, cognito: LocalCognito) -> None:
        """Ann has gone, and somebody else has her user name now."""
        users = waiting._backend.user_pools[waiting.id].users
        users.clear()
        waiting.add_user("else@example.com", username="ann")
        MigratedUser.objects.update(username="ann")
        quick(the_notice().pk)
        assert in_pool(cognito, waiting) == {"enabled": True}

    def test_a_person_of_another_provider_is_named_by_user_name(
        self, leaving: Callable[..., LocalPool], cognito: LocalCognito
    ) -> None:
        from cognito_passwordless.cognito import disable_user, username_of
        from cognito_passwordless.connections import find

        pool = leaving()
        sub = pool.add_federated_user("Google", "123", "zoe@example.com")
        connection = find("main")
        assert connection
        assert username_of(connection, sub) == "Google_123"
        disable_user(connection, username_of(connection, sub))
        assert not pool._backend.user_pools[pool.id].users["Google_123"].enabled

    @pytest.mark.parametrize("how", ["settings", "cut-over"])
    def test_a_retired_pool_is_never_called(
        self, waiting: LocalPool, cognito: LocalCognito, settings: Any, how: str
    ) -> None:
        if how == "settings":
            settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"][0]["settings"]["retired"] = True
        else:
            ConnectionState.objects.create(alias="main", retired_at=timezone.now())
        since = len(cognito.calls)
        quick(the_notice().pk)
        assert cognito.calls[since:] == []
        assert not the_notice().waiting

    def test_a_pool_that_took_the_name_over_is_never_called(
        self, waiting: LocalPool, cognito: LocalCognito, settings: Any
    ) -> None:
        settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"][0]["settings"]["issuer"] = "https://other.example.com"
        since = len(cognito.calls)
        quick(the_notice().pk)
        assert cognito.calls[since:] == []

    def test_a_full_queue_gives_the_place_back(self, waiting: LocalPool, settings: Any) -> None:
        limits = {"cognito_changes": "1/1h"}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": limits}
        with pytest.raises(RetryLater, match="quota"):
            quick(the_notice().pk)
        assert (the_notice().held_until, the_notice().tries) == (None, 0)


class TestAnUndo:
    def test_enables_them_and_takes_the_mark_away(
        self, leaving: Callable[..., LocalPool], cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        pool = leaving()
        sign_in.at_pool(ANN)
        MigratedUser.objects.update(pool_enabled=False)  # as an import has seen it
        undo.undo(MigratedUser.objects.get().pk, now=timezone.now())
        assert in_pool(cognito, pool) == {"enabled": True}
        assert told()[-1] == ("ok", "undisable,unmark")
        sign_in.at_pool(ANN)
        assert not in_pool(cognito, pool)["enabled"]
        assert told()[-1] == ("ok", "mark,sign_out,disable")

    def test_of_a_retired_pool_lets_them_in_by_our_code(
        self, leaving: Callable[..., LocalPool], cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        leaving()
        sign_in.at_pool(ANN)
        MigratedUser.objects.update(pool_enabled=False)
        ConnectionState.objects.create(alias="main", retired_at=timezone.now())
        undo.undo(MigratedUser.objects.get().pk, now=timezone.now())
        sign_in.by_our_code(ANN)

    def test_while_a_worker_is_at_it_wins(
        self, waiting: LocalPool, cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The worker has read "migrated" and is about to disable; the undo commits in between."""
        real = worker._APPLY["disable"]

        def undone_meanwhile(connection: Any, username: str) -> None:
            undo.undo(MigratedUser.objects.get().pk, now=timezone.now())
            real(connection, username)

        monkeypatch.setattr(worker, "_APPLY", {**worker._APPLY, "disable": undone_meanwhile})
        quick(the_notice().pk)
        assert the_notice().waiting
        quick(the_notice().pk)
        assert in_pool(cognito, waiting) == {"enabled": True}
        assert not the_notice().waiting

    def test_of_somebody_of_whom_nothing_was_told_calls_nobody(
        self, waiting: LocalPool, cognito: LocalCognito
    ) -> None:
        undo.undo(MigratedUser.objects.get().pk, now=timezone.now())
        since = len(cognito.calls)
        quick(the_notice().pk)
        assert cognito.calls[since:] == []
        assert told() == []

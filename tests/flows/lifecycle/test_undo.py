"""Taking a migration back, and signing in again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from cognito_passwordless.flows.accounts.errors import ActionRefused
from cognito_passwordless.flows.events import audit
from cognito_passwordless.flows.lifecycle import undo
from cognito_passwordless.flows.lifecycle.undo import preview
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ImportRun, JourneyEvent, MigratedUser, PhoneNumber
from cognito_passwordless.signals import migration_undone

from ..people import ANN, SignIn

pytestmark = pytest.mark.django_db(transaction=True)


def undone(record: MigratedUser, choice: undo.Choice | None = None) -> str:
    return undo.undo(record.pk, choice=choice, now=timezone.now(), by="command").outcome


def the_record() -> MigratedUser:
    return MigratedUser.objects.get()


class TestAUserWhomTheMigrationMade:
    def test_goes_and_the_next_sign_in_makes_one_again(self, pool: LocalPool, sign_in: SignIn) -> None:
        pool.add_user(ANN)
        first = sign_in.at_pool(ANN)
        assert undone(the_record()) == "user_removed"
        assert (the_record().status, the_record().user_id, the_record().migrated_at) == ("pending", None, None)
        assert not User.objects.exists()
        assert not EmailAddress.objects.exists()
        assert not SocialAccount.objects.exists()
        assert sign_in.is_out(first)
        sign_in.at_pool(ANN)
        assert (User.objects.count(), MigratedUser.objects.count(), SocialAccount.objects.count()) == (1, 1, 1)
        assert the_record().status == "migrated"

    @pytest.mark.parametrize("connection_lost", [False, True])
    def test_is_kept_by_choice_and_migrates_again_by_our_code(
        self, pool: LocalPool, sign_in: SignIn, connection_lost: bool
    ) -> None:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        user = User.objects.get()
        if connection_lost:
            SocialAccount.objects.all().delete()
        assert undone(the_record(), "keep") == "user_kept"
        assert (the_record().status, the_record().user) == ("pending", user)
        sign_in.by_our_code(ANN)
        assert User.objects.get() == user
        assert (the_record().status, the_record().method, the_record().user) == ("migrated", "local_otp", user)
        assert SocialAccount.objects.get().user == user
        # And it is still known that the user is the migration's.
        assert preview(the_record()).created

    @pytest.mark.parametrize("gain", ["password", "later sign-in", "phone number", "e-mail address", "group"])
    def test_who_has_gained_something_is_kept_unless_somebody_says_otherwise(
        self, pool: LocalPool, sign_in: SignIn, gain: str
    ) -> None:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        user = User.objects.get()
        if gain == "password":
            user.set_password("theirs")
        elif gain == "later sign-in":
            user.last_login = timezone.now() + timedelta(hours=1)
        elif gain == "phone number":
            PhoneNumber.objects.create(user=user, number="+4915112345678", verified=True)
        elif gain == "e-mail address":
            EmailAddress.objects.create(user=user, email="ann@example.net")
        else:
            user.groups.add(Group.objects.create(name="editors"))
        user.save()
        found = preview(the_record())
        assert (found.default, len(found.gained), list(found.gained.values())) == ("keep", 1, [1])
        assert undone(the_record()) == "user_kept"
        MigratedUser.objects.update(status="migrated")
        assert undone(the_record(), "remove") == "user_removed"
        assert not User.objects.exists()

    def test_has_gained_nothing_by_the_migration_itself(self, pool: LocalPool, sign_in: SignIn, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {
            **settings.COGNITO_PASSWORDLESS,
            "GROUPS": {"staff": "members"},
            "ATTRIBUTES": {"given_name": "first_name"},
        }
        Group.objects.create(name="members")
        pool.add_user(ANN, groups=["staff"])
        sign_in.at_pool(ANN)
        assert User.objects.get().groups.count() == 1
        found = preview(the_record())
        assert (found.created, found.gained, found.default) == (True, {}, "remove")

    def test_is_kept_where_rows_of_the_site_forbid_removing_them(
        self, pool: LocalPool, sign_in: SignIn, monkeypatch: Any
    ) -> None:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        monkeypatch.setattr(
            "cognito_passwordless.flows.lifecycle.dependents._related_rows",
            lambda user: [(Group, User.objects.filter(pk=user.pk), undo.dependents.PROTECT)],
        )
        assert preview(the_record()).default == "keep"
        with pytest.raises(ActionRefused, match="protected_rows"):
            undone(the_record(), "remove")
        assert undone(the_record()) == "user_kept"


class TestAUserWhoWasThereBefore:
    def migrate(self, pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User], **fields: Any) -> User:
        user = make_user(ANN, **fields)
        MigratedUser.objects.create(
            connection="main",
            pool=pool.id,
            sub=pool.add_user(ANN),
            email=ANN,
            attributes={"email_verified": "true", "given_name": "Ann", "family_name": "Pool"},
        )
        sign_in.by_our_code(ANN)
        assert the_record().status == "migrated"
        return user

    def test_keeps_all_but_what_was_added(
        self, pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User], settings: Any
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {
            **settings.COGNITO_PASSWORDLESS,
            "ATTRIBUTES": {"given_name": "first_name", "family_name": "last_name"},
        }
        user = self.migrate(pool, sign_in, make_user, password="theirs")
        user.refresh_from_db()
        assert (user.first_name, user.last_name) == ("Ann", "Pool")
        user.last_name = "Changed since"
        user.save()
        assert undone(the_record()) == "link_removed"
        user.refresh_from_db()
        assert (user.first_name, user.last_name) == ("", "Changed since")
        assert user.check_password("theirs")
        assert EmailAddress.objects.get().verified
        assert not SocialAccount.objects.exists()
        sign_in.by_our_code(ANN)
        assert (the_record().status, the_record().user) == ("migrated", user)
        assert User.objects.count() == SocialAccount.objects.count() == 1

    def test_keeps_a_group_they_were_in_and_an_account_they_had(
        self, pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User], settings: Any
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "GROUPS": {"a": "one", "b": "two"}}
        one, two = (Group.objects.create(name=name) for name in ("one", "two"))
        user = make_user(ANN)
        user.groups.add(one)
        sub = pool.add_user(ANN, groups=["a", "b"])
        SocialAccount.objects.create(user=user, provider="main", uid=sub)
        attributes = {"email_verified": "true", "cognito:groups": ["a", "b"]}
        MigratedUser.objects.create(connection="main", pool=pool.id, sub=sub, email=ANN, attributes=attributes)
        sign_in.by_our_code(ANN)
        assert set(user.groups.all()) == {one, two}
        undone(the_record())
        assert set(user.groups.all()) == {one}
        assert SocialAccount.objects.get().user == user

    @pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
    def test_is_left_alone_when_they_are_staff(
        self, pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User], right: str
    ) -> None:
        user = self.migrate(pool, sign_in, make_user)
        User.objects.filter(pk=user.pk).update(**{right: True})
        with pytest.raises(ActionRefused, match="privileged_user"):
            undone(the_record())
        assert the_record().status == "migrated"


def test_two_pool_users_of_one_account_take_it_with_them_when_the_last_one_goes(
    pool: LocalPool, sign_in: SignIn
) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    first, user = the_record(), User.objects.get()
    twin = MigratedUser.objects.create(connection="main", pool=pool.id, sub="t", user=user, status="migrated")
    assert undone(first) == "link_removed"
    assert User.objects.get() == user
    twin.refresh_from_db()
    assert undone(twin) == "user_removed"


def test_a_second_time_there_is_nothing_to_undo(pool: LocalPool, sign_in: SignIn) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    undone(the_record())
    with pytest.raises(ActionRefused, match="not_migrated"):
        undone(the_record())
    with pytest.raises(ActionRefused, match="no_such_person"):
        undo.undo(0, now=timezone.now())


def test_it_is_on_the_timeline_and_told_to_observers(pool: LocalPool, sign_in: SignIn) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    told: list[str] = []
    migration_undone.connect(lambda outcome, **_: told.append(outcome), weak=False, dispatch_uid="t")
    try:
        undone(the_record())
    finally:
        migration_undone.disconnect(dispatch_uid="t")
    event = JourneyEvent.objects.get(attempt=audit.attempt_of(the_record()))
    assert (event.step, event.outcome, event.cause, event.data) == ("undone", "ok", "user_removed", {"by": "command"})
    assert told == ["user_removed"]


def test_somebody_of_a_hosted_login_comes_in_again_as_the_same_user(pool: LocalPool) -> None:
    """A hosted login proves no address, so only the record says who they are."""
    from cognito_passwordless import connections
    from cognito_passwordless.cognito import CognitoProfile
    from cognito_passwordless.flows.migration import migrate

    connection = connections.find("main")
    profile = CognitoProfile(pool=pool.id, sub="s", email=ANN, proven=frozenset())

    def come() -> Any:
        method = MigratedUser.Method.COGNITO_OIDC
        return migrate(profile, connection=connection, method=method, now=timezone.now()).user

    user = come()
    undone(the_record(), "keep")
    assert come() == user
    undone(the_record(), "remove")
    assert come() != user
    assert get_user_model().objects.count() == 1


class TestDuringTheirSignIn:
    """What the race tests meet by chance, each in its own moment."""

    def test_whoever_loses_their_user_before_they_are_signed_in_gets_another_one(
        self, pool: LocalPool, sign_in: SignIn, monkeypatch: Any
    ) -> None:
        from cognito_passwordless.flows.sign_in import completion

        migrate = completion.migrate
        outcomes: list[str] = []

        def then_undone(*arguments: Any, **named: Any) -> Any:
            done = migrate(*arguments, **named)
            if not outcomes:
                outcomes.append(undone(the_record()))
            return done

        pool.add_user(ANN)
        monkeypatch.setattr(completion, "migrate", then_undone)
        client = sign_in.at_pool(ANN)
        assert outcomes == ["user_removed"]
        assert (the_record().status, the_record().user) == ("migrated", User.objects.get())
        assert not sign_in.is_out(client)

    @pytest.mark.parametrize("before_it_is_looked_at", [True, False])
    def test_a_returning_one_by_our_code_is_migrated_again(
        self, pool: LocalPool, sign_in: SignIn, monkeypatch: Any, before_it_is_looked_at: bool
    ) -> None:
        from cognito_passwordless.flows.sign_in import completion

        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        migrate = completion.migrate
        outcomes: list[str] = []

        def undone_meanwhile(*arguments: Any, **named: Any) -> Any:
            if before_it_is_looked_at and not outcomes:
                outcomes.append(undone(the_record(), "remove"))
            done = migrate(*arguments, **named)
            if not outcomes:
                outcomes.append(undone(the_record(), "remove"))
            return done

        monkeypatch.setattr(completion, "migrate", undone_meanwhile)
        client = sign_in.by_our_code(ANN)
        assert (the_record().status, the_record().method) == ("migrated", "local_otp")
        assert User.objects.count() == SocialAccount.objects.count() == 1
        assert not sign_in.is_out(client)

    def test_an_error_of_another_kind_is_told(self, pool: LocalPool, sign_in: SignIn, monkeypatch: Any) -> None:
        from django.db import DatabaseError

        from cognito_passwordless.flows.sign_in import completion

        def broken(*arguments: Any, **named: Any) -> Any:
            raise DatabaseError("of the site's own")

        pool.add_user(ANN)
        monkeypatch.setattr(completion.compat, "finish_login", broken)
        with pytest.raises(DatabaseError, match="of the site's own"):
            sign_in.at_pool(ANN)


def test_who_came_in_by_a_wrong_link_is_out_after_the_undo(
    pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User]
) -> None:
    make_user(ANN)
    MigratedUser.objects.create(
        connection="main", pool=pool.id, sub=pool.add_user(ANN), email=ANN, attributes={"email_verified": "true"}
    )
    client = sign_in.by_our_code(ANN)
    assert undone(the_record()) == "link_removed"
    assert sign_in.is_out(client)


def test_a_run_is_undone_in_batches_and_goes_on_where_it_stopped(monkeypatch: Any, db: None) -> None:
    monkeypatch.setattr(undo, "BATCH", 2)
    now = timezone.now()
    run = ImportRun.objects.create(connection="main", started_at=now, updated_at=now)
    for number in range(5):
        user = User.objects.create_user(f"u{number}", is_staff=number == 4)
        MigratedUser.objects.create(
            connection="main", pool="i", sub=str(number), user=user, status="migrated", migrated_at=now,
            import_run=run, changes={"user": True},
        )  # fmt: skip
    MigratedUser.objects.create(connection="main", pool="i", sub="other", status="migrated", migrated_at=now)
    assert undo.totals(undo.of_run(run.pk), None) == {"user_removed": 4, "privileged_user": 1}
    begun = undo.undo_run(run.pk, now=now)
    assert next(begun) == {"user_removed": 2}
    begun.close()
    assert sum(undo.undo_run(run.pk, now=now), start=undo.Counter()) == {"user_removed": 2, "privileged_user": 1}
    assert list(MigratedUser.objects.filter(status="migrated").values_list("sub", flat=True)) == ["4", "other"]


def test_both_databases_lock_by_a_write_first(pool: LocalPool, sign_in: SignIn, cognito: LocalCognito) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    with CaptureQueriesContext(connection) as captured:
        undone(the_record())
    statements = [query["sql"] for query in captured.captured_queries]
    begin = next(position for position, sql in enumerate(statements) if sql.startswith(("BEGIN", "UPDATE")))
    after = [sql for sql in statements[begin:] if not sql.startswith("BEGIN")]
    assert after[0].startswith("UPDATE")


def test_a_browser_that_was_signed_in_is_not_any_more(pool: LocalPool, sign_in: SignIn) -> None:
    pool.add_user(ANN)
    client = sign_in.at_pool(ANN)
    assert isinstance(client, Client)
    assert not sign_in.is_out(client)
    undone(the_record())
    assert sign_in.is_out(client)

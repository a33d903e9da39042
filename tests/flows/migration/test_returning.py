"""Somebody returns with another address in the pool: who is told of what goes, and what the timeline says."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import translation

from cognito_passwordless.cognito import CognitoProfile, Connection
from cognito_passwordless.delivery import Failure, Message, SendFailed
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.flows.migration import Migrated, migrate
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser, PhoneNumber

from ...hosted.conftest import Trip, hosted, trip  # noqa: F401  (fixtures)
from ...local.caller import Caller
from ..people import SignIn

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD, NEW, NUMBER = "old@example.com", "new@example.org", "+4915123456789"
CONNECTION = Connection(alias="main", region="eu-west-1", user_pool_id="eu-west-1_Abc123xyz", client_id="client")
CHANGED = "Your address for signing in to Example has changed"


def come(email: str, *, proven: set[str] | None = None, alone: bool = True, **facts: Any) -> Migrated:
    shown = frozenset({email} if proven is None else proven)
    person = CognitoProfile(pool=CONNECTION.pool, sub="sub-1", username="ann", email=email, proven=shown, **facts)
    return migrate(person, connection=CONNECTION, method=MigratedUser.Method.COGNITO_OTP, now=NOW, alone=alone)


def told(outbox: list[Message]) -> dict[str, str]:
    """The mails about the change, by who got them."""
    return {mail.recipient: mail.text for mail in outbox if mail.subject == CHANGED}


def change(cognito: LocalCognito, pool: LocalPool) -> None:
    attributes = [{"Name": "email", "Value": NEW}, {"Name": "email_verified", "Value": "true"}]
    Caller(cognito, pool).boto.admin_update_user_attributes(
        UserPoolId=pool.id, Username=OLD, UserAttributes=attributes
    )


class TestBothAddressesAreTold:
    def test_each_what_it_opens_now_and_neither_reads_the_other(self, outbox: list[Message]) -> None:
        come(OLD)
        come(NEW)
        mails = told(outbox)
        assert {*mails} == {OLD, NEW}
        assert "no longer opens your account at Example. Another one does now:\n\nn•••@e•••.org\n" in mails[OLD]
        assert "somebody else may be in your account" in mails[OLD]
        assert "now opens your account at Example" in mails[NEW]
        assert "before no longer does:\n\no•••@e•••.com\n" in mails[NEW]
        for mail in outbox:
            for text in (mail.text, mail.html):
                assert {OLD, NEW}.isdisjoint(text.split())
                assert "•••@e•••." in text
                assert "https://www.example.com" in text
            assert mail.html.count("href=") == 1, "a link to the site, without a token"
            assert 'href="https://www.example.com"' in mail.html

    def test_once(self, outbox: list[Message]) -> None:
        come(OLD)
        come(NEW)
        come(NEW)
        assert len(outbox) == 2

    @pytest.mark.parametrize("policy", ["none", "empty", "all"])
    def test_whatever_else_a_return_may_write(self, settings: Any, outbox: list[Message], policy: str) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "UPDATE_ON_RETURN": policy}
        come(OLD)
        come(NEW)
        assert {*told(outbox)} == {OLD, NEW}

    def test_in_the_persons_language(self, outbox: list[Message]) -> None:
        come(OLD)
        with translation.override("de"):
            come(NEW)
        assert [mail.recipient for mail in outbox] == [OLD, NEW]
        assert all("Ihr Konto bei Example" in mail.text and 'lang="de"' in mail.html for mail in outbox)

    def test_not_before_it_is_true(self, outbox: list[Message]) -> None:
        come(OLD)
        with transaction.atomic():
            come(NEW)
            assert outbox == []
        assert len(outbox) == 2

    def test_not_of_what_was_taken_back(self, outbox: list[Message]) -> None:
        come(OLD)
        with transaction.atomic():
            come(NEW)
            transaction.set_rollback(True)
        assert outbox == []

    def test_by_the_pools_own_code(
        self, sign_in: SignIn, pool: LocalPool, cognito: LocalCognito, outbox: list[Message]
    ) -> None:
        pool.add_user(OLD)
        sign_in.at_pool(OLD)
        change(cognito, pool)
        sign_in.at_pool(NEW)
        assert list(EmailAddress.objects.values_list("email", flat=True)) == [NEW]
        assert {*told(outbox)} == {OLD, NEW}

    def test_by_a_hosted_login(
        self,
        hosted: Callable[..., LocalPool],  # noqa: F811
        trip: Callable[[LocalPool], Trip],  # noqa: F811
        cognito: LocalCognito,
        sent_code: Callable[[], str],
        settings: Any,
        outbox: list[Message],
    ) -> None:
        """It proves no address; the code before it does. Django had never verified the old one: the pool had."""
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
        pool = hosted(people=False)
        pool.add_user(OLD)
        trip(pool).sign_in(OLD)
        EmailAddress.objects.create(user=User.objects.get(), email=NEW)
        change(cognito, pool)
        visit = trip(pool)
        visit.client.post("/login/", {"identifier": NEW, "by": "code"})
        visit.client.post("/login/code/", {"code": sent_code()})
        there = visit.client.post("/login/code/join/", {"join": "yes"})
        visit.arrive(visit.prove(visit.leave(there.headers["Location"]), NEW))
        assert visit.user_id == str(User.objects.get().pk)
        assert list(EmailAddress.objects.values_list("email", "verified")) == [(NEW, True)]
        assert {*told(outbox)} == {OLD, NEW}

    def test_the_sign_in_does_not_fail_where_no_mail_can_be_sent(
        self,
        sign_in: SignIn,
        pool: LocalPool,
        cognito: LocalCognito,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        pool.add_user(OLD)
        sign_in.at_pool(OLD)
        change(cognito, pool)

        def down(sender: MemorySender, message: Message) -> str:
            raise SendFailed("down", Failure.LATER)

        monkeypatch.setattr(MemorySender, "send", down)
        sign_in.at_pool(NEW)
        for notice in ("old_address", "new_address"):
            assert f"An owner could not be told ({notice}): down" in caplog.text


class TestNobodyIsTold:
    def test_where_nothing_goes(self, outbox: list[Message]) -> None:
        """What they have verified here by themselves stays."""
        user = come("", phone_number=NUMBER, proven={NUMBER}).user
        EmailAddress.objects.create(user_id=user.pk, email=OLD, verified=True, primary=True)
        come(NEW)
        assert set(EmailAddress.objects.values_list("email", flat=True)) == {OLD, NEW}
        assert outbox == []

    def test_at_an_old_address_that_nobody_had_proven(self, outbox: list[Message]) -> None:
        """Whoever has it may be a stranger: somebody wrote it into the pool."""
        come(OLD, proven=set())
        come(NEW)
        assert list(EmailAddress.objects.values_list("email", flat=True)) == [NEW]
        assert {*told(outbox)} == {NEW}

    def test_of_a_number_for_a_verified_one_stays(self, outbox: list[Message]) -> None:
        come("", phone_number=NUMBER, proven={NUMBER})
        come("", phone_number="+4915198765432", proven={"+4915198765432"})
        assert PhoneNumber.objects.get().number == NUMBER
        assert outbox == []


class TestAnAddressOfSomebodyElses:
    @pytest.fixture(autouse=True)
    def other(self, make_user: Callable[..., User]) -> User:
        return make_user(NEW)

    def test_is_news_once_where_the_pool_has_it_and_their_record_does_not(self) -> None:
        assert come(OLD).left_out == ""
        returns = [come(NEW, proven=set()) for _ in range(3)]
        assert [one.left_out for one in returns] == ["address_dropped", "", ""]
        assert come(NEW, proven=set(), email_verified=True).left_out == "", "the pool's word is no news of the address"

    def test_is_no_news_on_a_return_after_the_migration_told_of_it(self) -> None:
        assert come(NEW, phone_number=NUMBER, proven={NUMBER}).left_out == "address_dropped"
        assert come(NEW, phone_number=NUMBER, proven={NUMBER}).left_out == ""

    def test_is_news_once_more_where_they_prove_it(self, other: User) -> None:
        come(OLD)
        come(NEW, proven=set())
        assert [come(NEW).left_out for _ in range(2)] == ["address_is_anothers", ""]
        assert EmailAddress.objects.get(email=NEW).user_id == other.pk

    def test_is_not_kept_in_their_record(self) -> None:
        """Its owner may want to be forgotten."""
        come(OLD)
        come(NEW, proven=set())
        record = MigratedUser.objects.get()
        assert NEW not in str({**vars(record)})
        assert len(record.changes["left_out"]) == 1

    def test_is_none_that_somebody_has_merely_written(self, other: User) -> None:
        EmailAddress.objects.filter(user=other).update(verified=False)
        come(OLD)
        assert come(NEW, proven=set()).left_out == ""

    def test_is_claimed_in_vain_by_somebody_whose_user_was_deleted(self, settings: Any) -> None:
        """Such a claim is looked at for the timeline of those who return: it changes nothing for anybody else."""
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DELETED_USER_RETURNS": "new_user"}
        come(OLD).user.delete()
        assert come(NEW, proven=set(), alone=False).created

    def test_is_told_of_at_the_step_of_the_migration(
        self,
        hosted: Callable[..., LocalPool],  # noqa: F811
        trip: Callable[[LocalPool], Trip],  # noqa: F811
    ) -> None:
        pool = hosted(people=False)
        pool.add_user(NEW)
        visit = trip(pool)
        visit.sign_in(NEW)
        visit.client.post("/login/code/join/", {"join": "no"})
        events = JourneyEvent.objects.filter(step__in=["migrated", "signed_in"]).order_by("pk")
        assert list(events.values_list("step", "cause")) == [("migrated", "address_dropped"), ("signed_in", "")]

    def test_is_on_the_timeline_and_no_second_migration(
        self,
        hosted: Callable[..., LocalPool],  # noqa: F811
        trip: Callable[[LocalPool], Trip],  # noqa: F811
        cognito: LocalCognito,
    ) -> None:
        pool = hosted(people=False)
        pool.add_user(OLD)
        trip(pool).sign_in(OLD)
        change(cognito, pool)
        for _ in range(2):
            assert trip(pool).sign_in(NEW).status_code == 302
        events = JourneyEvent.objects.filter(step__in=["migrated", "signed_in"]).order_by("pk")
        assert list(events.values_list("step", "outcome", "cause", "category")) == [
            ("migrated", "ok", "", ""),
            ("signed_in", "ok", "", ""),
            ("signed_in", "ok", "address_dropped", "flow"),
            ("signed_in", "ok", "", ""),
        ]

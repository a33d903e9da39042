"""What an operator may decide about a conflict, and that only a proof carries it out."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.cognito import CognitoProfile
from cognito_passwordless.exceptions import MigrationConflict, MigrationRefused
from cognito_passwordless.flows.accounts.errors import ActionRefused
from cognito_passwordless.flows.conflicts import cases, resolve
from cognito_passwordless.flows.conflicts.cases import case_of
from cognito_passwordless.flows.events import audit
from cognito_passwordless.flows.importing.gone import expected
from cognito_passwordless.flows.migration import migrate
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser, PhoneNumber

from ..people import ANN, SignIn, waiting

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+4915112345678"
VERIFIED = {"email_verified": "true", "phone_number_verified": "true"}


@pytest.fixture
def known(pool: LocalPool) -> Callable[..., MigratedUser]:
    """A pool user and their record."""

    def make(email: str = ANN, sub: str = "", **fields: Any) -> MigratedUser:
        fields = {"attributes": VERIFIED, "status": "conflict", "last_error": "several_users", **fields}
        sub = sub or pool.add_user(email)
        told = {"connection": "main", "pool": pool.id, "sub": sub, "username": sub, "email": email}
        return MigratedUser.objects.create(**{**told, **fields})

    return make


def decide(record: MigratedUser, key: str) -> cases.Case:
    return resolve.decide(record.pk, key, now=timezone.now(), by="7")


def closed(record: MigratedUser) -> dict[str, str]:
    """Why what is not open is not."""
    return {option.key: option.why_not for option in case_of(record).options if option.why_not}


def by_hosted_login(record: MigratedUser, **facts: Any) -> User:
    connection = connections.find("main")
    profile = CognitoProfile(pool=record.pool, sub=record.sub, email=record.email, proven=frozenset(), **facts)
    method = MigratedUser.Method.COGNITO_OIDC
    return migrate(profile, connection=connection, method=method, now=timezone.now()).user  # type: ignore[return-value]


def two_owners(make_user: Callable[..., User]) -> tuple[User, User]:
    """Ann has the address, Bea the number of one pool user."""
    ann, bea = make_user(ANN), make_user("bea@example.com")
    PhoneNumber.objects.create(user=bea, number=NUMBER, verified=True)
    return ann, bea


class TestTheQueue:
    def test_has_those_who_wait_and_nobody_else(self, known: Callable[..., MigratedUser]) -> None:
        user = User.objects.create_user("x")
        known("lost@example.com", "l", status="migrated")
        known("fine@example.com", "f", status="migrated", user=user)
        known("pending@example.com", "p", status="pending")
        known("out@example.com", "e", status="excluded")
        known("decided@example.com", "d", decision={"choice": "separate"})
        twin = {"status": "pending", "shares_address": True, "last_error": ""}
        twins = [known("t@example.com", "t", **twin), known("T@example.com", "u", **twin)]
        known("alone@example.com", "a", **twin)
        for sub in "vw":
            known("alike@example.com", sub, **twin)
        expected = [*twins, known("c@example.com", "c"), known("g@example.com", "g", status="failed")]
        assert set(waiting()) == {*expected}
        assert cases.reason_of(twins[0]) == "several_pool_users"

    def test_a_twin_that_was_excluded_lets_the_other_go(
        self, known: Callable[..., MigratedUser], sign_in: SignIn
    ) -> None:
        right = known(status="pending", shares_address=True)
        wrong = known(ANN.upper(), sub="wrong", status="pending", shares_address=True)
        assert sign_in.start(ANN.title())[1].decoy_reason == "several_pool_users"
        decide(wrong, "exclude")
        assert not waiting().exists()
        sign_in.at_pool(ANN)
        right.refresh_from_db()
        assert right.status == "migrated"


class TestLinking:
    def test_waits_for_the_proof_and_is_used_once(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, make_user: Callable[..., User]
    ) -> None:
        ann, bea = two_owners(make_user)
        record = known(phone_number=NUMBER)
        case = case_of(record)
        assert {side.user: side.addresses for side in case.sides} == {ann: {ANN: True}, bea: {NUMBER: True}}
        decide(record, f"link:{ann.pk}")
        record.refresh_from_db()
        assert (record.status, record.user, SocialAccount.objects.exists()) == ("pending", None, False)
        sign_in.by_our_code("bea@example.com")
        record.refresh_from_db()
        assert record.status == "pending"
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        assert (record.status, record.user, record.decision) == ("migrated", ann, None)
        assert SocialAccount.objects.get().user == ann
        assert PhoneNumber.objects.get().user == bea
        assert User.objects.count() == 2

    def test_a_hosted_login_is_no_proof_and_leaves_the_decision(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, make_user: Callable[..., User]
    ) -> None:
        ann = make_user(ANN)
        record = known(attributes={}, last_error="address_not_proven")
        option = case_of(record).option(f"link:{ann.pk}")
        assert option is not None
        assert option.effects == ("link_after_proof", "pool_never_verified")
        decide(record, option.key)
        with pytest.raises(MigrationConflict, match="address_not_proven"):
            by_hosted_login(record)
        assert not waiting().exists()
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        assert (record.status, record.user) == ("migrated", ann)
        assert by_hosted_login(record) == ann

    def test_of_several_unproven_accounts_a_human_may_choose_another_than_the_oldest(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, make_user: Callable[..., User]
    ) -> None:
        User.objects.create_user("other", "ANN@example.com")
        one = make_user(ANN, verified=False, password="an unproven holder's")
        record = known()
        option = case_of(record).option(f"link:{one.pk}")
        assert option is not None
        assert "unproven_holder_goes" in option.effects
        decide(record, option.key)
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        one.refresh_from_db()
        assert (record.user, one.has_usable_password()) == (one, False)
        sign_in.by_our_code(ANN)

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"is_staff": True}, "privileged_user"),
            ({"is_superuser": True}, "privileged_user"),
            ({"is_active": False}, "inactive_user"),
        ],
    )
    def test_is_not_offered_for_everybody(
        self, known: Callable[..., MigratedUser], make_user: Callable[..., User], fields: dict[str, bool], why: str
    ) -> None:
        user = make_user(ANN, **fields)
        record = known()
        assert closed(record)[f"link:{user.pk}"] == why
        with pytest.raises(ActionRefused, match="not_offered"):
            decide(record, f"link:{user.pk}")

    def test_is_not_offered_where_somebody_else_proved_the_address(
        self, known: Callable[..., MigratedUser], make_user: Callable[..., User]
    ) -> None:
        holder = make_user(ANN, verified=False)
        EmailAddress.objects.create(user=holder, email="holder@example.net", verified=True)
        other = User.objects.create_user("other")
        EmailAddress.objects.create(user=other, email=ANN, verified=True)
        record = known()
        assert closed(record)[f"link:{holder.pk}"] == "address_is_anothers"
        assert case_of(record).option(f"link:{other.pk}")

    def test_is_refused_to_whoever_became_staff_meanwhile(
        self, known: Callable[..., MigratedUser], make_user: Callable[..., User], sign_in: SignIn, settings: Any
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "STAFF_SIGN_IN": True}
        ann, _ = two_owners(make_user)
        record = known(phone_number=NUMBER)
        decide(record, f"link:{ann.pk}")
        User.objects.filter(pk=ann.pk).update(is_staff=True)
        sign_in.by_our_code(ANN)  # into their own account, which needs no pool
        record.refresh_from_db()
        assert (record.status, record.last_error, record.user) == ("conflict", "privileged_user", None)
        assert record in waiting()

    @pytest.mark.parametrize("change", ["deleted", "lost the address"])
    def test_a_decision_that_has_aged_goes_back_to_the_queue(
        self, known: Callable[..., MigratedUser], make_user: Callable[..., User], sign_in: SignIn, change: str
    ) -> None:
        ann, _ = two_owners(make_user)
        record = known(phone_number=NUMBER)
        decide(record, f"link:{ann.pk}")
        if change == "deleted":
            ann.delete()
        else:
            EmailAddress.objects.filter(user=ann).update(email="new@example.com")
            User.objects.filter(pk=ann.pk).update(email="new@example.com")
        sign_in.at_pool(ANN, status=403)
        record.refresh_from_db()
        assert (record.last_error, record.decision) == ("decision_outdated", None)
        assert record in waiting()

    def test_who_carries_the_sub_is_linked_by_the_pools_sign_in(
        self, known: Callable[..., MigratedUser], make_user: Callable[..., User], settings: Any
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "last_name"}
        record = known()
        matched = make_user("old@example.com", last_name=record.sub)
        other = make_user(ANN)
        assert closed(record)[f"link:{other.pk}"] == "sub_is_anothers"
        decide(record, f"link:{matched.pk}")
        assert by_hosted_login(record) == matched


class TestApart:
    def test_makes_a_user_of_their_own_with_what_nobody_else_has(
        self, known: Callable[..., MigratedUser], make_user: Callable[..., User], sign_in: SignIn, pool: LocalPool
    ) -> None:
        bea = make_user("bea@example.com")
        PhoneNumber.objects.create(user=bea, number=NUMBER, verified=True)
        record = known(phone_number=NUMBER, sub=pool.add_user(ANN, phone_number=NUMBER))
        decide(record, "separate")
        sign_in.at_pool(ANN)
        record.refresh_from_db()
        assert record.user not in (None, bea)
        assert list(EmailAddress.objects.filter(user=record.user).values_list("email", flat=True)) == [ANN]
        assert PhoneNumber.objects.get().user == bea

    def test_is_not_offered_without_an_address_of_their_own(
        self, known: Callable[..., MigratedUser], make_user: Callable[..., User]
    ) -> None:
        make_user(ANN)
        assert closed(known())["separate"] == "no_free_address"
        assert closed(known("", "nobody"))["separate"] == "no_address"

    def test_lets_in_whose_address_the_pool_never_verified(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, connect: Callable[..., Any], pool: LocalPool,
        settings: Any,
    ) -> None:  # fmt: skip
        settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"].clear()
        connect(pool, retired=True)
        record = known(attributes={}, status="pending", last_error="")
        decide(record, "separate")
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        assert (record.status, record.method) == ("migrated", "local_otp")

    def test_warns_where_whoever_signs_in_at_the_pool_may_be_somebody_else(
        self, known: Callable[..., MigratedUser]
    ) -> None:
        """Else an attacker who wrote the address there would come into the account of whoever proves it here."""
        unproven, proven = known(attributes={}), known("bea@example.com", "b")
        effects = {}
        for record in (unproven, proven):
            option = case_of(record).option("separate")
            assert option is not None
            effects[record.pk] = "pool_never_verified" in option.effects
        assert effects == {unproven.pk: True, proven.pk: False}

    def test_prefers_the_address_that_the_pool_verified(self, known: Callable[..., MigratedUser]) -> None:
        option = case_of(known(phone_number=NUMBER, attributes={"email_verified": "true"})).option("separate")
        assert option is not None
        assert option.address == ANN


@pytest.mark.parametrize("only_hosted", [True, False])
def test_where_the_pool_sends_no_code_ours_is_the_proof_that_was_asked_for(
    known: Callable[..., MigratedUser], sign_in: SignIn, connect: Callable[..., Any], pool: LocalPool, settings: Any,
    only_hosted: bool,
) -> None:  # fmt: skip
    """Else a decision about somebody of a hosted login could never be carried out."""
    if only_hosted:
        settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"].clear()
        connect(pool, routes=["oidc"], domains=["other.example"])
    record = known(pool_status="EXTERNAL_PROVIDER", last_error="address_not_proven")
    if only_hosted:
        assert sign_in.start(ANN)[1].decoy_reason == "hosted_login_only"
    decide(record, "separate")
    sign_in.by_our_code(ANN)
    record.refresh_from_db()
    assert (record.status, record.method) == ("migrated", "local_otp")
    assert by_hosted_login(record) == record.user


class TestASecondFactorOfThePool:
    MFA = {"cognito:mfa_enabled": "true", **VERIFIED}

    def test_does_not_get_lost_after_a_cut_over(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, connect: Callable[..., Any], pool: LocalPool,
        settings: Any,
    ) -> None:  # fmt: skip
        settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"].clear()
        connect(pool, retired=True)
        record = known(attributes=self.MFA, status="pending", last_error="")
        sign_in.by_our_code(ANN, status=403)
        record.refresh_from_db()
        assert (record.status, record.last_error) == ("conflict", "second_factor")
        assert not User.objects.exists()
        option = case_of(record).option("separate")
        assert option is not None
        assert option.effects[-1] == "second_factor_goes"
        decide(record, "separate")
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        assert record.status == "migrated"

    def test_keeps_nobody_out_of_an_account_that_is_theirs(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, make_user: Callable[..., User]
    ) -> None:
        make_user(ANN)
        record = known(attributes=self.MFA, status="pending", last_error="")
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        assert (record.status, record.last_error, record.user) == ("conflict", "second_factor", None)


class TestMerging:
    def test_twins_become_one_user_once_the_address_is_proven(
        self, known: Callable[..., MigratedUser], sign_in: SignIn
    ) -> None:
        federated = known(sub="google", status="pending", pool_status="EXTERNAL_PROVIDER")
        native = known(status="pending")
        unverified = known(sub="stranger", status="pending", attributes={})
        for row in (federated, native, unverified):
            MigratedUser.objects.filter(pk=row.pk).update(shares_address=True)
        option = case_of(federated).option("merge")
        assert option is not None
        assert (option.rows, option.set_aside) == ((native.pk, federated.pk), (unverified.pk,))
        decide(federated, "merge")
        assert not waiting().exists()
        sign_in.at_pool(ANN)
        user = User.objects.get()
        rows = dict(MigratedUser.objects.values_list("sub", "status"))
        assert rows == {native.sub: "migrated", "google": "migrated", "stranger": "excluded"}
        assert set(SocialAccount.objects.values_list("uid", "user")) == {(native.sub, user.pk), ("google", user.pk)}
        assert by_hosted_login(federated) == user
        with pytest.raises(MigrationRefused, match="excluded"):
            by_hosted_login(unverified)

    def test_twins_join_the_user_who_has_the_address(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, make_user: Callable[..., User]
    ) -> None:
        ann = make_user(ANN)
        one, two = known(status="pending"), known(sub="two", status="pending")
        decide(one, f"merge:{ann.pk}")
        sign_in.by_our_code(ANN)
        assert set(MigratedUser.objects.values_list("status", "user")) == {("migrated", ann.pk)}
        assert User.objects.get() == ann
        assert {one.sub, two.sub} == set(SocialAccount.objects.values_list("uid", flat=True))

    def test_a_pool_user_joins_the_account_of_another(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, make_user: Callable[..., User]
    ) -> None:
        ann = make_user(ANN)
        known(sub="first", status="migrated", user=ann, attributes={})
        record = known(status="pending")
        sign_in.by_our_code(ANN)  # nobody is kept out of an account that is theirs
        record.refresh_from_db()
        assert (record.status, record.last_error) == ("conflict", "linked_to_another")
        assert f"link:{ann.pk}" not in {option.key for option in case_of(record).options}
        decide(record, f"merge:{ann.pk}")
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        assert (record.status, record.user) == ("migrated", ann)

    def test_is_not_offered_where_no_pool_verified_the_address(self, known: Callable[..., MigratedUser]) -> None:
        one, _ = known(attributes={}), known(sub="two", attributes={})
        assert closed(one)["merge"] == "no_twin_is_verified"

    def test_a_twin_that_lost_its_address_since_does_not_come_along(
        self, known: Callable[..., MigratedUser], sign_in: SignIn
    ) -> None:
        one, two = known(status="pending"), known(sub="two", status="pending")
        decide(one, "merge")
        MigratedUser.objects.filter(pk=two.pk).update(attributes={})
        sign_in.at_pool(ANN)
        two.refresh_from_db()
        assert (two.status, two.user) == ("pending", None)


class TestTheRest:
    def test_retry_lets_them_try_again(self, known: Callable[..., MigratedUser], sign_in: SignIn) -> None:
        record = known(last_error="value_taken")
        decide(record, "retry")
        record.refresh_from_db()
        assert (record.status, record.last_error) == ("pending", "")
        sign_in.at_pool(ANN)

    def test_whose_user_was_deleted_may_come_back_when_a_human_says_so(self, pool: LocalPool, sign_in: SignIn) -> None:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
        User.objects.all().delete()
        assert not waiting().exists(), "the setting decides, not an operator about each"
        sign_in.at_pool(ANN, status=403)
        decide(MigratedUser.objects.get(), "retry")
        sign_in.at_pool(ANN)
        assert User.objects.count() == 1

    def test_exclude_keeps_them_out(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, cognito: LocalCognito
    ) -> None:
        record = known()
        decide(record, "exclude")
        record.refresh_from_db()
        assert (record.status, record.last_error) == ("excluded", "excluded_by_hand")
        calls = len(cognito.calls)
        assert sign_in.start(ANN)[1].decoy_reason == "excluded"
        assert len(cognito.calls) == calls

    def test_a_decision_can_be_withdrawn(self, known: Callable[..., MigratedUser], sign_in: SignIn) -> None:
        one, two = known(status="pending"), known(sub="two", status="pending")
        decide(one, "merge")
        resolve.withdraw(two.pk, now=timezone.now(), by="7")
        assert set(waiting()) == {one, two}
        with pytest.raises(ActionRefused, match="not_decided"):
            resolve.withdraw(two.pk, now=timezone.now(), by="7")

    def test_whom_a_withdrawn_merge_had_excluded_are_pending_again(self, known: Callable[..., MigratedUser]) -> None:
        one, aside = known(status="pending"), known(sub="two", status="pending", attributes={})
        by_hand = known(sub="three", status="excluded", attributes={}, last_error="excluded_by_hand")
        decide(one, "merge")
        aside.refresh_from_db()
        assert aside.status == "excluded"
        resolve.withdraw(one.pk, now=timezone.now(), by="7")
        aside.refresh_from_db()
        by_hand.refresh_from_db()
        assert (aside.status, aside.last_error, by_hand.status) == ("pending", "", "excluded")

    def test_whoever_is_gone_may_be_let_in_and_no_import_overrules_it(
        self, known: Callable[..., MigratedUser], sign_in: SignIn, connect: Callable[..., Any], pool: LocalPool,
        settings: Any,
    ) -> None:  # fmt: skip
        settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"].clear()
        connect(pool, retired=True)
        record = known(status="gone", last_error="", imported_at=timezone.now())
        assert sign_in.start(ANN)[1].decoy_reason == "gone"
        resolve.let_in(record.pk, now=timezone.now(), by="7")
        assert not expected(pool.id).exists()
        event = JourneyEvent.objects.get(attempt=audit.attempt_of(record))
        assert (event.step, event.cause, event.data) == ("decided", "let_in", {"by": "7"})
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        assert (record.status, record.last_error) == ("migrated", "")

    def test_only_whoever_is_gone_is_let_in_and_not_by_an_address_that_is_anothers_now(
        self, known: Callable[..., MigratedUser]
    ) -> None:
        for status in ("pending", "migrated", "excluded", "conflict"):
            with pytest.raises(ActionRefused, match="not_gone"):
                resolve.let_in(known(status=status).pk, now=timezone.now(), by="7")
        MigratedUser.objects.all().delete()
        gone = known(sub="one", status="gone")
        other = known(sub="two", status="migrated")
        with pytest.raises(ActionRefused, match="address_given_on"):
            resolve.let_in(gone.pk, now=timezone.now(), by="7")
        for harmless in ({"status": "pending", "attributes": {}}, {"status": "gone", "attributes": VERIFIED}):
            MigratedUser.objects.filter(pk=other.pk).update(**harmless)
            MigratedUser.objects.filter(pk=gone.pk).update(status="gone")
            resolve.let_in(gone.pk, now=timezone.now(), by="7")

    def test_whoever_is_gone_is_no_twin_of_anybody(self, known: Callable[..., MigratedUser]) -> None:
        one = known(status="pending", last_error="", shares_address=True)
        known(ANN.title(), sub="two", status="gone", last_error="", shares_address=True)
        assert not waiting().exists()
        assert cases.same_address_records(one) == []

    def test_one_who_is_gone_does_not_come_along(self, known: Callable[..., MigratedUser], sign_in: SignIn) -> None:
        one, two = known(status="pending", last_error=""), known(sub="two", status="pending", last_error="")
        decide(one, "merge")
        MigratedUser.objects.filter(pk=two.pk).update(status="gone")
        sign_in.at_pool(ANN)
        assert list(MigratedUser.objects.order_by("pk").values_list("status", flat=True)) == ["migrated", "gone"]

    def test_it_is_on_the_timeline(self, known: Callable[..., MigratedUser]) -> None:
        record = known()
        decide(record, "retry")
        event = JourneyEvent.objects.get(attempt=audit.attempt_of(record))
        assert (event.step, event.cause, event.data) == ("decided", "retry", {"by": "7"})

    def test_nobody_decides_about_somebody_who_is_settled(self, known: Callable[..., MigratedUser]) -> None:
        record = known(status="migrated", user=User.objects.create_user("x"))
        with pytest.raises(ActionRefused, match="migrated"):
            decide(record, "exclude")
        with pytest.raises(ActionRefused, match="no_such_person"):
            resolve.decide(0, "exclude", now=timezone.now(), by="7")

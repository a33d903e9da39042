"""From a proven profile to one Django user: laws 6, 7 and 8."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User

from cognito_passwordless.cognito import CognitoProfile, Connection
from cognito_passwordless.exceptions import JoinOffered, MigrationConflict, MigrationRefused
from cognito_passwordless.flows.migration import Migrated, migrate
from cognito_passwordless.models import MigratedUser, PhoneNumber
from cognito_passwordless.signals import ownership_proven, user_migrated

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POOL = "eu-west-1_Abc123xyz"
CONNECTION = Connection(alias="main", region="eu-west-1", user_pool_id=POOL, client_id="client")
TRUSTING = Connection(alias="main", region="eu-west-1", user_pool_id=POOL, client_id="client", trust_verified=True)


def profile(sub: str = "sub-1", *, proven: set[str] | None = None, **facts: Any) -> CognitoProfile:
    facts = {"email": "ann@example.com", "username": "ann", **facts}
    proven = {facts["email"]} if proven is None else proven
    return CognitoProfile(pool=CONNECTION.pool, sub=sub, proven=frozenset(proven), **facts)


def run(person: CognitoProfile, connection: Connection | None = CONNECTION) -> Migrated:
    return migrate(person, connection=connection, method=MigratedUser.Method.COGNITO_OTP, now=NOW)


def conflict(person: CognitoProfile, connection: Connection = CONNECTION) -> str:
    with pytest.raises(MigrationConflict) as caught:
        run(person, connection)
    record = MigratedUser.objects.get(sub=person.sub)
    assert (record.status, record.user) == ("conflict", None)
    assert record.last_error == caught.value.reason
    return caught.value.reason


def test_a_new_person_gets_a_user_with_what_they_proved_and_no_password() -> None:
    migrated = run(profile(attributes={"given_name": "Ann"}, groups=("admins",)))
    user = migrated.user
    assert migrated.created
    assert not user.has_usable_password()
    address = EmailAddress.objects.get(user_id=user.pk)
    assert (address.email, address.verified, address.primary) == ("ann@example.com", True, True)
    account = SocialAccount.objects.get(user_id=user.pk)
    assert (account.provider, account.uid) == ("main", "sub-1")
    record = MigratedUser.objects.get()
    assert (record.status, record.method, record.user_id, record.migrated_at) == (
        "migrated",
        "cognito_otp",
        user.pk,
        NOW,
    )


def test_a_person_by_phone_gets_a_verified_number_and_needs_no_email() -> None:
    user = run(profile(email="", phone_number="+4915123456789", proven={"+4915123456789"})).user
    number = PhoneNumber.objects.get(user_id=user.pk)
    assert (number.number, number.verified) == ("+4915123456789", True)
    assert not EmailAddress.objects.exists()


def test_the_second_sign_in_finds_the_same_user() -> None:
    first = run(profile())
    again = run(profile())
    assert (again.user.pk, again.created) == (first.user.pk, False)
    assert get_user_model().objects.count() == 1


def test_somebody_else_with_the_same_sub_in_another_pool_is_another_person() -> None:
    other = Connection(alias="other", region="eu-west-1", user_pool_id="eu-west-1_Other1234", client_id="c")
    here = run(profile())
    there = migrate(
        CognitoProfile(pool=other.pool, sub="sub-1", email="eve@example.com", proven=frozenset({"eve@example.com"})),
        connection=other,
        method=MigratedUser.Method.COGNITO_OTP,
        now=NOW,
    )
    assert here.user.pk != there.user.pk


# Law 7: linking to an existing user.


def test_a_proven_address_links_to_the_user_who_has_it_verified(make_user: Callable[..., User]) -> None:
    user = make_user("ann@example.com", password="kept")
    migrated = run(profile())
    assert (migrated.user.pk, migrated.created) == (user.pk, False)
    user.refresh_from_db()
    assert user.check_password("kept")


def test_a_trusted_claim_links_only_to_an_address_that_django_had_verified(make_user: Callable[..., User]) -> None:
    user = make_user("ann@example.com")
    assert run(profile(proven=set(), email_verified=True), TRUSTING).user.pk == user.pk


@pytest.mark.parametrize(
    ("connection", "verified_here", "verified_there"),
    [(CONNECTION, True, True), (CONNECTION, False, True), (TRUSTING, True, False)],
)
def test_a_claim_links_nobody_and_is_offered_to_be_proven(
    make_user: Callable[..., User], connection: Connection, verified_here: bool, verified_there: bool
) -> None:
    """Trusting a pool takes both sides' word."""
    user = make_user("ann@example.com", verified=verified_here)
    person = profile(proven=set(), email_verified=verified_there)
    with pytest.raises(JoinOffered) as offered:
        run(person, connection)
    assert offered.value.address == "ann@example.com"
    assert not MigratedUser.objects.exists()
    own = migrate(person, connection=connection, method=MigratedUser.Method.COGNITO_OIDC, now=NOW, alone=True)
    assert own.created
    assert own.user != user
    assert not EmailAddress.objects.filter(user_id=own.user.pk).exists()


def test_an_unproven_holder_loses_everything_before_the_proven_person_comes_in(
    make_user: Callable[..., User], django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user("ann@example.com", verified=False, password="the waiting holder's")
    session_hash = user.get_session_auth_hash()
    SocialAccount.objects.create(user=user, provider="google", uid="holder")
    EmailAddress.objects.create(user=user, email="holder@example.net", verified=False)
    PhoneNumber.objects.create(user=user, number="+4915112345678", verified=False)
    told: list[str] = []
    ownership_proven.connect(lambda address, **_: told.append(address), weak=False, dispatch_uid="t")
    try:
        migrated = run(profile())
    finally:
        ownership_proven.disconnect(dispatch_uid="t")
    user.refresh_from_db()
    assert migrated.user.pk == user.pk
    assert not user.has_usable_password()
    assert user.get_session_auth_hash() != session_hash
    assert list(SocialAccount.objects.values_list("provider", "uid")) == [("main", "sub-1")]
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("ann@example.com", True)]
    assert not PhoneNumber.objects.exists()
    assert told == ["ann@example.com"]


def test_an_account_of_another_pool_person_is_not_taken_over(make_user: Callable[..., User]) -> None:
    """Who wrote the address there came by a proof of their own: of their sub."""
    holder = make_user("ann@example.com", verified=False)
    MigratedUser.objects.create(connection="main", pool="i", sub="holder", user=holder, status="migrated")
    assert run(profile()).user != holder


def test_an_account_with_another_proven_address_is_not_taken_over(make_user: Callable[..., User]) -> None:
    """Whoever proved the other address owns it; the proven person gets an account of their own."""
    holder = make_user("ann@example.com", verified=False)
    EmailAddress.objects.create(user=holder, email="holder@example.net", verified=True, primary=True)
    assert run(profile()).user.pk != holder.pk


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
@pytest.mark.parametrize("evidence", ["address", "account", "field"])
def test_staff_is_reached_by_no_evidence(
    make_user: Callable[..., User], right: str, evidence: str, settings: Any
) -> None:
    user = make_user("ann@example.com", **{right: True, "first_name": "sub-1"})
    person = profile()
    if evidence == "account":
        SocialAccount.objects.create(user=user, provider="main", uid="sub-1")
    if evidence == "field":
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "first_name"}
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "STAFF_SIGN_IN": True}
    assert conflict(person) == "privileged_user"


def test_staff_is_not_reached_by_a_trusted_pool_either(make_user: Callable[..., User]) -> None:
    """The address is dropped: it is no gate for the person."""
    user = make_user("ann@example.com", is_staff=True)
    own = run(profile(proven=set(), email_verified=True), TRUSTING)
    assert own.user != user
    assert not EmailAddress.objects.filter(user_id=own.user.pk).exists()


def test_a_migrated_person_who_became_staff_signs_in_only_where_the_setting_says_so(settings: Any) -> None:
    user = run(profile()).user
    get_user_model().objects.filter(pk=user.pk).update(is_staff=True)
    with pytest.raises(MigrationRefused, match="staff"):
        run(profile())
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "STAFF_SIGN_IN": True}
    assert run(profile()).user.pk == user.pk


def test_an_inactive_user_is_not_brought_back(make_user: Callable[..., User]) -> None:
    make_user("ann@example.com", is_active=False)
    assert conflict(profile()) == "inactive_user"


def test_two_pool_users_who_proved_one_address_are_one_person() -> None:
    first, second = run(profile("sub-1")), run(profile("sub-2"))
    assert first.user == second.user
    assert set(MigratedUser.objects.values_list("status", "user")) == {("migrated", first.user.pk)}


def test_an_address_that_a_pool_user_merely_wrote_makes_them_nobodys_twin(make_user: Callable[..., User]) -> None:
    """The account is of somebody whose pool verified the number, which this person writes into the pool as well."""
    user = make_user("ann@example.com")
    MigratedUser.objects.create(
        connection="main",
        pool=CONNECTION.pool,
        sub="other",
        user=user,
        status="migrated",
        phone_number="+4915123456789",
        attributes={"phone_number_verified": "true"},
    )
    assert run(profile(phone_number="+4915123456789")).user == user
    assert MigratedUser.objects.get(sub="sub-1").last_error == "linked_to_another"


def test_an_address_with_a_new_owner_does_not_open_the_account_of_the_old_one(settings: Any) -> None:
    """Who left the address has proven another one since; the pool still calls it verified."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    old = run(profile()).user
    EmailAddress.objects.filter(user_id=old.pk).update(verified=False, primary=False)
    EmailAddress.objects.create(user_id=old.pk, email="new@example.com", verified=True, primary=True)
    bare = CognitoProfile(email="ann@example.com", proven=frozenset({"ann@example.com"}))
    came = migrate(bare, connection=None, method=MigratedUser.Method.LOCAL_OTP, now=NOW, alone=True)
    assert came.user != old


def test_another_persons_account_is_entered_by_its_address_while_a_human_looks(make_user: Callable[..., User]) -> None:
    user = make_user("ann@example.com")
    MigratedUser.objects.create(
        connection="main", pool=CONNECTION.pool, sub="other", user=user, status="migrated", email="ann@example.com"
    )
    migrated = run(profile())
    assert (migrated.user, migrated.record) == (user, None)
    record = MigratedUser.objects.get(sub="sub-1")
    assert (record.status, record.last_error, record.user) == ("conflict", "linked_to_another", None)


def test_an_address_that_is_not_proven_is_no_gate(make_user: Callable[..., User]) -> None:
    ann, bea = make_user("ann@example.com"), make_user("bea@example.com")
    PhoneNumber.objects.create(user=bea, number="+4915123456789", verified=True)
    assert run(profile(phone_number="+4915123456789")).user == ann
    assert PhoneNumber.objects.get().user == bea


def test_of_two_unproven_claimants_the_older_is_meant(make_user: Callable[..., User]) -> None:
    older = make_user("ann@example.com", verified=False)
    get_user_model().objects.create_user("ann2", "ANN@example.com")
    assert run(profile()).user == older


@pytest.mark.parametrize(
    ("address", "key"), [("Ann@example.com", "ann@example.com"), ("ann@bücher.example", "ann@xn--bcher-kva.example")]
)
def test_a_spelling_is_kept_and_its_key_is_theirs(address: str, key: str) -> None:
    user = run(profile(email=address)).user
    assert EmailAddress.objects.get(user_id=user.pk, verified=True).email == key
    record = MigratedUser.objects.get()
    assert (record.email, record.email_key) == (address, key)


def test_an_address_that_nobody_could_type_is_dropped() -> None:
    user = run(profile(email="ａnn@example.com")).user
    assert not EmailAddress.objects.filter(user_id=user.pk).exists()


def test_a_deleted_user_does_not_come_back_silently() -> None:
    run(profile()).user.delete()
    with pytest.raises(MigrationRefused, match="user_deleted"):
        run(profile())
    assert not get_user_model().objects.exists()


def test_a_deleted_user_comes_back_as_a_new_one_where_the_site_says_so(settings: Any) -> None:
    run(profile()).user.delete()
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DELETED_USER_RETURNS": "new_user"}
    back = run(profile())
    assert back.created
    assert MigratedUser.objects.get().user == back.user


def test_an_excluded_person_stays_out() -> None:
    MigratedUser.objects.create(connection="main", pool=CONNECTION.pool, sub="sub-1", status="excluded")
    with pytest.raises(MigrationRefused, match="excluded"):
        run(profile())
    assert MigratedUser.objects.get().status == "excluded"


# MATCH_USER


def test_a_user_who_carries_the_sub_is_matched_without_an_address(
    make_user: Callable[..., User], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "last_name"}
    user = make_user("old@example.com", last_name="sub-1")
    assert run(profile(proven=set())).user.pk == user.pk


def match_by_username(person: CognitoProfile) -> User | None:
    return get_user_model().objects.filter(username=person.username).first()


def test_a_callable_may_do_the_matching(make_user: Callable[..., User], settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "MATCH_USER": "tests.flows.migration.test_flow.match_by_username",
    }
    user = make_user("ann@elsewhere.example")
    assert run(profile()).user.pk == user.pk


def test_a_match_and_an_address_that_disagree_are_a_case_for_a_human(
    make_user: Callable[..., User], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "last_name"}
    make_user("old@example.com", last_name="sub-1")
    ann = make_user("ann@example.com")
    assert run(profile()).user == ann, "nobody is kept out of an account whose address they proved"
    record = MigratedUser.objects.get()
    assert (record.status, record.last_error, record.user) == ("conflict", "several_users", None)


# An address that is proven on return.


@pytest.mark.parametrize("policy", ["none", "empty", "all"])
def test_a_new_address_that_is_proven_is_theirs_and_the_one_that_the_migration_brought_opens_nothing(
    settings: Any, policy: str
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "UPDATE_ON_RETURN": policy}
    user = run(profile(email="old@example.com")).user
    own = EmailAddress.objects.create(user_id=user.pk, email="own@example.com", verified=True)
    assert run(profile(email="new@example.com")).user == user
    rows = dict(EmailAddress.objects.values_list("email", "verified"))
    assert rows == {"new@example.com": True, "own@example.com": True}
    new = EmailAddress.objects.get(email="new@example.com")
    assert new.primary
    assert not filter_users_by_email("old@example.com"), "a password reset does not reach it either"
    own.refresh_from_db()
    assert run(profile(email="new@example.com")).user == user


def test_an_address_that_is_only_claimed_on_return_changes_nothing() -> None:
    user = run(profile()).user
    run(profile(email="new@example.com", proven=set(), email_verified=True))
    assert list(EmailAddress.objects.values_list("email", "user_id")) == [("ann@example.com", user.pk)]


def test_a_proven_address_of_somebody_elses_is_not_taken_on_return(make_user: Callable[..., User]) -> None:
    user = run(profile()).user
    other = make_user("other@example.com")
    assert run(profile(email="other@example.com")).user == user
    assert EmailAddress.objects.get(email="other@example.com").user_id == other.pk


# Law 8: rights are never imported by default.


def test_no_group_and_no_attribute_is_imported_by_default() -> None:
    Group.objects.create(name="admins")
    user = get_user_model().objects.get(
        pk=run(profile(groups=("admins",), attributes={"given_name": "Ann", "is_staff": "true"})).user.pk
    )
    assert not user.groups.exists()
    assert (user.first_name, user.is_staff, user.is_superuser) == ("", False, False)


def test_groups_and_attributes_come_through_the_allow_list_only(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "GROUPS": {"pool-editors": "editors", "gone": "never made"},
        "ATTRIBUTES": {"given_name": "first_name", "custom:staff": "is_staff", "custom:mail": "email"},
    }
    Group.objects.create(name="editors")
    Group.objects.create(name="pool-admins")
    person = profile(
        groups=("pool-editors", "pool-admins", "gone"),
        attributes={"given_name": "Ann", "custom:staff": "true", "custom:mail": "eve@example.com"},
    )
    user = get_user_model().objects.get(pk=run(person).user.pk)
    assert list(user.groups.values_list("name", flat=True)) == ["editors"]
    assert (user.first_name, user.is_staff, user.email) == ("Ann", False, "ann@example.com")


@pytest.mark.parametrize(
    ("policy", "first_name", "last_name"), [("none", "", "Old"), ("empty", "New", "Old"), ("all", "New", "New")]
)
def test_what_a_return_may_write_is_a_setting(settings: Any, policy: str, first_name: str, last_name: str) -> None:
    user = run(profile()).user
    get_user_model().objects.filter(pk=user.pk).update(last_name="Old")
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "ATTRIBUTES": {"given_name": "first_name", "family_name": "last_name"},
        "UPDATE_ON_RETURN": policy,
    }
    run(profile(attributes={"given_name": "New", "family_name": "New"}))
    user.refresh_from_db()
    assert (user.first_name, user.last_name) == (first_name, last_name)


def test_an_attribute_that_does_not_fit_is_left_out_and_the_person_comes_in(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "ATTRIBUTES": {"birthdate": "date_joined", "name": "first_name"},
    }
    user = run(profile(attributes={"birthdate": "long ago", "name": "x" * 500})).user
    assert user.first_name == "x" * 150


# Observers


def test_the_signal_comes_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    told: list[tuple[bool, str]] = []
    user_migrated.connect(
        lambda created, migrated_user, **_: told.append((created, migrated_user.sub)), weak=False, dispatch_uid="t"
    )
    try:
        with django_capture_on_commit_callbacks() as callbacks:
            run(profile())
        assert told == []
        for callback in callbacks:
            callback()
    finally:
        user_migrated.disconnect(dispatch_uid="t")
    assert told == [(True, "sub-1")]


# Somebody who never was in a pool.


def bare(address: str = "new@example.org") -> CognitoProfile:
    return CognitoProfile(email=address, proven=frozenset({address}))


def test_without_sign_up_nobody_new_comes_in() -> None:
    with pytest.raises(MigrationRefused, match="unknown"):
        run(bare(), None)
    assert not get_user_model().objects.exists()


def test_sign_up_makes_one_user_who_is_found_again(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    first, again = run(bare(), None), run(bare(), None)
    assert (first.created, again.created, first.user.pk) == (True, False, again.user.pk)
    assert not MigratedUser.objects.exists()


def test_sign_up_is_no_way_round_a_pool_record(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    row = MigratedUser.objects.create(
        connection="main",
        pool="i",
        sub="s",
        email="new@example.org",
        attributes={"email_verified": "true"},
        status="excluded",
    )
    with pytest.raises(MigrationRefused, match="pool_record_unusable"):
        run(bare(), None)
    row.attributes = {}
    row.save()
    assert run(bare(), None).created, "an address that somebody merely wrote in the pool is in nobody's way"

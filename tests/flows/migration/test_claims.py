"""A mere claim has no say against its owner, and another spelling is no other person: over HTTP, before and after an
import, by code and by hosted login."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless import connections
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.importing.shared_addresses import mark_shared_addresses
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import MigratedUser, PhoneNumber

from ...hosted.conftest import Trip, hosted, trip  # noqa: F401  (fixtures)
from ..people import ANN, SignIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws_identity")]

MARY = "mary@example.com"
NUMBER = "+4915112345678"
Go = Callable[[LocalPool], Trip]


def directory() -> None:
    connection = connections.find("main")
    assert connection is not None
    assert importing.import_directory(connection, stop=threading.Event(), rate=1e6).state == "done"
    mark_shared_addresses()


@pytest.fixture
def pool(hosted: Callable[..., LocalPool]) -> LocalPool:  # noqa: F811
    return hosted(people=False, routes=["otp", "oidc"])


@pytest.fixture
def come(
    pool: LocalPool,
    sign_in: SignIn,
    trip: Go,  # noqa: F811
    way: str,
) -> Callable[[str], User]:
    """Mary signs in; the user she comes in as."""

    def arrive(identifier: str) -> User:
        if way == "hosted login":
            visit = trip(pool)
            response = visit.sign_in(identifier)
            if response.headers.get("Location") == "/login/code/join/":
                visit.client.post("/login/code/join/", {"join": "yes"})
                response = visit.client.post("/login/code/", {"code": sign_in.sent_code()})
            assert response.status_code == 302
            return User.objects.get(pk=visit.user_id)
        client, challenge = sign_in.start(identifier)
        assert not challenge.decoy_reason
        code = sign_in.sent_code() if challenge.route == "local" else sign_in.cognito.last_code(challenge.recipient)
        answer = sign_in.answer(client, code or "")
        if answer.headers.get("Location") == "/login/code/join/":
            answer = client.post("/login/code/join/", {"join": "no"})
        assert answer.status_code == 302
        return User.objects.get(pk=client.session["_auth_user_id"])

    return arrive


WAYS = pytest.mark.parametrize("way", ["code", "hosted login"])
IMPORTED = pytest.mark.parametrize("imported", [False, True], ids=["before an import", "after an import"])


def stranger_lists_it(make_user: Callable[..., User]) -> None:
    EmailAddress.objects.create(user=make_user("stranger@example.com", verified=False), email=MARY)


def two_strangers_list_it(make_user: Callable[..., User]) -> None:
    stranger_lists_it(make_user)
    EmailAddress.objects.create(user=make_user("other@example.com", verified=False), email=MARY)


def stranger_has_it_written(make_user: Callable[..., User]) -> None:
    make_user(MARY.upper(), verified=False)


def stranger_is_deactivated(make_user: Callable[..., User]) -> None:
    make_user(MARY, verified=False, is_active=False)


def staff_has_it_written(make_user: Callable[..., User]) -> None:
    make_user(MARY, verified=False, is_staff=True)


@WAYS
@IMPORTED
@pytest.mark.parametrize(
    "claim",
    [
        stranger_lists_it,
        two_strangers_list_it,
        stranger_has_it_written,
        stranger_is_deactivated,
        staff_has_it_written,
    ],
)
def test_what_an_account_merely_claims_keeps_no_pool_person_out(
    come: Callable[[str], User],
    pool: LocalPool,
    make_user: Callable[..., User],
    claim: Callable[..., None],
    imported: bool,
) -> None:
    claim(make_user)
    pool.add_user(MARY)
    if imported:
        directory()
    user = come(MARY)
    assert not user.is_staff
    assert user.is_active
    # Whom no import knows, and who has an account here, is known by that alone until they come by the pool.
    assert set(MigratedUser.objects.values_list("user", flat=True)) <= {user.pk}
    assert come(MARY) == user


@WAYS
@IMPORTED
def test_a_pool_member_who_wrote_the_address_takes_nobodys_place(
    come: Callable[[str], User],
    pool: LocalPool,
    trip: Go,  # noqa: F811
    imported: bool,
) -> None:
    """Mallory came once by hosted login, and wrote Mary's address in the pool without ever proving it."""
    pool.add_user(MARY, email_verified=False, username="mallory")
    visit = trip(pool)
    assert visit.arrive(visit.browser.prove(visit.leave(), "mallory", MARY).answer).status_code == 302
    mallory = User.objects.get()
    pool.add_user(MARY, username="mary")
    if imported:
        directory()
    assert come(MARY) != mallory
    assert EmailAddress.objects.filter(user=mallory, verified=True).count() == 0


@IMPORTED
@pytest.mark.parametrize("way", ["code"])
def test_an_unverified_twin_is_not_asked_about(come: Callable[[str], User], pool: LocalPool, imported: bool) -> None:
    pool.add_user(MARY, email_verified=False, username="mallory")
    sub = pool.add_user(MARY, username="mary")
    if imported:
        directory()
    come(MARY)
    assert MigratedUser.objects.get(status="migrated").sub == sub


def test_many_who_wrote_the_address_do_not_hide_its_owner(pool: LocalPool, sign_in: SignIn) -> None:
    for number in range(12):
        pool.add_user(MARY, email_verified=False, username=f"mallory{number}")
    sub = pool.add_user(MARY, username="mary")
    directory()
    sign_in.at_pool(MARY)
    assert MigratedUser.objects.get(status="migrated").sub == sub


def test_an_unverified_number_of_a_migrated_person_does_not_keep_its_owner_from_signing_up(
    pool: LocalPool, sign_in: SignIn, settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    pool.add_user(ANN, phone_number=NUMBER, phone_number_verified=False)
    directory()
    sign_in.at_pool(ANN)
    client = sign_in.by_our_code(NUMBER)
    owner = User.objects.get(pk=client.session["_auth_user_id"])
    assert owner != MigratedUser.objects.get().user
    assert PhoneNumber.objects.get(verified=True).user == owner


def test_of_two_accounts_from_before_allauth_the_one_that_has_it_in_its_own_field_gets_the_code(
    make_user: Callable[..., User], sign_in: SignIn
) -> None:
    stranger_lists_it(make_user)
    mary = User.objects.create_user("mary", MARY)
    client = sign_in.by_our_code(MARY)
    assert client.session["_auth_user_id"] == str(mary.pk)


# One address, many spellings.


@pytest.mark.parametrize("way", ["code", "hosted login"])
@pytest.mark.parametrize(
    "typed", ["mary@example.com", "MARY@EXAMPLE.COM", "Mary <Mary@Example.com>", "\u200bmary@example.com."]
)
def test_a_pools_capitals_are_kept_and_make_nobody_another_person(
    come: Callable[[str], User], pool: LocalPool, cognito: LocalCognito, way: str, typed: str
) -> None:
    pool.add_user("Mary@Example.com")
    directory()
    user = come("Mary@Example.com" if way == "hosted login" else typed)
    assert (User.objects.count(), MigratedUser.objects.get().user) == (1, user)
    assert MigratedUser.objects.get().email == "Mary@Example.com"
    if way == "code":
        assert EmailAddress.objects.get(verified=True).email == MARY


@IMPORTED
@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("+5215512345678", "+525512345678"),
        ("+5215512345678", "+52 1 55 1234 5678"),
        ("+525512345678", "+5215512345678"),
        ("+541123456789", "+54 9 11 2345-6789"),
        ("+5491123456789", "+54 11 15 2345-6789"),
        ("+551187654321", "+55 11 98765-4321"),
        ("+5511987654321", "+55 11 8765-4321"),
    ],
)
def test_a_renumbered_phone_gets_the_code_as_the_pool_has_it(
    pool: LocalPool, sign_in: SignIn, cognito: LocalCognito, kept: str, typed: str, imported: bool, settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SMS_COUNTRIES": ["MX", "AR", "BR"]}
    pool.add_user(phone_number=kept)
    if imported:
        directory()
    client, challenge = sign_in.start(typed)
    assert (challenge.route, challenge.decoy_reason) == ("cognito_otp", "")
    code = cognito.last_code(kept)
    assert code
    assert sign_in.answer(client, code).status_code == 302
    number = PhoneNumber.objects.get()
    assert number.verified
    assert Client().post("/login/", {"identifier": kept}).status_code == 302
    assert (MigratedUser.objects.get().phone_number, MigratedUser.objects.get().phone_key) == (kept, number.number)


@IMPORTED
def test_an_address_of_a_trusted_provider_counts_as_verified(
    hosted: Callable[..., LocalPool],  # noqa: F811
    trip: Go,  # noqa: F811
    make_user: Callable[..., User],
    imported: bool,
) -> None:
    pool = hosted(people=False, trusted_providers=["Google"], trust_verified=True)
    pool.add_federated_user("Google", "g-1", MARY)
    pool.add_federated_user("Facebook", "f-1", "bea@example.com")
    mary, bea = make_user(MARY), make_user("bea@example.com")
    if imported:
        directory()
    for provider, external, expected in (("Google", "g-1", str(mary.pk)), ("Facebook", "f-1", None)):
        visit = trip(pool)
        page = visit.browser.submit(visit.leave(), provider=provider)
        visit.arrive(visit.browser.submit(page, provider=provider, external=external).answer)
        assert visit.user_id == expected, bea


def test_federated_twins_are_one_person_by_either(
    pool: LocalPool,
    trip: Go,  # noqa: F811
    sign_in: SignIn,
) -> None:
    """The pool verified the address for both: whoever comes by one is known by the other."""
    pool.add_federated_user("Google", "g-1", MARY, email_verified=True)
    pool.add_user(MARY)
    directory()
    client = sign_in.at_pool(MARY)
    mary = User.objects.get(pk=client.session["_auth_user_id"])
    assert set(MigratedUser.objects.values_list("status", "user")) == {("migrated", mary.pk)}
    visit = trip(pool)
    page = visit.browser.submit(visit.leave(), provider="Google")
    visit.arrive(visit.browser.submit(page, provider="Google", external="g-1").answer)
    assert visit.user_id == str(mary.pk)


@pytest.mark.parametrize("named", [True, False])
def test_whoever_came_by_allauths_own_provider_is_recognised_where_the_connection_says_so(
    hosted: Callable[..., LocalPool],  # noqa: F811
    trip: Go,  # noqa: F811
    named: bool,
) -> None:
    pool = hosted(people=False, also_known_as=["amazon_cognito"] if named else [])
    mary = User.objects.create_user("mary")
    SocialAccount.objects.create(user=mary, provider="amazon_cognito", uid=pool.add_user(MARY))
    visit = trip(pool)
    visit.sign_in(MARY)
    assert (visit.user_id == str(mary.pk)) is named

"""A dry run of an import: whom people would become, and that nothing is written."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db import connection as database

from cognito_passwordless.cognito import CognitoProfile, Connection
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.importing import Preview
from cognito_passwordless.flows.lifecycle import erase
from cognito_passwordless.models import ImportRun, MigratedUser, PhoneNumber

from ...cognito.standin import StandIn
from ..people import waiting
from ..progress.reading import reading_only
from .directory import Directory, listed, sub_of
from .test_pipeline import NOW, pool, run

__all__ = ["pool"]


@pytest.fixture(scope="module")
def _standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def standin(_standin: StandIn, aws_identity: None, db: None) -> Iterator[StandIn]:
    yield _standin
    _standin.reset()


def preview(pool: Connection, **chosen: Any) -> Preview:
    """The dry run; writes would fail."""
    with reading_only():
        return importing.preview_directory(
            pool, stop=chosen.pop("stop", None) or threading.Event(), rate=1e6, pages=chosen.pop("pages", 1), **chosen
        )


def outcomes(found: Preview) -> dict[tuple[str, str], int]:
    return {outcome: count for outcome, count in found.outcomes.items() if count}


def only(found: Preview) -> tuple[str, str]:
    (outcome,) = outcomes(found)
    return outcome


def test_whom_nobody_knows_would_be_created(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(5)], size=2)
    found = preview(pool)
    assert outcomes(found) == {("create", "nobody_known"): 5}
    assert found.rows == {"created": 5, "updated": 0, "unchanged": 0, "skipped": 0}
    assert found.complete
    assert found.examples["create", "nobody_known"] == [sub_of(0), sub_of(1), sub_of(2)]
    assert not ImportRun.objects.exists()


def test_it_says_what_an_import_would_count(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(1), listed(2)])
    run(pool)
    Directory(standin, [listed(1), listed(2, email="new@example.com"), listed(3), listed(4, sub=None), listed(3)])
    assert preview(pool).rows == {"created": 1, "updated": 1, "unchanged": 1, "skipped": 2}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"verified": True}, ("link", "verified_address")),
        ({"verified": False}, ("link", "unverified_address")),
    ],
)
def test_who_has_the_address_would_be_linked(
    standin: StandIn, pool: Connection, make_user: Callable[..., User], address: Any, expected: tuple[str, str]
) -> None:
    make_user("person1@example.com", **address)
    Directory(standin, [listed(1)])
    assert only(preview(pool)) == expected


def test_an_address_is_compared_as_a_sign_in_does(
    standin: StandIn, pool: Connection, make_user: Callable[..., User]
) -> None:
    make_user("Person1@Example.com", verified=False)
    number = make_user("other@example.com")
    PhoneNumber.objects.create(user=number, number="+4915112345678", verified=True)
    Directory(standin, [listed(1), listed(2, email=None, phone_number="+4915112345678", phone_number_verified="true")])
    assert outcomes(preview(pool)) == {("link", "unverified_address"): 1, ("link", "verified_address"): 1}


def by_address(profile: CognitoProfile) -> Any:
    return User.objects.filter(first_name=profile.sub).first()


@pytest.mark.parametrize("rule", [None, "first_name", f"{__name__}.by_address"])
def test_who_carries_the_sub_would_be_linked(
    standin: StandIn, pool: Connection, make_user: Callable[..., User], settings: Any, rule: str | None
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": rule}
    user = make_user("another@example.com", first_name=sub_of(1) if rule else "")
    if not rule:
        SocialAccount.objects.create(user=user, provider="main", uid=sub_of(1))
    Directory(standin, [listed(1), listed(2)])
    assert outcomes(preview(pool)) == {("link", "carries_sub"): 1, ("create", "nobody_known"): 1}


def test_what_only_a_human_can_decide_is_a_conflict(
    standin: StandIn, pool: Connection, make_user: Callable[..., User]
) -> None:
    make_user("person1@example.com", is_staff=True)
    make_user("person2@example.com", is_active=False)
    two = [listed(5, email="Odd@Example.com"), listed(6, email="odd@example.com")]
    Directory(standin, [listed(1), listed(2), *two])
    assert outcomes(preview(pool)) == {
        ("conflict", "privileged_user"): 1,
        ("conflict", "inactive_user"): 1,
        ("conflict", "several_pool_users"): 2,
    }


def test_what_is_only_claimed_and_another_spelling_are_no_conflict(
    standin: StandIn, pool: Connection, make_user: Callable[..., User]
) -> None:
    for name in "ab":
        EmailAddress.objects.create(user=make_user(f"{name}@example.com", verified=False), email="person3@example.com")
    make_user("person4@example.com")
    PhoneNumber.objects.create(user=make_user("c@example.com"), number="+4915112345678", verified=True)
    both = listed(4, phone_number="+4915112345678")
    Directory(standin, [listed(3), both, listed(5, email="Odd@Example.com")])
    assert outcomes(preview(pool)) == {
        ("link", "unverified_address"): 1,
        ("link", "verified_address"): 1,
        ("create", "nobody_known"): 1,
    }


def test_who_is_left_alone_is_told_with_the_reason(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(1, 4)])
    run(pool)
    MigratedUser.objects.filter(sub=sub_of(1)).update(status="migrated")
    MigratedUser.objects.filter(sub=sub_of(2)).update(status="excluded")
    erase.erase(MigratedUser.objects.get(sub=sub_of(3)).pk, now=NOW)
    rows = [listed(1), listed(2), listed(3), listed(4, Enabled=False), listed(5, UserStatus="UNCONFIRMED")]
    Directory(standin, [*rows, listed(6, sub=None), listed(7), listed(7)], size=8)
    assert outcomes(preview(pool)) == {
        ("skip", "migrated"): 1,
        ("skip", "excluded"): 1,
        ("skip", "erased"): 1,
        ("skip", "disabled"): 1,
        ("skip", "unconfirmed"): 1,
        ("skip", "no_sub"): 1,
        ("skip", "duplicate"): 1,
        ("create", "nobody_known"): 1,
    }


@pytest.mark.parametrize("size", [1, 60], ids=["on pages of their own", "on one page"])
def test_pool_users_with_one_verified_address_are_one_person(standin: StandIn, pool: Connection, size: int) -> None:
    phone = {"phone_number": "+4915112345678"}
    three = [
        listed(1, **phone),
        listed(2, email="person1@example.com", UserStatus="EXTERNAL_PROVIDER", Username="Google_1"),
        listed(3, **phone),
    ]
    two = [listed(4), listed(5, email="person4@example.com")]
    Directory(standin, [*three, listed(6), *two, listed(6)], size=size)
    found = preview(pool)
    assert outcomes(found) == {
        ("link", "same_person"): 2,
        ("create", "nobody_known"): 4,
        ("skip", "duplicate"): 1,
    }
    assert found.decisions == 0


def test_who_has_no_address_has_no_way_in_by_a_code(standin: StandIn, pool: Connection) -> None:
    unverified = listed(2, email_verified=None)
    Directory(standin, [listed(1, email=None), unverified])
    assert outcomes(preview(replace(pool, routes=("otp",)))) == {
        ("skip", "no_address"): 1,
        ("skip", "no_verified_address"): 1,
    }
    Directory(standin, [listed(1, email=None), unverified])
    assert outcomes(preview(pool)) == {("create", "nobody_known"): 2}


def test_stopped_it_says_that_it_is_a_part(standin: StandIn, pool: Connection) -> None:
    Directory(standin, [listed(number) for number in range(6)], size=2)
    stop = threading.Event()
    found = preview(pool, stop=stop, tell=lambda seen: stop.set())
    assert (found.complete, sum(found.outcomes.values())) == (False, 2)


def test_what_it_costs_does_not_grow_with_the_people(standin: StandIn, pool: Connection) -> None:
    def statements(count: int) -> int:
        seen = []
        Directory(standin, [listed(number) for number in range(count)])
        with database.execute_wrapper(lambda execute, *rest: (seen.append(1), execute(*rest))[1]):
            preview(pool, pages=5)
        return len(seen)

    assert statements(1) == statements(200) <= 12


def test_of_a_thousand_with_capitals_and_old_numbers_only_true_collisions_are_conflicts(
    standin: StandIn, pool: Connection
) -> None:
    """97 of 100 people of one public export have a capital in their address."""
    verified = {"phone_number_verified": "true"}
    rows = [
        listed(
            number,
            email=f"Person{number}@Example.com" if number % 100 < 97 else f"person{number}@example.com",
            **({"phone_number": f"+52155{number:08d}", **verified} if number % 5 == 0 else {}),
        )
        for number in range(1, 999)
    ]
    rows += [listed(number, email=email) for number, email in ((1000, "Zoe@example.com"), (1001, "zoe@example.com"))]
    Directory(standin, rows)
    assert outcomes(preview(pool, pages=100)) == {
        ("create", "nobody_known"): 998,
        ("conflict", "several_pool_users"): 2,
    }
    Directory(standin, rows)
    run(pool, pages=100)
    assert MigratedUser.objects.filter(status="pending").count() == 1000
    assert set(waiting().values_list("email", flat=True)) == {"Zoe@example.com", "zoe@example.com"}

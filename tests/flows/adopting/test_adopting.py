"""Who is counted as losing something at their first code."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User

from cognito_passwordless.flows.adopting import AtRisk, count_at_risk
from cognito_passwordless.models import MigratedUser, PhoneNumber

pytestmark = pytest.mark.django_db


def user(**fields: Any) -> User:
    return User.objects.create_user(**{"username": "ann", "email": "ann@example.com", "password": "long", **fields})


NOBODY = AtRisk(0, 0, 0, 0)


def test_a_password_and_a_link() -> None:
    user()
    linked = user(username="bob", password=None)
    SocialAccount.objects.create(user=linked, provider="google", uid="1")
    assert count_at_risk() == AtRisk(people=2, password=1, links=1, second_factor=0)


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"is_staff": True}, {"is_superuser": True}, {"email": ""}, {"password": None}]
)
def test_who_cannot_be_taken_over_or_has_nothing_to_lose_is_not(fields: dict[str, Any]) -> None:
    user(**fields)
    assert count_at_risk() == NOBODY


def test_an_address_that_is_only_listed_is_written_too() -> None:
    ann = user(email="")
    row = EmailAddress.objects.create(user=ann, email="ann@example.com")
    assert count_at_risk().people == 1
    row.delete()
    PhoneNumber.objects.create(user=ann, number="+4915112345678")
    assert count_at_risk().people == 1


def test_who_has_verified_any_address_is_not() -> None:
    EmailAddress.objects.create(user=user(), email="new@example.com", verified=True)
    PhoneNumber.objects.create(user=user(username="bob"), number="+4915112345678", verified=True)
    assert count_at_risk() == NOBODY


@pytest.mark.parametrize(("method", "people"), [("cognito_oidc", 0), ("bulk", 1)])
def test_whoever_came_in_from_a_pool_owns_the_account(method: str, people: int) -> None:
    MigratedUser.objects.create(connection="main", pool="p", sub="1", user=user(), status="migrated", method=method)
    assert count_at_risk().people == people

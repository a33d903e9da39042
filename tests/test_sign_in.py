"""One sign-in from the first page to the last, over HTTP, by each route."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)


def start(client: Client, identifier: str) -> None:
    response = client.post("/login/", {"identifier": identifier})
    assert response.status_code == 302, response.content
    assert response.headers["Location"] == "/login/code/"


def test_a_local_user_signs_in_by_our_code(
    client: Client, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    user = make_user("bob@example.com")
    start(client, " Bob@Example.com ")
    response = client.post("/login/code/", {"code": sent_code()})
    assert response.headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_pool_user_signs_in_by_cognitos_code_once_and_then_belongs_to_django(
    client: Client, cognito: LocalCognito, pool: LocalPool, sent_code: Callable[[], str]
) -> None:
    sub = pool.add_user("ann@example.com")
    start(client, "ann@example.com")
    code = cognito.last_code("ann@example.com")
    client.post("/login/code/", {"code": code})
    record = MigratedUser.objects.get()
    assert (record.sub, record.status, record.method) == (sub, "migrated", "cognito_otp")
    assert client.session["_auth_user_id"] == str(record.user_id)

    calls = len(cognito.calls)
    again = Client()
    start(again, "ann@example.com")
    again.post("/login/code/", {"code": sent_code()})
    assert again.session["_auth_user_id"] == str(record.user_id)
    assert len(cognito.calls) == calls
    assert get_user_model().objects.count() == 1


def test_the_timeline_says_what_happened(client: Client, pool: LocalPool, cognito: LocalCognito) -> None:
    pool.add_user("ann@example.com")
    start(client, "ann@example.com")
    client.post("/login/code/", {"code": "000000"})
    client.post("/login/code/", {"code": cognito.last_code("ann@example.com")})
    steps = list(JourneyEvent.objects.order_by("pk").values_list("step", "outcome", "cause", "route"))
    assert steps == [
        ("sent", "ok", "", "cognito_otp"),
        ("answered", "refused", "wrong_code", "cognito_otp"),
        ("answered", "ok", "", "cognito_otp"),
        ("migrated", "ok", "", "cognito_otp"),
        ("signed_in", "ok", "", "cognito_otp"),
    ]


@pytest.mark.parametrize("entry", ["", "nobody", "a@b", "+49 1"])
def test_an_entry_that_is_no_address_is_told_so(client: Client, entry: str, django_assert_num_queries: Any) -> None:
    # Nothing is looked up about the entry; the one statement asks which connections offer a hosted login.
    with django_assert_num_queries(1):
        response = client.post("/login/", {"identifier": entry})
    assert response.status_code == 200
    assert "form" in response.context
    assert response.context["form"].errors

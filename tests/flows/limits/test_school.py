"""A school of 500 people behind one address signs in within an hour, and a guesser among them stays bounded."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.models import SendCount

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 500


def start(address: str, client: Client) -> int:
    return client.post("/login/", {"identifier": address}).status_code


def test_all_of_a_school_sign_in_and_a_guesser_does_not_go_on_for_ever(
    sent_code: Callable[[], str], settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    users = User.objects.bulk_create(User(username=f"u{n}", email=f"u{n}@example.com") for n in range(PEOPLE))
    EmailAddress.objects.bulk_create(EmailAddress(user=u, email=u.email, verified=True, primary=True) for u in users)
    guesses = 0
    for number, user in enumerate(users):
        client = Client()
        assert start(user.email, client) == 302, number
        client.post("/login/code/", {"code": sent_code()})
        assert "_auth_user_id" in client.session, number
        if number % 10 == 0:
            guesses += start(f"guess{number}@example.com", Client()) == 302
    assert guesses == PEOPLE // 10
    assert SendCount.objects.get(scope="starts_per_ip", key="127.0.0.1").count == guesses
    while start(f"guess{guesses}@example.com", Client()) == 302:
        guesses += 1
    assert guesses == 300
    # And a browser in which its owner has signed in before goes on, whatever others of the address do.
    assert start(user.email, Client()) == 429
    client.cookies.pop("sessionid")
    assert start(user.email, client) == 302

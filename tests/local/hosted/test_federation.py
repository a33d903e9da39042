"""What an outside provider says, through the trigger that maps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito
from cognito_passwordless.local.own_triggers import attach

from .browser import CALLBACK, Browser, Page, claims_of

ANN = "ann@example.com"


def arrive(cognito: LocalCognito, federation: dict[str, Any] | None) -> tuple[Browser, Page]:
    pool = cognito.create_pool("federated", callback_urls=[CALLBACK])
    pool.add_federated_user("Google", "g-1", ANN)
    environment = {"OTP_SECRET": "a secret of the tests"}
    attach(cognito, pool, environment | ({"FEDERATION_MAP": json.dumps(federation)} if federation else {}))
    browser = Browser(cognito, pool)
    page = browser.submit(browser.authorize(), provider="Google")
    return browser, browser.submit(page, provider="Google", external=ANN)


@pytest.mark.parametrize(
    ("federation", "expected"),
    [
        (None, (ANN, None)),
        ({"Other": {"email": "email"}}, (ANN, None)),
        ({"Google": {"custom:subject": "idToken.sub", "email": "email"}}, (ANN, "g-1")),
    ],
)
def test_what_is_mapped_is_in_the_token(
    cognito: LocalCognito, federation: dict[str, Any] | None, expected: tuple[str, str | None]
) -> None:
    browser, page = arrive(cognito, federation)
    claims = claims_of(browser.exchange(page.answer["code"]).json["id_token"])
    assert (claims["email"], claims.get("custom:subject")) == expected


def test_the_event_is_as_in_the_cloud(cognito: LocalCognito) -> None:
    arrive(cognito, {"Google": {"email": "email"}})
    name, event = next((n, e) for n, e in reversed(cognito.triggers.calls()) if n == "InboundFederation")
    assert (name, event["triggerSource"]) == ("InboundFederation", "InboundFederation_ExternalProvider")
    assert (event["request"]["providerName"], event["request"]["attributes"]["idToken"]["email"]) == ("Google", ANN)
    assert "userAttributes" not in event["request"]


def test_a_map_that_leaves_nothing_ends_the_login(cognito: LocalCognito) -> None:
    _, page = arrive(cognito, {"Google": {"email": "no_such_claim"}})
    assert "This is not possible at the moment." in page.text

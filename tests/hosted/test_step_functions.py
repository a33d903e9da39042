"""The hosted login as two functions of `steps`, against the local Cognito."""

import json
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict

from cognito_passwordless import steps
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser
from cognito_passwordless.steps import Departure, Identity, StepError

from ..local.hosted.browser import Browser

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
BACK = "https://www.example.com/my/own/page/"


@pytest.fixture
def pool(cognito: LocalCognito, connect: Callable[..., Any]) -> LocalPool:
    """A pool that sends people back to a page of the site's; Ann is in it."""
    made = cognito.create_pool("own", callback_urls=[BACK])
    connect(made, routes=["oidc"])
    made.add_user(ANN, attributes={"given_name": "Ann"})
    return made


@pytest.fixture
def prove(cognito: LocalCognito, pool: LocalPool) -> Callable[[Departure], dict[str, str]]:
    """Signs in there; gives what comes back."""

    def go(departure: Departure) -> dict[str, str]:
        browser = Browser(cognito, pool)
        return browser.prove(browser.request(departure.url), ANN).answer

    return go


def left(**more: Any) -> Departure:
    output = steps.authenticate_url("main", redirect_uri=BACK, **more)
    assert isinstance(output, Departure), output
    return output


def back(departure: Departure, answer: Any, handle: str | None = None) -> Identity | StepError:
    handle = departure.handle if handle is None else handle
    return steps.authenticate_callback("main", handle, answer, redirect_uri=BACK)


Prove = Callable[[Departure], dict[str, str]]


def test_a_person_of_the_pool_comes_back_with_claims_and_profile(prove: Prove) -> None:
    departure = left()
    identity = back(departure, prove(departure))
    assert isinstance(identity, Identity), identity
    assert (identity.connection, identity.method, identity.attempt) == ("main", "cognito_oidc", departure.attempt)
    assert identity.claims["sub"] == identity.profile.sub
    assert identity.user_info["given_name"] == "Ann"
    # A hosted login proves no address to us (law 7).
    assert identity.profile.proven == frozenset()
    steps_told = JourneyEvent.objects.order_by("pk").values_list("step", "outcome", "connection")
    assert list(steps_told) == [("left", "ok", "main"), ("answered", "ok", "main")]
    assert not MigratedUser.objects.exists()


def test_an_answer_is_good_once_and_in_its_own_browser(prove: Prove) -> None:
    departure = left()
    answer = prove(departure)
    for handle in ("", left().handle):
        error = back(departure, answer, handle)
        assert isinstance(error, StepError)
        assert (error.code, error.category) == ("other_browser", "flow")
    assert isinstance(back(departure, answer), Identity)
    again = back(departure, answer)
    assert isinstance(again, StepError)
    assert again.code == "other_browser"  # for its handle is a finished step's now, and no hosted login's


def test_a_smaller_scope_is_what_is_asked_for_and_what_is_told(prove: Prove) -> None:
    departure = left(scope=["email"])
    assert parse_qs(urlsplit(departure.url).query)["scope"] == ["openid email"]
    identity = back(departure, prove(departure))
    assert isinstance(identity, Identity)
    assert set(identity.user_info) == {"sub", "email", "email_verified"}
    assert "given_name" not in identity.claims


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "state_missing"),
        ({"state": "x", "code": "y"}, "state_unknown"),
        (QueryDict("state=a&state=b&code=c"), "repeated_parameter"),
        ({"state": ["a", "b"]}, "repeated_parameter"),
        ({"state": "x" * 5000}, "oversized_parameter"),
    ],
)
def test_what_is_no_answer(pool: LocalPool, answer: Any, code: str) -> None:
    error = back(left(), answer)
    assert isinstance(error, StepError)
    assert (error.code, error.category) == (code, "flow")


@pytest.mark.parametrize(
    ("told", "code", "category", "says"),
    [
        ("access_denied", "access_denied", "flow", "was not finished"),
        ("temporarily_unavailable", "temporarily_unavailable", "system", "can't be reached"),
        ("invalid_scope", "invalid_scope", "configuration", "was not finished"),
        ("<script>", "login_error", "flow", "was not finished"),
    ],
)
def test_what_the_login_says_instead(pool: LocalPool, told: str, code: str, category: str, says: str) -> None:
    departure = left()
    state = parse_qs(urlsplit(departure.url).query)["state"][0]
    error = back(departure, {"state": state, "error": told})
    assert isinstance(error, StepError)
    assert (error.code, error.category) == (code, category)
    assert says in error.message


def test_a_provider_that_cannot_be_found(connect: Callable[..., Any], cognito: LocalCognito) -> None:
    made = cognito.create_pool("gone")
    connect(made, routes=["oidc"], issuer=f"{cognito.url}/eu-west-1_nowhere")
    error = steps.authenticate_url("main", redirect_uri=BACK)
    assert isinstance(error, StepError)
    assert error.category in {"system", "configuration"}
    assert "can't be reached" in error.message


def test_a_code_is_not_asked_for_there(pool: LocalPool) -> None:
    error = steps.generate("main", ANN)
    assert isinstance(error, StepError)
    assert error.code == "route_not_offered"
    handle = left().handle
    wrong = steps.validate(handle, "123456")
    assert isinstance(wrong, StepError)
    assert wrong.code == "no_step"
    assert ChallengeSession.objects.get().attempts == 0


def test_nothing_secret_shows(prove: Prove) -> None:
    departure = left()
    query = parse_qs(urlsplit(departure.url).query)
    answer = prove(departure)
    identity = back(departure, answer)
    assert isinstance(identity, Identity)
    secrets = [query["state"][0], query["nonce"][0], answer["code"], departure.handle]
    for shown in (repr(departure), repr(identity), json.dumps(identity.as_json()), repr(pickle.dumps(identity))):
        assert not [secret for secret in secrets if secret in shown]
        assert "eyJ" not in shown
    assert departure.handle not in json.dumps(departure.as_json())
    assert ANN not in repr(identity)

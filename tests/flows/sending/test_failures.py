"""The failures of a pool, by flow and `on_failure`: what the person sees, what the timeline says, that no door opens.

The person is known (imported) and the directory can be read, so that "branch" has somebody whom it could carry on to
our own code.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.config import Config
from django.contrib.auth import get_user_model
from django.db.models import F
from django.test import Client
from django.utils import timezone

from cognito_passwordless.cognito import Cause
from cognito_passwordless.cognito import client as pool_client
from cognito_passwordless.flows.sending.send_code import TryLater, send
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import ChallengeSession, Delivery, JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL, STRANGER = "ann@example.com", "stranger@example.com"
TRIGGERS = {"OTP_SECRET": "a secret of the triggers that is long enough", "OTP_CHANNEL": "email"}

# The error, the cause on the timeline, and where "branch" goes on: "" is nowhere.
FAILURES = [
    ("TooManyRequestsException", "throttled", ""),
    ("InternalErrorException", "unavailable", ""),
    ("ForbiddenException", "unavailable", ""),
    ("bad_json", "unavailable", ""),
    ("timeout", "timeout", ""),
    ("NotAuthorizedException", "not_authorized", ""),
    ("UserNotConfirmedException", "unconfirmed", ""),
    ("UserNotFoundException", "unknown_user", ""),
    ("UserLambdaValidationException", "lambda_refused", ""),
    ("LimitExceededException", "limit_exceeded", ""),
    # A flood can bring a trigger down too.
    ("UnexpectedLambdaException", "lambda_failed", ""),
    ("InvalidLambdaResponseException", "lambda_failed", ""),
    ("PasswordResetRequiredException", "reset_required", "local"),
    ("ResourceNotFoundException", "misconfigured", "local"),
    ("InvalidParameterException", "misconfigured", "local"),
    ("InvalidSmsRoleAccessPolicyException", "misconfigured", "local"),
    ("InvalidSmsRoleTrustRelationshipException", "misconfigured", "local"),
    ("InvalidEmailRoleAccessPolicyException", "misconfigured", "local"),
    ("FeatureUnavailableInTierException", "misconfigured", "local"),
    ("UnsupportedOperationException", "misconfigured", "local"),
    ("SomethingNewException", "not_authorized", ""),
]
# A password that is yet to be set is the person's own matter: it goes on whatever `on_failure` says.
PERSONAL = {"reset_required", "force_change_password"}


@pytest.fixture(params=["USER_AUTH", "CUSTOM_AUTH"])
def flow(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def make_pool(cognito: LocalCognito, connect: Callable[..., Any], flow: str) -> Callable[..., LocalPool]:
    """A pool with a connection to it, whose codes come from Cognito or from our triggers, as ``flow`` says."""

    def make(on_failure: str, routes: tuple[str, ...] = ("otp", "local"), **chosen: Any) -> LocalPool:
        pool = cognito.create_pool("failing", **chosen)
        if flow == "CUSTOM_AUTH":
            attach(cognito, pool, TRIGGERS)
        connect(pool, routes=list(routes), on_failure=on_failure, otp_flow=flow, own_triggers=flow == "CUSTOM_AUTH")
        return pool

    return make


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, new_clients: Callable[[], object]) -> Callable[..., None]:
    """Makes time-outs such that a test can wait for them."""

    def make(seconds: float = 1.0) -> None:
        quick = {name: config.merge(Config(read_timeout=seconds)) for name, config in pool_client.CONFIGS.items()}
        monkeypatch.setattr(pool_client, "CONFIGS", quick)
        new_clients()

    return make


def imported(pool: LocalPool, **person: Any) -> MigratedUser:
    sub = pool.add_user(EMAIL, **person)
    return MigratedUser.objects.create(
        connection="main",
        pool=pool.id,
        sub=sub,
        username=sub,
        email=EMAIL,
        attributes={"email_verified": "true"},
    )


def begin(identifier: str = EMAIL) -> Client:
    client = Client()
    assert client.post("/login/", {"identifier": identifier}).headers["Location"] == "/login/code/"
    return client


def told() -> list[tuple[str, str, str]]:
    return list(JourneyEvent.objects.order_by("pk").values_list("step", "outcome", "cause"))


def state_of_the_page(client: Client) -> str:
    state: str = client.get("/login/code/status/").json()["state"]
    return state


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(("error", "cause", "onwards"), FAILURES)
def test_a_failure_when_the_code_is_asked_for(
    cognito: LocalCognito,
    make_pool: Callable[..., LocalPool],
    aws_identity: None,
    impatient: Callable[..., None],
    sent_code: Callable[[], str],
    error: str,
    cause: str,
    onwards: str,
    on_failure: str,
) -> None:
    pool = make_pool(on_failure)
    imported(pool, status="RESET_REQUIRED" if cause in PERSONAL else "CONFIRMED")
    cognito.fail("InitiateAuth", error, times=50, pool_id=pool.id)
    if error == "timeout":
        impatient()
    client = begin()
    page = client.get("/login/code/")
    cognito.faults.clear()

    goes_on = bool(onwards) and (on_failure == "branch" or cause in PERSONAL)
    asked = ChallengeSession.objects.get()
    assert asked.route == (onwards if goes_on else "")
    outcome = "refused" if goes_on or Cause(cause).scope == "person" else "failed"
    step = "pool_started" if goes_on or outcome == "refused" else "sent"
    assert (step, outcome, cause) in told()
    assert told()[-1] == ("sent", "ok", "") if goes_on else told()[-1][2] == cause
    # Before proof every page says the same, and nothing of the cause.
    assert page.status_code == 200
    assert b"If " in page.content
    assert cause.encode() not in page.content
    assert error.encode() not in page.content
    # A pool that is in trouble may be so for everybody; but what Ann alone has met is no trouble of anybody's.
    assert Delivery.objects.get().provider_down is (outcome == "failed")
    assert state_of_the_page(client) == "sent"
    assert not get_user_model().objects.exists()
    if goes_on:
        client.post("/login/code/", {"code": sent_code()})
        assert client.session["_auth_user_id"] == str(MigratedUser.objects.get().user_id)
    else:
        assert client.post("/login/code/", {"code": "123456"}).status_code == 200
        assert not get_user_model().objects.exists()


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(
    ("error", "cause"), [(error, cause) for error, cause, _ in FAILURES if Cause(cause).retryable]
)
def test_an_outage_is_tried_again_by_the_same_route(
    cognito: LocalCognito,
    make_pool: Callable[..., LocalPool],
    impatient: Callable[..., None],
    settings: Any,
    error: str,
    cause: str,
    on_failure: str,
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": f"{__name__}.to_nobody"}
    pool = make_pool(on_failure)
    imported(pool)
    client = begin()
    challenge = ChallengeSession.objects.get()
    cognito.fail("InitiateAuth", error, pool_id=pool.id)
    if error == "timeout":
        impatient()
    with pytest.raises(TryLater, match=cause):
        send(challenge.pk, challenge.generation, now=timezone.now())
    ChallengeSession.objects.update(last_sent_at=timezone.now())  # however long the test took
    assert state_of_the_page(client) == "sending"
    impatient(30)
    send(challenge.pk, challenge.generation, now=timezone.now())
    assert ChallengeSession.objects.get().route == "cognito_otp"
    assert told() == [("sent", "ok", "")]
    client.post("/login/code/", {"code": cognito.last_code(EMAIL)})
    assert "_auth_user_id" in client.session


def to_nobody(challenge_id: str, generation: int, channel: str) -> None:
    """A broker that nobody reads from; the test is the worker."""


# What a pool says of somebody before any code: the state, the cause, and where it goes on.
PEOPLE = [
    ({"enabled": False}, "disabled", ""),
    ({"status": "ARCHIVED"}, "disabled", ""),
    ({"status": "UNCONFIRMED"}, "unconfirmed", ""),
    ({"status": "EXTERNAL_PROVIDER"}, "not_authorized", ""),
    ({"status": "UNKNOWN"}, "not_authorized", ""),
    ({"status": "RESET_REQUIRED"}, "reset_required", "local"),
]


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(("person", "cause", "onwards"), PEOPLE)
def test_a_person_whom_the_pool_refuses(
    make_pool: Callable[..., LocalPool],
    aws_identity: None,
    outbox: list[Any],
    person: dict[str, Any],
    cause: str,
    onwards: str,
    on_failure: str,
) -> None:
    imported(make_pool(on_failure, prevent_user_existence_errors=False), **person)
    client = begin()
    assert ChallengeSession.objects.get().route == onwards
    assert ("pool_started", "refused", cause) in told()
    assert bool(outbox) is bool(onwards)
    # Whoever reads along cannot tell Ann from somebody who does not exist.
    nobody = begin(STRANGER)
    assert state_of_the_page(client) == state_of_the_page(nobody) == "sent"
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("flow", ["USER_AUTH"], indirect=True)
@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(
    ("person", "refusal", "cause", "onwards"),
    [
        ({"mfa": True}, "otp_unavailable", "mfa_required", ""),
        ({"status": "FORCE_CHANGE_PASSWORD"}, "otp_unavailable", "", "local"),
    ],
)
def test_a_person_to_whom_the_pool_offers_only_a_password(
    make_pool: Callable[..., LocalPool],
    aws_identity: None,
    outbox: list[Any],
    person: dict[str, Any],
    refusal: str,
    cause: str,
    onwards: str,
    on_failure: str,
) -> None:
    """The answer of the pool is the same for both, so the directory decides."""
    imported(make_pool(on_failure, mfa="OPTIONAL"), **person)
    client = begin()
    challenge = ChallengeSession.objects.get()
    assert (challenge.route, challenge.decoy_reason) == (onwards, cause)
    assert [row[2] for row in told()] == [refusal, cause]
    assert bool(outbox) is bool(onwards)
    assert state_of_the_page(client) == "sent"
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize("routes", [("otp",), ("otp", "oidc"), ("otp", "oidc", "local")])
def test_without_our_code_as_the_next_route_a_failure_ends_there(
    cognito: LocalCognito,
    make_pool: Callable[..., LocalPool],
    aws_identity: None,
    outbox: list[Any],
    routes: tuple[str, ...],
    on_failure: str,
) -> None:
    """Routes are taken in their order: the hosted login is a link on every code page, and nobody is sent past it."""
    pool = make_pool(on_failure, routes)
    imported(pool)
    cognito.fail("InitiateAuth", "ResourceNotFoundException", times=50, pool_id=pool.id)
    client = begin()
    cognito.faults.clear()
    assert (ChallengeSession.objects.get().route, outbox) == ("", [])
    assert told()[-1] == ("sent", "failed", "misconfigured")
    offered = b'href="/login/cognito/main/"' in client.get("/login/code/").content
    assert offered is ("oidc" in routes)


def test_our_code_takes_the_pools_place_only_by_the_channel_of_what_was_typed(
    cognito: LocalCognito, make_pool: Callable[..., LocalPool], aws_identity: None, outbox: list[Any]
) -> None:
    pool = make_pool("branch")
    imported(pool, phone_number="+4915112345678")
    cognito.fail("InitiateAuth", "ResourceNotFoundException", times=50, pool_id=pool.id)
    Client().post("/login/", {"identifier": EMAIL, "channel": "sms"})
    cognito.faults.clear()
    assert (ChallengeSession.objects.get().route, outbox) == ("", [])
    assert told()[-1] == ("sent", "failed", "misconfigured")


# The error, and the cause on the timeline.
ANSWERS = [
    ("CodeMismatchException", "wrong_code"),
    ("ExpiredCodeException", "session_expired"),
    ("NotAuthorizedException", "not_authorized"),
    ("InvalidParameterException", "wrong_code"),
    ("PasswordResetRequiredException", "reset_required"),
    ("UserNotConfirmedException", "unconfirmed"),
    ("UserNotFoundException", "unknown_user"),
    ("ResourceNotFoundException", "misconfigured"),
    ("ForbiddenException", "unavailable"),
    ("TooManyRequestsException", "throttled"),
    ("InternalErrorException", "unavailable"),
    ("UserLambdaValidationException", "lambda_refused"),
    ("UnexpectedLambdaException", "lambda_failed"),
    ("InvalidLambdaResponseException", "lambda_failed"),
    ("InvalidSmsRoleAccessPolicyException", "misconfigured"),
    ("InvalidSmsRoleTrustRelationshipException", "misconfigured"),
    ("InvalidEmailRoleAccessPolicyException", "misconfigured"),
    ("SomethingNewException", "not_authorized"),
    ("bad_json", "unavailable"),
    ("timeout", "timeout"),
]


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(("error", "cause"), ANSWERS)
def test_a_failure_when_the_code_is_answered_never_changes_the_route(
    cognito: LocalCognito,
    make_pool: Callable[..., LocalPool],
    impatient: Callable[..., None],
    outbox: list[Any],
    error: str,
    cause: str,
    on_failure: str,
) -> None:
    pool = make_pool(on_failure)
    imported(pool)
    client = begin()
    code = cognito.last_code(EMAIL)
    cognito.fail("RespondToAuthChallenge", error, pool_id=pool.id)
    if error == "timeout":
        impatient()
    page = client.post("/login/code/", {"code": code})
    assert page.status_code == 200
    assert b"not right, or no longer valid" in page.content
    assert cause.encode() not in page.content
    outcome = "refused" if Cause(cause).category == "flow" else "failed"
    assert told()[-1] == ("answered", outcome, cause)
    challenge = ChallengeSession.objects.get()
    assert (challenge.route, challenge.attempts, outbox) == ("cognito_otp", 1, [])
    assert "_auth_user_id" not in client.session
    assert not get_user_model().objects.exists()
    # What passes is tried again with the same code, as long as attempts are left.
    impatient(30)
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session


def later(seconds: float) -> None:
    """As if the challenge had been started so much earlier."""
    earlier = timedelta(seconds=seconds)
    ChallengeSession.objects.update(last_sent_at=F("last_sent_at") - earlier, expires_at=F("expires_at") - earlier)


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize("ended", ["exhausted", "expired"])
def test_codes_that_are_used_up_or_too_old_are_asked_for_anew_at_the_same_pool(
    cognito: LocalCognito, make_pool: Callable[..., LocalPool], outbox: list[Any], ended: str, on_failure: str
) -> None:
    """Whoever guesses could bring both about, so neither opens another route."""
    imported(make_pool(on_failure))
    client = begin()
    code = cognito.last_code(EMAIL) or ""
    if ended == "exhausted":
        for _ in range(3):
            client.post("/login/code/", {"code": "0" * len(code)})
        assert [cause for step, _, cause in told() if step == "answered"][:2] == ["wrong_code"] * 2
    else:
        cognito.advance(700)
    later(31 if ended == "exhausted" else 700)
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" not in client.session
    assert client.post("/login/code/resend/").headers["Location"] == "/login/code/"
    fresh = ChallengeSession.objects.latest("created_at")
    assert (ChallengeSession.objects.count(), fresh.route, outbox) == (2, "cognito_otp", [])
    client.post("/login/code/", {"code": cognito.last_code(EMAIL)})
    assert "_auth_user_id" in client.session

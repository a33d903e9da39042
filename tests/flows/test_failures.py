"""The failures of a pool, by `on_failure`: what the person sees, what the timeline says, and that no door opens.

The person is known (imported) and the directory can be read, so that "branch" has somebody whom it could carry on to
our own code.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from cognito_passwordless.local import LocalCognito
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ann@example.com"

# The error, the cause on the timeline, and where "branch" goes on: "" is nowhere.
FAILURES = [
    ("TooManyRequestsException", "throttled", ""),
    ("InternalErrorException", "unavailable", ""),
    ("ForbiddenException", "unavailable", ""),
    ("bad_json", "unavailable", ""),
    ("NotAuthorizedException", "not_authorized", ""),
    ("UserNotConfirmedException", "unconfirmed", ""),
    ("UserNotFoundException", "unknown_user", ""),
    ("UserLambdaValidationException", "lambda_refused", ""),
    ("LimitExceededException", "limit_exceeded", ""),
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
PERSONAL = {"reset_required"}


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(("error", "cause", "onwards"), FAILURES)
def test_a_failure_when_the_code_is_asked_for(
    cognito: LocalCognito,
    connect: Callable[..., Any],
    aws_identity: None,
    error: str,
    cause: str,
    onwards: str,
    on_failure: str,
) -> None:
    pool = cognito.create_pool("failing")
    connect(pool, routes=["otp", "local"], on_failure=on_failure)
    sub = pool.add_user(EMAIL, status="RESET_REQUIRED" if cause in PERSONAL else "CONFIRMED")
    MigratedUser.objects.create(
        connection="main",
        issuer=pool.issuer,
        sub=sub,
        username=sub,
        email=EMAIL,
        attributes={"email_verified": "true"},
    )
    cognito.fail("InitiateAuth", error, times=50, pool_id=pool.id)
    client = Client()
    assert client.post("/login/", {"identifier": EMAIL}).headers["Location"] == "/login/code/"
    page = client.get("/login/code/")
    cognito.faults.clear()

    goes_on = bool(onwards) and (on_failure == "branch" or cause in PERSONAL)
    assert ChallengeSession.objects.get().route == (onwards if goes_on else "")
    told = list(JourneyEvent.objects.order_by("pk").values_list("cause", flat=True))
    assert cause in told
    # Before proof every page says the same, and nothing of the cause.
    assert page.status_code == 200
    assert b"If " in page.content
    assert cause.encode() not in page.content
    assert error.encode() not in page.content
    if not goes_on:
        assert client.post("/login/code/", {"code": "123456"}).status_code == 200
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("CodeMismatchException", "wrong_code"),
        ("ExpiredCodeException", "session_expired"),
        ("NotAuthorizedException", "not_authorized"),
        ("InvalidParameterException", "wrong_code"),
        ("PasswordResetRequiredException", "reset_required"),
        ("UserNotConfirmedException", "unconfirmed"),
        ("UserNotFoundException", "unknown_user"),
        ("ResourceNotFoundException", "misconfigured"),
        ("TooManyRequestsException", "throttled"),
        ("InternalErrorException", "unavailable"),
        ("UserLambdaValidationException", "lambda_refused"),
        ("UnexpectedLambdaException", "lambda_failed"),
        ("bad_json", "unavailable"),
    ],
)
def test_a_failure_when_the_code_is_answered_never_changes_the_route(
    cognito: LocalCognito, connect: Callable[..., Any], error: str, cause: str, on_failure: str
) -> None:
    pool = cognito.create_pool("failing")
    connect(pool, routes=["otp", "local"], on_failure=on_failure)
    pool.add_user(EMAIL)
    client = Client()
    client.post("/login/", {"identifier": EMAIL})
    code = cognito.last_code(EMAIL)
    cognito.fail("RespondToAuthChallenge", error, pool_id=pool.id)
    page = client.post("/login/code/", {"code": code})
    assert page.status_code == 200
    assert b"not right, or no longer valid" in page.content
    event = JourneyEvent.objects.latest("pk")
    assert (event.step, event.cause) == ("answered", cause)
    assert ChallengeSession.objects.get().route == "cognito_otp"
    # What passes is tried again with the same code, as long as attempts are left.
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session

import pickle
from typing import Any

import botocore.exceptions
import botocore.session
import pytest
from botocore.parsers import ResponseParserError

from cognito_passwordless.cognito import Cause, CognitoError
from cognito_passwordless.cognito.errors import _BY_NAME, translate

OPERATIONS = ("InitiateAuth", "RespondToAuthChallenge", "AdminGetUser", "ListUsers")


def answered(name: str, operation: str, message: str = "", status: int = 400) -> CognitoError:
    response: Any = {
        "Error": {"Code": name, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return translate(botocore.exceptions.ClientError(response, operation), operation)


def modelled() -> list[tuple[str, str]]:
    model = botocore.session.get_session().get_service_model("cognito-idp")
    return [
        (operation, shape.name) for operation in OPERATIONS for shape in model.operation_model(operation).error_shapes
    ]


@pytest.mark.parametrize(("operation", "name"), modelled())
def test_every_error_of_the_service_model_has_a_row(operation: str, name: str) -> None:
    assert name in _BY_NAME
    error = answered(name, operation)
    assert error.aws_code == name
    assert error.operation == operation


# What COGNITO.md lists, with what each is to mean.
@pytest.mark.parametrize(
    ("name", "operation", "cause"),
    [
        ("UserNotFoundException", "InitiateAuth", Cause.unknown_user),
        ("UserNotConfirmedException", "InitiateAuth", Cause.unconfirmed),
        ("PasswordResetRequiredException", "InitiateAuth", Cause.reset_required),
        ("InvalidParameterException", "InitiateAuth", Cause.misconfigured),
        ("InvalidParameterException", "RespondToAuthChallenge", Cause.wrong_code),
        ("ResourceNotFoundException", "InitiateAuth", Cause.misconfigured),
        ("TooManyRequestsException", "RespondToAuthChallenge", Cause.throttled),
        ("UserLambdaValidationException", "InitiateAuth", Cause.lambda_refused),
        ("UnexpectedLambdaException", "InitiateAuth", Cause.lambda_failed),
        ("InvalidLambdaResponseException", "InitiateAuth", Cause.lambda_failed),
        ("InvalidSmsRoleAccessPolicyException", "InitiateAuth", Cause.misconfigured),
        ("InvalidSmsRoleTrustRelationshipException", "InitiateAuth", Cause.misconfigured),
        ("InvalidEmailRoleAccessPolicyException", "InitiateAuth", Cause.misconfigured),
        ("ForbiddenException", "InitiateAuth", Cause.unavailable),
        ("InternalErrorException", "InitiateAuth", Cause.unavailable),
        ("CodeMismatchException", "RespondToAuthChallenge", Cause.wrong_code),
        ("ExpiredCodeException", "RespondToAuthChallenge", Cause.session_expired),
        ("FeatureUnavailableInTierException", "InitiateAuth", Cause.misconfigured),
        ("UnsupportedOperationException", "InitiateAuth", Cause.misconfigured),
        ("LimitExceededException", "InitiateAuth", Cause.limit_exceeded),
        ("NotAuthorizedException", "ListUsers", Cause.misconfigured),
        ("AccessDeniedException", "ListUsers", Cause.misconfigured),
    ],
)
def test_names(name: str, operation: str, cause: Cause) -> None:
    assert answered(name, operation).cause is cause


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("User is disabled.", Cause.disabled),
        ("Invalid session for the user, session is expired.", Cause.session_expired),
        ("Invalid session for the user, session can only be used once.", Cause.session_used),
        ("Invalid session for the user.", Cause.session_expired),
        ("Invalid session provided for the user.", Cause.session_expired),
        ("Incorrect username or password.", Cause.not_authorized),
        ("Password attempts exceeded", Cause.limit_exceeded),
        ("Unable to verify secret hash for client x", Cause.misconfigured),
        (
            "Client x is configured with secret but SECRET_HASH was not received",
            Cause.misconfigured,
        ),
        ("Something that AWS writes tomorrow", Cause.not_authorized),
        ("", Cause.not_authorized),
    ],
)
def test_not_authorized_is_told_apart_by_its_text(message: str, cause: Cause) -> None:
    assert answered("NotAuthorizedException", "RespondToAuthChallenge", message).cause is cause


@pytest.mark.parametrize(
    ("name", "status", "cause", "code"),
    [
        ("502", 502, Cause.unavailable, "HTTP502"),
        ("403", 403, Cause.unavailable, "HTTP403"),
        ("429", 429, Cause.throttled, "HTTP429"),
        ("", 301, Cause.unavailable, "HTTP301"),
        ("NewlyInventedException", 500, Cause.unavailable, "NewlyInventedException"),
        ("NewlyInventedException", 429, Cause.throttled, "NewlyInventedException"),
        ("NewlyInventedException", 400, Cause.not_authorized, "NewlyInventedException"),
        ("alice@example.com", 400, Cause.unavailable, "HTTP400"),
    ],
)
def test_what_is_in_no_table_refuses_or_retries(name: str, status: int, cause: Cause, code: str) -> None:
    error = answered(name, "InitiateAuth", "alice@example.com", status)
    assert (error.cause, error.aws_code) == (cause, code)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (botocore.exceptions.EndpointConnectionError(endpoint_url="u"), Cause.unavailable),
        (botocore.exceptions.ConnectionClosedError(endpoint_url="u"), Cause.unavailable),
        (botocore.exceptions.SSLError(endpoint_url="u", error=OSError()), Cause.unavailable),
        (botocore.exceptions.ProxyConnectionError(proxy_url="u"), Cause.unavailable),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="u"), Cause.timeout),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="u"), Cause.timeout),
        (botocore.exceptions.HTTPClientError(error="e"), Cause.unavailable),
        (ResponseParserError("bad"), Cause.unavailable),
        (botocore.exceptions.NoCredentialsError(), Cause.misconfigured),
        (
            botocore.exceptions.PartialCredentialsError(provider="p", cred_var="v"),
            Cause.misconfigured,
        ),
        (botocore.exceptions.NoRegionError(), Cause.misconfigured),
        (botocore.exceptions.ParamValidationError(report="r"), Cause.misconfigured),
        (AttributeError("'list' object has no attribute 'get'"), Cause.unavailable),
    ],
)
def test_botocore_s_own_exceptions(error: Exception, cause: Cause) -> None:
    assert translate(error, "InitiateAuth").cause is cause


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_its_traits(cause: Cause) -> None:
    assert cause.category in ("flow", "configuration", "system")
    assert cause.scope in ("person", "pool")
    # A flow is about one person; what may be repeated is nobody's fault.
    assert (cause.category == "flow") is (cause.scope == "person")
    assert cause.retryable is (cause.category == "system")


@pytest.mark.parametrize(
    "cause",
    [
        Cause.disabled, Cause.archived, Cause.unconfirmed, Cause.mfa_required,
        Cause.force_change_password, Cause.reset_required, Cause.not_authorized,
        Cause.lambda_refused, Cause.limit_exceeded, Cause.wrong_code,
    ],
)  # fmt: skip
def test_what_concerns_one_person_is_never_the_pool_s(cause: Cause) -> None:
    assert cause.scope == "person"


def test_an_error_survives_pickling_and_says_only_what_it_may() -> None:
    error = answered("NotAuthorizedException", "InitiateAuth", "User is disabled. alice@example.com")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "InitiateAuth failed: disabled (NotAuthorizedException)"
    assert again.cause is Cause.disabled
    assert "alice" not in repr(error)

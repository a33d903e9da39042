"""Every error of AWS and of botocore, put once into our own words.

One row per name, and nowhere else. Whatever is not in the tables ends in a cause that
refuses (``not_authorized``) or retries (``unavailable``), never in one that opens
another route.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import botocore.exceptions as aws
from botocore.parsers import ResponseParserError

from .causes import Cause

__all__ = ["Cause", "CognitoError", "translate"]

# Sources: botocore's service model for InitiateAuth, RespondToAuthChallenge, AdminGetUser
# and ListUsers, and "Common Error Types" of the Cognito user pools API reference.
_BY_NAME: Final[Mapping[str, Cause]] = {
    "AliasExistsException": Cause.not_authorized,
    "CodeMismatchException": Cause.wrong_code,
    "ExpiredCodeException": Cause.session_expired,
    "FeatureUnavailableInTierException": Cause.misconfigured,
    # AWS WAF, which a flood of requests sets off: never a way to another route.
    "ForbiddenException": Cause.unavailable,
    "InternalErrorException": Cause.unavailable,
    "InvalidEmailRoleAccessPolicyException": Cause.misconfigured,
    "InvalidLambdaResponseException": Cause.lambda_failed,
    "InvalidParameterException": Cause.misconfigured,
    "InvalidPasswordException": Cause.not_authorized,  # we never send a password
    "InvalidSmsRoleAccessPolicyException": Cause.misconfigured,
    "InvalidSmsRoleTrustRelationshipException": Cause.misconfigured,
    "InvalidUserPoolConfigurationException": Cause.misconfigured,
    "LimitExceededException": Cause.limit_exceeded,
    "MFAMethodNotFoundException": Cause.mfa_required,
    "NotAuthorizedException": Cause.not_authorized,  # told apart by _NOT_AUTHORIZED
    "OperationNotEnabledException": Cause.misconfigured,
    "PasswordHistoryPolicyViolationException": Cause.not_authorized,
    "PasswordResetRequiredException": Cause.reset_required,
    "ResourceNotFoundException": Cause.misconfigured,
    "SoftwareTokenMFANotFoundException": Cause.mfa_required,
    "TooManyRequestsException": Cause.throttled,
    "UnexpectedLambdaException": Cause.lambda_failed,
    "UnsupportedOperationException": Cause.misconfigured,
    "UserLambdaValidationException": Cause.lambda_refused,
    "UserNotConfirmedException": Cause.unconfirmed,
    "UserNotFoundException": Cause.unknown_user,
    # What every AWS service may answer.
    "AccessDeniedException": Cause.misconfigured,
    "ExpiredTokenException": Cause.misconfigured,
    "IncompleteSignature": Cause.misconfigured,
    "IncompleteSignatureException": Cause.misconfigured,
    "InternalFailure": Cause.unavailable,
    "InvalidAction": Cause.misconfigured,
    "InvalidClientTokenId": Cause.misconfigured,
    "InvalidSignatureException": Cause.misconfigured,
    "MissingAuthenticationToken": Cause.misconfigured,
    "MissingAuthenticationTokenException": Cause.misconfigured,
    "NotAuthorized": Cause.misconfigured,
    "OptInRequired": Cause.misconfigured,
    "RequestExpired": Cause.misconfigured,
    "RequestTimeout": Cause.timeout,
    "RequestTimeoutException": Cause.timeout,
    "SerializationException": Cause.misconfigured,
    "ServiceUnavailable": Cause.unavailable,
    "ServiceUnavailableException": Cause.unavailable,
    "Throttling": Cause.throttled,
    "ThrottlingException": Cause.throttled,
    "UnknownOperationException": Cause.misconfigured,
    "UnrecognizedClientException": Cause.misconfigured,
    "ValidationError": Cause.misconfigured,
    "ValidationException": Cause.misconfigured,
}

# The same name may mean something else to one operation.
_BY_OPERATION: Final[Mapping[tuple[str, str], Cause]] = {
    # The start of this sign-in was accepted with the same client and settings, so what
    # is invalid in the answer is what a person put into it; never a way round the pool.
    ("RespondToAuthChallenge", "InvalidParameterException"): Cause.wrong_code,
    # Here it is our own AWS identity that lacks a right, and no person is meant.
    ("AdminGetUser", "NotAuthorizedException"): Cause.misconfigured,
    ("ListUsers", "NotAuthorizedException"): Cause.misconfigured,
    ("AdminUpdateUserAttributes", "NotAuthorizedException"): Cause.misconfigured,
    ("AdminDeleteUserAttributes", "NotAuthorizedException"): Cause.misconfigured,
    ("AdminUserGlobalSignOut", "NotAuthorizedException"): Cause.misconfigured,
    ("AdminDisableUser", "NotAuthorizedException"): Cause.misconfigured,
    ("AdminEnableUser", "NotAuthorizedException"): Cause.misconfigured,
}

# Parts of the message, in lower case; the first match counts. AWS promises none of these
# texts: without a match it is ``not_authorized``, which refuses.
_NOT_AUTHORIZED: Final[tuple[tuple[str, Cause], ...]] = (
    ("user is disabled", Cause.disabled),
    ("session is expired", Cause.session_expired),
    ("session can only be used once", Cause.session_used),
    # After a trigger has raised, and of old: "Invalid session (provided) for the user."
    ("invalid session", Cause.session_expired),
    ("password attempts exceeded", Cause.limit_exceeded),
    ("secret hash", Cause.misconfigured),
    ("secret_hash", Cause.misconfigured),
    ("incorrect username or password", Cause.not_authorized),
)

# botocore's own exceptions, the narrower class first.
_BY_CLASS: Final[tuple[tuple[type[Exception], Cause], ...]] = (
    (aws.ConnectTimeoutError, Cause.timeout),
    (aws.ReadTimeoutError, Cause.timeout),
    (aws.ConnectionError, Cause.unavailable),  # DNS, refused, closed, TLS, proxy
    (aws.HTTPClientError, Cause.unavailable),
    (aws.IncompleteReadError, Cause.unavailable),
    (ResponseParserError, Cause.unavailable),
    (aws.MetadataRetrievalError, Cause.unavailable),  # the credentials' own service is away
    (aws.BotoCoreError, Cause.misconfigured),  # credentials, region, endpoint, parameters
)

_AWS_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")


class CognitoError(Exception):
    """A step at the pool failed; safe to log, to pickle and to store.

    It holds no message of AWS, no request, no code, no session and no user data, and
    has no ``__context__``: the original exception's frames hold all of these.

    ``aws_code`` is AWS's name of the error (or ours, in CamelCase, where AWS gave none),
    ``detail`` a fixed sentence of this room, ``available`` the challenges that the pool
    offers instead (only with ``Cause.otp_unavailable``).
    """

    def __init__(
        self,
        cause: Cause,
        operation: str = "",
        aws_code: str = "",
        detail: str = "",
        available: tuple[str, ...] = (),
    ) -> None:
        # All of them are ``args``, so that pickle can rebuild the exception.
        super().__init__(cause, operation, aws_code, detail, available)
        self.cause = Cause(cause)
        self.operation = operation
        self.aws_code = aws_code
        self.detail = detail
        self.available = available

    @property
    def not_reached(self) -> bool:
        """Whether no connection to the pool came about, whoever it was for."""
        return self.aws_code in {"ConnectTimeoutError", "EndpointConnectionError", "ProxyConnectionError", "SSLError"}

    def __str__(self) -> str:
        parts = [self.operation or "Cognito", "failed:", self.cause.value]
        parts += [f"({text})" for text in (self.aws_code, self.detail) if text]
        return " ".join(parts)


def translate(error: Exception, operation: str) -> CognitoError:
    """Put an exception of botocore into our own words, leaving its text behind."""
    if not isinstance(error, aws.ClientError):
        for kind, cause in _BY_CLASS:
            if isinstance(error, kind):
                return CognitoError(cause, operation, type(error).__name__)
        # botocore's parsers trip over JSON of the wrong shape with plain Python errors.
        return CognitoError(Cause.unavailable, operation, "MalformedResponse")
    response: Mapping[str, Any] = error.response
    answer = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    name, message = str(answer.get("Code", "")), str(answer.get("Message", "")).lower()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        by_status = Cause.throttled
    else:
        by_status = Cause.unavailable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Cause.not_authorized
    if not _AWS_CODE.fullmatch(name):
        # No AWS name at all: a proxy or a load balancer answered, not Cognito.
        outage = Cause.throttled if by_status is Cause.throttled else Cause.unavailable
        return CognitoError(outage, operation, f"HTTP{int(status)}")
    if (operation, name) in _BY_OPERATION:
        cause = _BY_OPERATION[operation, name]
    elif name == "NotAuthorizedException":
        cause = next((cause for part, cause in _NOT_AUTHORIZED if part in message), Cause.not_authorized)
    else:
        cause = _BY_NAME.get(name, by_status)
    return CognitoError(cause, operation, name)

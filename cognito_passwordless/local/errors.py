"""What a user pool answers when it refuses: the names and texts of Amazon Cognito.

Texts marked "seen" come from published captures; the others are our best reading of AWS's pages.
"""

from __future__ import annotations


class PoolError(Exception):
    """One refusal, `kind` being the exception's name in Amazon's service model."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


def code_mismatch() -> PoolError:
    return PoolError("CodeMismatchException", "Invalid code or auth state for the user.")  # seen


def session_expired() -> PoolError:
    text = "Invalid session for the user, session is expired."  # seen
    return PoolError("NotAuthorizedException", text)


def session_used() -> PoolError:
    text = "Invalid session for the user, session can only be used once."  # seen
    return PoolError("NotAuthorizedException", text)


def session_invalid() -> PoolError:
    return PoolError("NotAuthorizedException", "Invalid session for the user.")


def wrong_credentials() -> PoolError:
    return PoolError("NotAuthorizedException", "Incorrect username or password.")  # seen


def user_disabled() -> PoolError:
    return PoolError("NotAuthorizedException", "User is disabled.")  # seen


def user_unknown() -> PoolError:
    return PoolError("UserNotFoundException", "User does not exist.")  # seen


def user_unconfirmed() -> PoolError:
    return PoolError("UserNotConfirmedException", "User is not confirmed.")  # seen


def password_reset_required() -> PoolError:
    text = "Password reset required for the user"  # seen
    return PoolError("PasswordResetRequiredException", text)


def client_unknown(client_id: str) -> PoolError:
    text = f"User pool client {client_id} does not exist."  # seen
    return PoolError("ResourceNotFoundException", text)


def flow_not_enabled(flow: str) -> PoolError:
    return PoolError("InvalidParameterException", f"{flow} flow not enabled for this client")


def parameter_missing(name: str) -> PoolError:
    return PoolError("InvalidParameterException", f"Missing required parameter {name}")


def parameter_invalid(message: str) -> PoolError:
    return PoolError("InvalidParameterException", message)


def feature_unavailable(plan: str) -> PoolError:
    text = f"USER_AUTH is not available in the {plan} feature plan."
    return PoolError("FeatureUnavailableInTierException", text)


def secret_hash_missing(client_id: str) -> PoolError:
    text = f"Client {client_id} is configured with secret but SECRET_HASH was not received"  # seen
    return PoolError("NotAuthorizedException", text)


def secret_hash_wrong(client_id: str) -> PoolError:
    text = f"Unable to verify secret hash for client {client_id}"  # seen
    return PoolError("NotAuthorizedException", text)


def secret_hash_unexpected(client_id: str) -> PoolError:
    text = f"Client {client_id} is not configured for secret but secret hash was received"
    return PoolError("NotAuthorizedException", text)

"""The refusals of a user pool, with the names and texts of Amazon Cognito.

In this room, texts marked "seen" come from published captures; the others are our best reading of AWS's pages.
"""

from __future__ import annotations


class PoolError(Exception):
    """One refusal, `kind` being the exception's name in Amazon's service model."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


def session_used() -> PoolError:
    text = "Invalid session for the user, session can only be used once."  # seen
    return PoolError("NotAuthorizedException", text)


def session_invalid() -> PoolError:
    return PoolError("NotAuthorizedException", "Invalid session for the user.")


def wrong_credentials() -> PoolError:
    return PoolError("NotAuthorizedException", "Incorrect username or password.")  # seen


def user_unknown() -> PoolError:
    return PoolError("UserNotFoundException", "User does not exist.")  # seen


def flow_not_enabled(flow: str) -> PoolError:
    return PoolError("InvalidParameterException", f"{flow} flow not enabled for this client")


def parameter_missing(name: str) -> PoolError:
    return PoolError("InvalidParameterException", f"Missing required parameter {name}")


def parameter_invalid(message: str) -> PoolError:
    return PoolError("InvalidParameterException", message)

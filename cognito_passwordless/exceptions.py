"""What can go wrong in a sign-in, as this package says it. Messages hold no code, no secret and no address."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = [
    "CognitoPasswordlessError",
    "DispatchFailed",
    "InvalidIdentifier",
    "JoinOffered",
    "MigrationConflict",
    "MigrationRefused",
    "SecondFactorNeeded",
]


class CognitoPasswordlessError(Exception):
    """The root of this package's own exceptions."""


class InvalidIdentifier(CognitoPasswordlessError, ValueError):
    """What was typed is neither an e-mail address nor a phone number."""


class DispatchFailed(CognitoPasswordlessError):
    """The work could not be handed to a worker (the broker is down); nothing was started."""


class MigrationRefused(CognitoPasswordlessError):
    """A proven person may not sign in: ``reason`` says why, for the log and the timeline, never for the page."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MigrationConflict(MigrationRefused):
    """An operator has to decide who this is; the case has been recorded."""


class JoinOffered(MigrationRefused):
    """The person would get a new account, and one more proof would open an account that is there: an address, or the
    hosted login of a connection. They may say no. Nothing has been changed."""

    def __init__(self, *, address: str = "", connection: str = "") -> None:
        super().__init__("join_offered")
        self.address = address
        self.connection = connection


class SecondFactorNeeded(MigrationRefused):
    """The address of an account was proven that had not been verified, and the account has a second factor: it is
    asked for first, and nothing has been changed. ``user`` is the account's."""

    def __init__(self, user: "AbstractBaseUser") -> None:
        super().__init__("second_factor")
        self.user = user

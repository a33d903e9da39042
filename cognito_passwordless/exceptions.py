"""What can go wrong in a sign-in, as this package says it. Messages hold no code, no secret and no address."""


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
    """A human has to decide who this is; the case has been recorded."""

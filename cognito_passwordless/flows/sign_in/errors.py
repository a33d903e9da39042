"""What can go wrong in a sign-in by code, as the entrances have to tell it apart."""

from ...exceptions import CognitoPasswordlessError
from ...models import ChallengeSession


class SignInError(CognitoPasswordlessError):
    """The root of what a sign-in raises beside `MigrationRefused` and `DispatchFailed`."""


class NoChallenge(SignInError):
    """This browser holds no challenge; the person starts again."""


class NotServed(SignInError):
    """No SMS goes to the country of the number that was typed (`SMS_COUNTRIES`); the same for all numbers of it."""


class TooMany(SignInError):
    """This network has started too many sign-ins; ``retry_after`` in seconds. The same for every identifier."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooSoon(SignInError):
    """The cool-down is not over; ``seconds`` until another message may be asked for."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class NotProven(SignInError):
    """An answer proves no person; ``cause`` and ``category`` are for the log and the timeline, as every page says the
    same. A category other than "flow" says that the answer may have been right and could not be checked."""

    def __init__(self, cause: str, category: str = "flow", *, unreached: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.category = category
        self.unreached = unreached  # the answer never left for the pool, so it was compared with nothing


class Wrong(NotProven):
    """Wrong, expired, used up, unknown: one answer (law 4), not to be released before ``floor`` seconds after the
    request began. ``cause`` and ``category`` are for the log and for callers that are not pages."""

    def __init__(
        self, challenge: ChallengeSession, cause: str, category: str = "flow", *, unreached: bool = False
    ) -> None:
        super().__init__(cause, category, unreached=unreached)
        self.challenge = challenge
        self.floor = challenge.refusal_floor

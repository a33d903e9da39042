"""Questions to the network, all at once and bounded in time: each runs in a thread that is left alone when time is up.

A question touches no database: a thread would have a connection of its own to it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ...cognito import Cause, CognitoError
from ...delivery import SendFailed
from .findings import Verdict, unknown

SECONDS: Final = 8.0  # for all questions of one call together

# AWS's and botocore's names for "you may not" and for "I do not know who you are".
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized"}
    | {"NotAuthorizedException", "UnauthorizedOperation"}
)
_NOBODY: Final = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"}
    | {"InvalidClientTokenId", "UnrecognizedClientException", "ExpiredTokenException", "ExpiredToken"}
    | {"MissingAuthenticationToken", "MissingAuthenticationTokenException", "InvalidSignatureException"}
    | {"SignatureDoesNotMatch", "SSOTokenLoadError", "UnauthorizedSSOTokenError"}
)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question without an answer; ``code`` is AWS's name of the failure where it gave one."""

    reason: str
    code: str = ""
    cause: Cause | None = None

    def verdict(self, permission: str, about: str) -> Verdict:
        """The finding; ``permission`` is the IAM action that was needed, ``about`` what could not be checked."""
        if self.code in _NOBODY:
            why = f"this process has no AWS identity that counts ({self.code})"
            fix = f"Give it one that may {permission}, and try again."
        elif self.code in _DENIED:
            why, fix = "AWS does not allow it", f"Allow {permission} to the AWS identity of this process."
        else:
            why, fix = self.reason, f"Try again later; {permission} is what was asked."
        return unknown(f"{why}; not looked at: {about}", fix)


@dataclass
class _Place:
    value: Any = field(default_factory=lambda: Unanswered("no answer in time"))


def ask(questions: Mapping[str, Callable[[], Any]], *, seconds: float = SECONDS) -> dict[str, Any]:
    """The answer to each question, or `Unanswered`; never raises, and takes no longer than ``seconds``."""

    def answer(question: Callable[[], Any], place: _Place) -> None:
        try:
            place.value = question()
        except CognitoError as error:
            place.value = Unanswered(str(error), error.aws_code, error.cause)
        except SendFailed as error:
            place.value = Unanswered(error.cause, error.cause)
        except Exception as error:  # noqa: BLE001  (whatever a library throws is an answer that did not come)
            # Its text may hold an address or a key.
            place.value = Unanswered(type(error).__name__)

    places = {name: _Place() for name in questions}
    threads = [
        threading.Thread(target=answer, args=(question, places[name]), daemon=True)
        for name, question in questions.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {name: place.value for name, place in places.items()}

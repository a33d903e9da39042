"""Verify auth challenge response: whether the answer is right. Every doubt is a no.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-verify-auth-challenge-response.html
"""

from .challenge.interface import Attempt
from .challenge.registry import challenge_named
from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, mapping, request_of, text
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .challenge.interface import Ask
    from .challenge.limits import Limits


def respond(
    event: object,
    *,
    settings: Settings,
    now: float,
    deadline: Deadline,
    note: Note,
    limits: "Limits | None" = None,
    ask: "Ask | None" = None,
) -> "dict[str, Any]":
    """``limits`` and ``ask`` (the captcha's service) stand in for what the settings name."""
    request = request_of(event)
    private = mapping(request.get("privateChallengeParameters"))
    challenge = challenge_named(text(private.get("kind")))
    right = challenge is not None and challenge.check(
        Attempt(
            event=event,
            state=text(private.get("state")),
            answer=text(request.get("challengeAnswer")),
            settings=settings,
            now=now,
            deadline=deadline,
            note=note,
            limits=limits,
            ask=ask,
        )
    )
    if challenge is None:
        note("wrong", reason="kind")
    return answered(event, {"answerCorrect": right is True})


def handler(event: object, context: object) -> "dict[str, Any]":
    # No fallback: "wrong" would be false while the limits cannot be read, and the person would try again.
    return run("verify_auth_challenge_response", respond, event, context)

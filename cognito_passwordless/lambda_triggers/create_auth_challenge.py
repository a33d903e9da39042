"""Create auth challenge: a captcha first if one is configured, then the code, which it sends.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-create-auth-challenge.html
"""

from .challenge import history
from .challenge.interface import Round
from .challenge.registry import challenge_for
from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, request_of
from .errors import unavailable
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .challenge.limits import Limits
    from .messages.senders import Send


def respond(
    event: object,
    *,
    settings: Settings,
    now: float,
    deadline: Deadline,
    note: Note,
    send: "Send | None" = None,
    limits: "Limits | None" = None,
) -> "dict[str, Any]":
    """Presents the round that is due. Raises `Refused` where none can be.

    ``send`` and ``limits`` stand in for what the settings name.
    """
    past = history.read(request_of(event).get("session"), password_first=settings.password_first)
    if past is None or past.password_due or (past.code is not None and past.right):
        raise unavailable("history")
    due = challenge_for(past, settings)
    presented = due.present(
        Round(
            event=event,
            history=past,
            settings=settings,
            now=now,
            deadline=deadline,
            note=note,
            send=send,
            limits=limits,
        )
    )
    # A session that is used up refuses the answer after this one, so the client learns it now.
    used_up = {"sessionUsedUp": "true"} if past.rounds_left <= 1 else {}
    return answered(
        event,
        {
            "publicChallengeParameters": {**presented.public, **used_up},
            "privateChallengeParameters": {"kind": due.kind, "state": presented.state},
            "challengeMetadata": presented.metadata or presented.state,
        },
    )


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("create_auth_challenge", respond, event, context)

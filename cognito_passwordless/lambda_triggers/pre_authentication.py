"""Pre authentication: refuses people who have moved to Django, are blocked, or are unverified.

Cognito gives this trigger no IP address, so it cannot limit by one.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-authentication.html
"""

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, attributes_of, is_true, is_unknown, mapping, request_of
from .errors import Misconfigured, not_allowed
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask


def respond(
    event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note, ask: "Ask | None" = None
) -> "dict[str, Any]":
    """``PRE_AUTH_REFUSE`` lists reasons to refuse a person by attributes; ``PRE_AUTH_ASK_DJANGO`` asks the site too.

    Django is asked about unknown people too, who are then left to Cognito: it refuses them itself.
    """
    attributes = attributes_of(event)
    migrated = settings.text("PRE_AUTH_MIGRATED_CLAIM", "custom:migrated")
    blocked = settings.text("PRE_AUTH_BLOCKED_CLAIM", "custom:blocked")
    applies = {
        "blocked": is_true(attributes.get(blocked)),
        "migrated": is_true(attributes.get(migrated)),
        "unverified": not any(is_true(attributes.get(f"{name}_verified")) for name in ("email", "phone_number")),
    }
    refuse = settings.words("PRE_AUTH_REFUSE")
    if not applies.keys() >= set(refuse):
        raise Misconfigured(f"PRE_AUTH_REFUSE may hold {', '.join(applies)}")
    why = next((reason for reason in refuse if applies[reason]), "")
    if settings.flag("PRE_AUTH_ASK_DJANGO"):
        from .site import client  # noqa: PLC0415  # without a question no network

        validation = mapping(request_of(event).get("validationData"))
        answer = client.ask_or_go_on(
            "pre_authentication",
            {**client.about(event), "validation": {str(name): str(value) for name, value in validation.items()}},
            on_error="PRE_AUTH_ON_ERROR",
            settings=settings,
            deadline=deadline,
            note=note,
            stand_in=ask,
        )
        if answer is not None and answer.get("allow") is not True:
            why = why or "django"
    if why and not is_unknown(event):
        raise not_allowed(why)
    return answered(event, {})


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("pre_authentication", respond, event, context)

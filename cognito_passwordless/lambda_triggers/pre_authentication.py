"""Pre authentication: refuses people who have moved to Django, are blocked, or are unverified.

Cognito does not tell this trigger where a request comes from: it has no IP address, so it can't limit by one.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-authentication.html
"""

from collections.abc import Mapping

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, attributes_of, is_true, is_unknown, mapping, request_of
from .errors import Misconfigured, Unavailable, not_allowed
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask

REASONS = frozenset({"migrated", "blocked", "unverified"})


def respond(
    event: object,
    *,
    settings: Settings,
    now: float,
    deadline: Deadline,
    note: Note,
    ask: "Ask | None" = None,
) -> "dict[str, Any]":
    """``PRE_AUTH_REFUSE`` names whom to refuse by their attributes; ``PRE_AUTH_ASK_DJANGO`` asks the site as well.

    Unknown people are asked about too, and then left to Cognito, which refuses them itself.
    """
    refuse = settings.words("PRE_AUTH_REFUSE")
    if not REASONS.issuperset(refuse):
        raise Misconfigured(f"PRE_AUTH_REFUSE may hold {', '.join(sorted(REASONS))}")
    why = next((reason for reason in refuse if _applies(reason, attributes_of(event), settings)), "")
    if settings.flag("PRE_AUTH_ASK_DJANGO") and not _allowed(event, settings, deadline, note, ask):
        why = why or "django"
    if why and not is_unknown(event):
        raise not_allowed(why)
    return answered(event, {})


def _applies(reason: str, attributes: Mapping[str, str], settings: Settings) -> bool:
    if reason == "unverified":
        return not any(is_true(attributes.get(name)) for name in ("email_verified", "phone_number_verified"))
    claim = settings.text(f"PRE_AUTH_{reason.upper()}_CLAIM", f"custom:{reason}")
    return is_true(attributes.get(claim))


def _allowed(event: object, settings: Settings, deadline: Deadline, note: Note, ask: "Ask | None") -> bool:
    from .site import client  # noqa: PLC0415  # without a question no network

    validation = mapping(request_of(event).get("validationData"))
    payload = {**client.about(event), "validation": {str(name): str(value) for name, value in validation.items()}}
    try:
        answer = (ask or client.ask)("pre_authentication", payload, settings=settings, deadline=deadline)
    except Unavailable as error:
        note.add(django=error.cause)
        # Closed, unless the site has decided that its pool must go on without it.
        if settings.choice("PRE_AUTH_ON_ERROR", "closed", "open") == "open":
            return True
        raise
    return answer.get("allow") is True


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("pre_authentication", respond, event, context)

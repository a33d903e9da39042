"""Inbound federation: which attributes of an outside provider become which attributes of the pool's user.

``FEDERATION_MAP`` is a JSON object by provider name (``*`` for all others): ``{"Google": {"email": "email"}}``, pool
attribute first. A list becomes its items with commas between. A provider without an entry is left alone; of one with
an entry, what the entry leaves out is dropped.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-inbound-federation.html
"""

from collections.abc import Mapping

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, mapping, request_of, text
from .errors import Misconfigured
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Where a provider's attributes are, the most trusted place first: signed ones come first.
PLACES = ("idToken", "samlResponse", "userInfo")


def respond(event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note) -> "dict[str, Any]":
    request = request_of(event)
    table = settings.table("FEDERATION_MAP")
    chosen = table.get(text(request.get("providerName")), table.get("*", {}))
    if not isinstance(chosen, Mapping) or not all(isinstance(source, str) for source in chosen.values()):
        raise Misconfigured("FEDERATION_MAP must map providers to objects of names")
    given = mapping(request.get("attributes"))
    mapped = {}
    for target, source in chosen.items():
        value = _find(given, source)
        if isinstance(value, bool):
            value = "true" if value else "false"
        if isinstance(value, list) and value:
            value = ",".join(str(item) for item in value if isinstance(item, str | int | float))
        if isinstance(value, str | int | float):
            mapped[target] = str(value)
    if chosen and not mapped:
        # {} would mean the opposite: everything as it came.
        raise Misconfigured("FEDERATION_MAP leaves nothing of what this provider sends")
    note("mapped" if mapped else "left_alone", attributes=len(mapped))
    return answered(event, {"userAttributesToMap": mapped})


def _find(given: "Mapping[str, Any]", name: str) -> object:
    """``idToken.email`` in that place, ``email`` in any."""
    place, _, inner = name.partition(".")
    if inner and place in PLACES:
        return mapping(given.get(place)).get(inner)
    for place in PLACES:
        if name in mapping(given.get(place)):
            return mapping(given.get(place))[name]
    return given.get(name)


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("inbound_federation", respond, event, context)

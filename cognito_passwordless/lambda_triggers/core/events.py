"""Reads a trigger's event, in which every field may be missing or null, and answers it.

Field names as in https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Event = Mapping[str, object]


def mapping(value: object) -> "Mapping[str, Any]":
    """``value`` if it is a mapping, else an empty one: null and missing are the same."""
    return value if isinstance(value, Mapping) else {}


def text(value: object) -> str:
    """``value`` if it is a string, else the empty one."""
    return value if isinstance(value, str) else ""


def request_of(event: object) -> "Mapping[str, Any]":
    return mapping(mapping(event).get("request"))


def attributes_of(event: object) -> dict[str, str]:
    """The user's attributes that are strings; any other value is ignored."""
    return _strings(request_of(event).get("userAttributes"))


def metadata_of(event: object) -> dict[str, str]:
    """The `ClientMetadata` of this call. The client chooses it, so an attacker can put anything into it."""
    return _strings(request_of(event).get("clientMetadata"))


def _strings(value: object) -> dict[str, str]:
    return {name: item for name, item in mapping(value).items() if isinstance(item, str)}


def source_of(event: object) -> str:
    return text(mapping(event).get("triggerSource"))


def username_of(event: object) -> str:
    return text(mapping(event).get("userName"))


def pool_of(event: object) -> str:
    return text(mapping(event).get("userPoolId"))


def client_of(event: object) -> str:
    return text(mapping(mapping(event).get("callerContext")).get("clientId"))


def is_unknown(event: object) -> bool:
    """Whether the pool has no such user. Every value but null, missing and False counts as yes."""
    flag = request_of(event).get("userNotFound")
    return flag is not None and flag is not False


def is_true(value: object) -> bool:
    """Attributes are strings, flags are booleans: only ``True`` and ``"true"`` are true."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def answered(event: object, response: "Mapping[str, Any]") -> "dict[str, Any]":
    """The event with its response *replaced*: what Cognito put there may be null."""
    return {**mapping(event), "response": dict(response)}


def unchanged(event: object) -> "dict[str, Any]":
    """The answer that leaves everything to Cognito, for triggers whose failure must not stop a person."""
    return answered(event, {})

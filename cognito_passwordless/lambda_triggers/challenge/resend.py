"""Whether an answer asks for another message. Such an answer is never compared and costs no attempt.

Define, Create and Verify each decide this for the same call and must agree: what Create does not count, Verify must
not compare.
"""

import hashlib

from ...otp.policy import Policy
from ..core.events import attributes_of, metadata_of
from .state import State

# `ClientMetadata={"action": "resend"}` on RespondToAuthChallenge; for clients that cannot give metadata, a user
# attribute whose value changes.
ACTION, RESEND = "action", "resend"
ATTRIBUTE = "custom:resend"


def seen(event: object) -> str:
    """A hash of the attribute's value; empty when there is none."""
    value = attributes_of(event).get(ATTRIBUTE, "")
    return hashlib.sha256(value.encode()).hexdigest()[:8] if value else ""


def is_resend(event: object, state: State, policy: Policy) -> bool:
    """By metadata, or by an attribute whose value has not been acted upon.

    The attribute can change between two triggers of one call, so it only counts while there are messages left: that
    bounds what a change at the wrong moment is worth.
    """
    metadata = metadata_of(event)
    if metadata.get(ACTION) == RESEND or metadata.get(RESEND) == "true":
        return True
    value = seen(event)
    return bool(value) and value != state.seen and state.challenge.sends < policy.max_sends

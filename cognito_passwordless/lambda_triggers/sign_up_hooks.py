"""Hooks for ``PRE_SIGN_UP_HOOKS`` that many pools want. A hook of your own is a function with the same arguments.

A hook refuses by raising `errors.not_allowed`. Any other exception, or an answer that is late, refuses as well.
"""

import re

from .challenge.captcha import verify
from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import attributes_of, mapping, request_of, source_of, text
from .errors import Misconfigured, not_allowed

SIGN_UP = "PreSignUp_SignUp"
LONGEST = 2048


def captcha(event: object, settings: Settings, deadline: Deadline) -> None:
    """A solved captcha has to come along as ``validationData["captcha"]`` (`captcha` has the variables)."""
    if source_of(event) != SIGN_UP:
        return
    token = text(mapping(request_of(event).get("validationData")).get("captcha"))
    if not 0 < len(token) <= LONGEST or not verify(token, settings=settings, deadline=deadline):
        raise not_allowed("captcha")


def attributes(event: object, settings: Settings, deadline: Deadline) -> None:
    """``PRE_SIGN_UP_ATTRIBUTES`` is a JSON object of attributes and the pattern that each has to match in full."""
    if source_of(event) != SIGN_UP:
        return
    given = attributes_of(event)
    for name, pattern in settings.table("PRE_SIGN_UP_ATTRIBUTES").items():
        try:
            matches = re.fullmatch(pattern, given.get(name, "")[:LONGEST])
        except (re.error, TypeError):
            raise Misconfigured(f"PRE_SIGN_UP_ATTRIBUTES: {name} has no pattern") from None
        if not matches:
            raise not_allowed("attribute")

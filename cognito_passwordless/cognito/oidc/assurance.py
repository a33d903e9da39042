"""Check how a person signed in: the ``at_hash``, ``acr`` and ``auth_time`` of an ID token.

Source: OpenID Connect Core 3.1.2.1, 3.1.3.6, 3.1.3.7, 5.5.1.
"""

import base64
import hashlib
import hmac
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..connection import Connection
from .tokens import LEEWAY, refuse

# Levels of assurance that are ordered by the number at their end, as Cognito's urn:cognito:loa:1 to 4.
_LEVEL: Final = re.compile(r"(urn:cognito:loa:)([1-9])")


def check_assurance(connection: Connection, claims: Mapping[str, Any], *, access_token: str, now: float) -> None:
    """Raises ``CognitoError`` with ``token_invalid`` and the reason in ``detail``."""
    if "at_hash" in claims:
        given, half = claims["at_hash"], hashlib.sha256(access_token.encode()).digest()[:16]
        wanted = base64.urlsafe_b64encode(half).rstrip(b"=")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), wanted):
            refuse("at_hash of another access token")

    requested, acr = _requested(connection, "acr"), claims.get("acr")
    essential = requested.get("essential") is True
    values = [*requested.get("values", ()), *([requested["value"]] if "value" in requested else ())]
    for accepted in ((connection.acr_values or "").split(), values if essential else ()):
        if accepted and not _reaches(acr, accepted):
            refuse("acr lower than asked")
    if essential and not isinstance(acr, str):
        refuse("no acr")
    _check_auth_time(connection, claims.get("auth_time"), now)


def _check_auth_time(connection: Connection, auth_time: object, now: float) -> None:
    max_age, seconds = connection.authorize_params.get("max_age", ""), math.inf
    if max_age:
        # A value that is no number demands a sign-in at this very moment.
        seconds = float(max_age) if max_age.isascii() and max_age.isdecimal() else 0.0
    elif _requested(connection, "auth_time").get("essential") is not True:
        return
    if isinstance(auth_time, bool) or not isinstance(auth_time, int | float) or not math.isfinite(auth_time):
        refuse("no auth_time")
    if auth_time > now + LEEWAY:
        refuse("auth_time in the future")
    if now - auth_time > seconds + LEEWAY:
        refuse("signed in too long ago")


def _reaches(acr: object, accepted: Sequence[object]) -> bool:
    """Whether ``acr`` is one of the values, or a higher level than one of them on the same scale."""
    if acr in accepted:
        return True
    level = _LEVEL.fullmatch(acr) if isinstance(acr, str) else None
    others = (_LEVEL.fullmatch(value) for value in accepted if isinstance(value, str))
    return level is not None and any(level[1] == other[1] and level[2] > other[2] for other in others if other)


def _requested(connection: Connection, name: str) -> Mapping[str, Any]:
    """How the ``claims`` parameter requests a claim of the ID token; empty where it sets no conditions."""
    wanted = ((connection.claims or {}).get("id_token") or {}).get(name)
    return wanted if isinstance(wanted, Mapping) else {}

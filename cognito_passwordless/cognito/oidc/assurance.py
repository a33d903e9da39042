"""Was it done as it was asked for? What an ID token must say beside who it is: ``at_hash``, ``acr``, ``auth_time``.

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
    if "at_hash" in claims and not _is_hash_of(claims["at_hash"], access_token):
        refuse("at_hash of another access token")
    _check_acr(connection, claims.get("acr"))
    _check_auth_time(connection, claims, now)


def _is_hash_of(given: object, access_token: str) -> bool:
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    wanted = base64.urlsafe_b64encode(half).rstrip(b"=")
    return isinstance(given, str) and hmac.compare_digest(given.encode(), wanted)


def _check_acr(connection: Connection, given: object) -> None:
    asked = (connection.acr_values or "").split()
    rule = _id_token_claim(connection, "acr")
    if asked and not _reaches(given, asked):
        refuse("acr lower than asked")
    values = [*rule.get("values", ()), *([rule["value"]] if "value" in rule else ())]
    if values and rule.get("essential") is True and not _reaches(given, values):
        refuse("acr lower than asked")
    if rule.get("essential") is True and not isinstance(given, str):
        refuse("no acr")


def _reaches(given: object, asked: Sequence[object]) -> bool:
    """One of the values, or a higher one of the same scale than the lowest that would do."""
    if given in asked:
        return True
    mine = _LEVEL.fullmatch(given) if isinstance(given, str) else None
    if mine is None:
        return False
    others = (_LEVEL.fullmatch(value) for value in asked if isinstance(value, str))
    return any(mine[1] == other[1] and int(mine[2]) > int(other[2]) for other in others if other)


def _check_auth_time(connection: Connection, claims: Mapping[str, Any], now: float) -> None:
    max_age = _max_age(connection)
    if max_age is None and _id_token_claim(connection, "auth_time").get("essential") is not True:
        return
    value = claims.get("auth_time")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        refuse("no auth_time")
    if value > now + LEEWAY:
        refuse("auth_time in the future")
    if max_age is not None and now - value > max_age + LEEWAY:
        refuse("signed in too long ago")


def _max_age(connection: Connection) -> float | None:
    text = connection.authorize_params.get("max_age", "")
    if not text:
        return None
    # A value that nobody can read asks for a sign-in this very moment.
    return float(text) if text.isascii() and text.isdecimal() else 0.0


def _id_token_claim(connection: Connection, name: str) -> Mapping[str, Any]:
    """How the ``claims`` parameter asks for a claim of the ID token; empty where it asks for it as for any other."""
    wanted = ((connection.claims or {}).get("id_token") or {}).get(name)
    return wanted if isinstance(wanted, Mapping) else {}

"""Taking out of an event's data what must be in no event: codes, tokens, sessions, and the addresses of the sign-in.

By name, by form, and by value where the value is known here. It is a net, not a licence: a payload should be made of
what it needs.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Self

from ... import keys
from ...identifiers import looks_like_address
from ...models import ChallengeSession
from ...otp import Code
from ...otp.masking import mask

REMOVED: Final = "[removed]"
# What the value of such a key is: it goes, whatever it looks like. An ``error_code`` or a ``country_code`` may stay.
_NAMES: Final = re.compile(
    r"^(code|otp|pin)$|(otp|pass|sms|e?mail|login|verification|confirmation|auth\w*|access|time|security)[^a-z]?code"
    r"|token|secret|passw|credential|authorization|cookie|session|handle|verifier|api.?key|signature|jwt",
    re.IGNORECASE,
)
# A JSON Web Token; a long word of a base64 or hex alphabet, as sessions, handles and keys are; ``code=…`` in an
# address; and digits as codes are written.
_TOKEN: Final = re.compile(r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*")
_LONG: Final = re.compile(r"[A-Za-z0-9_\-+/=]{40,}")
_PARAMETER: Final = re.compile(
    r"\b(code|otp|state|nonce|id_token|access_token|refresh_token|token|secret|password|session|handle)=[^&\s]+",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"(?<![\w+])(?<!\w[.-])(?:\d{6,10}|\d{3,5}[ -]\d{3,5})(?!\w|[.-]\w)")
_SEPARATORS: Final = re.compile(r"[\s\-]")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is known of one sign-in: ``codes`` that can be compared with, and ``addresses`` as they are written."""

    codes: frozenset[str] = field(repr=False)
    addresses: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, challenge: ChallengeSession, given: Code | None) -> Self:
        addresses = {challenge.identifier, challenge.recipient, challenge.pool_username}
        return cls(
            frozenset(code.reveal() for code in (given, keys.our_code(challenge)) if code is not None),
            tuple(filter(looks_like_address, addresses)),
        )


def without(value: Any, secrets: Secrets) -> Any:
    """The same, of what JSON knows, without secrets."""
    if isinstance(value, dict):
        clean = {}
        for name, each in value.items():
            # Whether there is anything to hide: that there was no code may be said.
            is_empty = each is None or isinstance(each, bool) or each in ("", [], {})
            is_secret = _NAMES.search(name) and not is_empty
            clean[_clean(name, secrets)] = REMOVED if is_secret else without(each, secrets)
        return clean
    if isinstance(value, list):
        return [without(each, secrets) for each in value]
    if isinstance(value, str):
        return _clean(value, secrets)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # A number has lost the zeros that its code began with.
        digits = f"{value:.0f}"
        return REMOVED if any(digits == code.lstrip("0") for code in secrets.codes) else value
    return value


def _clean(text: str, secrets: Secrets) -> str:
    text = text.replace("\0", "")  # PostgreSQL takes none
    for address in secrets.addresses:
        text = re.sub(re.escape(address), mask(address), text, flags=re.IGNORECASE)
    for pattern in (_TOKEN, _PARAMETER, _LONG, _DIGITS):
        text = pattern.sub(REMOVED, text)
    bare = _SEPARATORS.sub("", text)
    return REMOVED if any(code in bare for code in secrets.codes) else text

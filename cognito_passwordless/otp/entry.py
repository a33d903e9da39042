"""Reads what people type or paste into a code field."""

import re
import unicodedata

from .codes import Code

SHORTEST, LONGEST = 4, 10
_SEPARATORS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff.,_\-\u2010-\u2015\u2212]+")
# The origin-bound last line of an SMS, "@host #code" (WICG, "Origin-bound one-time codes").
_ORIGIN_BOUND = re.compile(r"@\S+ #(\d{4,10})(?!\d)")
_RUN = re.compile(r"(?<!\d)(\d{4,10}|\d{3,5}[ \-]\d{3,5})(?!\d)")


def read_code(text: str) -> Code | None:
    """Finds the code in "123 456", "123-456", full-width or Arabic digits, or a whole pasted message.

    None if there is no code, or more than one candidate: such an entry can never be right, so the host asks again
    without spending an attempt. That reveals nothing about the challenge: every code of 4 to 10 digits is read.
    """
    # Decimal digits of every script become ASCII digits; every other character stays.
    plain = "".join(str(unicodedata.decimal(character, character)) for character in text[:2000])
    joined = _SEPARATORS.sub("", plain)
    if joined.isascii() and joined.isdigit():
        return Code(joined) if SHORTEST <= len(joined) <= LONGEST else None
    bound = _ORIGIN_BOUND.findall(plain)
    found = {re.sub(r"\D", "", run) for run in (bound or _RUN.findall(plain))}
    return Code(found.pop()) if len(found) == 1 else None

"""Codes are derived, never stored (law 1).

A code is a keyed hash over the challenge's random id, its purpose and its generation. A host with the key can
derive it again, so a retry or a second provider sends the same code, and no table, queue or log ever needs it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

from .records import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_KEY_CONTEXT = b"cognito_passwordless.otp.key.v1"
_FINGERPRINT_CONTEXT = b"cognito_passwordless.otp.fingerprint.v1"
_CODE_CONTEXT = b"cognito_passwordless.otp.code.v1"


class Code:
    """Digits that do not show themselves: not in ``repr``, ``str``, a format string or a pickle.

    Error reports print local variables and logs print arguments; only an explicit `reveal` gives the digits.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def reveal(self) -> str:
        """The digits, for the message that is sent and nothing else."""
        return self._digits

    def __repr__(self) -> str:
        return "Code('••••••')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Code):
            return NotImplemented
        return matches(self, other)

    def __hash__(self) -> int:
        return hash(Code)

    def __reduce__(self) -> "NoReturn":
        raise TypeError("a code must not be pickled: queues, caches and sessions are places at rest")


@record(frozen=True, slots=True)
class Key:
    """A key that derives codes, and the fingerprint that names it without revealing it."""

    secret: bytes = field(repr=False)
    fingerprint: str

    @classmethod
    def from_secret(cls, secret: str | bytes) -> "Key":
        """Derives a key of our own from a host's secret, so that the same secret may serve other purposes.

        Raises `ValueError` for an empty secret.
        """
        raw = secret.encode() if isinstance(secret, str) else secret
        if not raw:
            raise ValueError("a key cannot be made from an empty secret")
        key = hmac.digest(raw, _KEY_CONTEXT, "sha256")
        return cls(key, hmac.digest(key, _FINGERPRINT_CONTEXT, "sha256").hex()[:16])


@record(frozen=True, slots=True)
class Keyring:
    """The current key first, then its predecessors: a challenge finds its own key by fingerprint."""

    keys: tuple[Key, ...]

    @classmethod
    def from_secrets(cls, secrets: Iterable[str | bytes]) -> "Keyring":
        """Raises `ValueError` when there is no secret at all, or an empty one."""
        keys = tuple(Key.from_secret(secret) for secret in secrets)
        if not keys:
            raise ValueError("a keyring needs at least one secret")
        return cls(keys)

    @property
    def current(self) -> Key:
        return self.keys[0]

    def find(self, fingerprint: str) -> Key | None:
        """The one key that may derive this challenge's code, or None when it has been retired."""
        return next((key for key in self.keys if key.fingerprint == fingerprint), None)


def derive(key: Key, challenge_id: str, *, purpose: str, generation: int, length: int) -> Code:
    """The code of one generation of one challenge: uniform over all ``10 ** length`` codes, zeros kept.

    The hash has 256 bits, so the remainder's bias is below ``10 ** length / 2 ** 256``. Fields are joined with
    their lengths, so no two different challenges share a message.
    """
    parts = (purpose.encode(), challenge_id.encode(), str(generation).encode())
    message = _CODE_CONTEXT + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    number = int.from_bytes(hmac.digest(key.secret, message, hashlib.sha256), "big")
    return Code(f"{number % 10**length:0{length}d}")


def matches(expected: Code, given: Code) -> bool:
    """Compares in constant time. An empty code matches nothing, itself included."""
    wanted, offered = expected.reveal().encode(), given.reveal().encode()
    return hmac.compare_digest(wanted, offered) and bool(wanted)


SHORTEST, LONGEST = 4, 10
# What is left of a page's or a mail's markup. Tags within a line join what is around them, the others part it.
# Patterns are compiled at their first use: a Lambda that only sends a code does not pay for them.
_MARKUP = (
    r"(?is)&#(?:x([0-9a-f]{1,6})|(\d{1,9}));|(</?(?:a|b|em|font|i|span|strong|u|wbr)\b[^<>]*>|&(?:shy|zwj|zwnj|lrm|rlm);)"
    r"|<(?:style|script)\b.*?(?:</|\Z)|</?[a-z][^<>]*>|&(?:nbsp|[a-z]{1,6}sp);|(?:%20|=20|%C2%A0|=C2=A0)"
)
_DASHES = r"[\u2010-\u2015\u2212_]"
_SPACES = r"[^\S\n]"
_ENTRY = r"[\d\s.,/\-]+"
# Digits in groups, and one sign between two groups.
_CLUSTER = r"(?<![\d\0])\d++(?:[ ./\-]\d++)*+(?!\0)"
# The origin-bound last line of an SMS, "@host #code" (WICG, "Origin-bound one-time codes").
_ORIGIN_BOUND = r"@\S+ #(\d{4,10})(?!\d)"
# Telephone numbers and dates look like codes and are none.
_OTHERS = (
    r"\+ ?\(?\d|\(\d{2,5}\) ?\d|\b\d{3}[ .\-]\d{3}[ .\-]\d{4}\b"
    r"|\b(?:19|20)\d\d([./\-])\d{1,2}\1\d{1,2}\b|\b\d{1,2}([./\-])\d{1,2}\2(?:19|20)\d\d\b"
)


def read_code(text: str) -> Code | None:
    """Finds the code in "123 456", "12-34-56", a code that was filled in twice, the digits of any script or of emoji,
    or a whole pasted message.

    None if there is no code, or more than one candidate: such an entry can never be right, so the host asks again
    without spending an attempt. That reveals nothing about the challenge: every code of 4 to 10 digits is read.
    """
    plain = _plain(text[:2000])
    if bound := re.findall(_ORIGIN_BOUND, plain):
        found = {*bound}
    elif re.search(_OTHERS, plain):
        return None
    elif re.fullmatch(_ENTRY, plain):
        found = _typed(re.findall(r"\d+", plain))
    else:
        found = {code for cluster in re.findall(_CLUSTER, plain) for code in _pasted(re.findall(r"\d+", cluster))}
    return Code(found.pop()) if len(found) == 1 and SHORTEST <= len(min(found)) <= LONGEST else None


def _plain(text: str) -> str:
    """ASCII digits, spaces and hyphens in place of their many forms, without what cannot be seen."""
    import unicodedata  # noqa: PLC0415  # a Lambda that only sends a code does not load it

    def written(found: "re.Match[str]") -> str:
        hexadecimal, number, inline = found.groups()
        if hexadecimal or number:
            point = int(hexadecimal, 16) if hexadecimal else int(number)
            return chr(point) if point < 0x110000 else " "
        return "" if inline else " " if found[0][0] != "<" else "\n"

    # Formatting characters (soft hyphen, zero width, direction), and marks such as the keycap of an emoji.
    seen = [sign for sign in re.sub(_MARKUP, written, text) if unicodedata.category(sign) not in {"Cf", "Me", "Mn"}]
    # Digits in circles and superscripts are a code only where there are no others: else they number a step or a note.
    numbered = any(map(str.isdecimal, seen))
    signs = (
        str(unicodedata.decimal(sign, sign))
        if unicodedata.category(sign) != "No"
        else "\0"
        if numbered
        else str(unicodedata.digit(sign, "\0"))
        for sign in seen
    )
    return re.sub(_DASHES, "-", re.sub(_SPACES, " ", "".join(signs)))


def _typed(groups: list[str]) -> set[str]:
    """The code of an entry that has nothing but digits. A year or another number beside the code makes it unclear."""
    joined = "".join(groups)
    if len({len(group) for group in groups if len(group) >= SHORTEST}) > 1:
        return set()
    if len(joined) <= LONGEST:
        return {joined}
    half = len(joined) // 2
    return {joined[:half]} if joined == 2 * joined[:half] else {*groups}


def _pasted(groups: list[str]) -> set[str]:
    """The candidates among the numbers of a message that stand side by side. An empty one is read as no code."""
    joined, sizes = "".join(groups), {len(group) for group in groups}
    if len(groups) == 1 and len(joined) > LONGEST:
        half = len(joined) // 2
        return {joined[:half]} if half <= LONGEST and joined == 2 * joined[:half] else set()
    in_two = len(groups) == 2 and min(sizes) >= 3 and max(sizes) <= 5
    in_equals = len(groups) > 2 and len(sizes) == 1 and max(sizes) <= 3
    if in_two or (in_equals and SHORTEST <= len(joined) <= LONGEST):
        return {joined}
    long = {group for group in groups if len(group) >= SHORTEST}
    return {"", *long} if long and len(groups) > 2 and len(sizes) > 1 else long

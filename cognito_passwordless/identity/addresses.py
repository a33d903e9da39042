"""Spelling and key: how an address is written somewhere, and what makes two spellings one address.

The law: two people meet only at a key. A spelling is kept as it was written, because a pool or a mail server may know
no other; a key is for comparing, and is never shown or written to.

A key folds what cannot make two mailboxes or two phones: the case of ASCII letters, the forms of a domain
(``bücher.example`` and ``xn--bcher-kva.example``), and the forms of a phone number that a renumbering made equal.
Look-alikes stay apart: a dotless i is no i, so such an address has no key at all, and nobody meets anybody there.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final

# Most addresses of most pools, lower-cased: they need no further look. Imports read millions.
_PLAIN_EMAIL: Final = re.compile(
    r"[a-z0-9_+-]{1,32}(?:\.[a-z0-9_+-]{1,32}){0,3}@(?:(?!xn--)[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.){1,4}[a-z]{2,18}"
)
_NO_ADDRESS: Final = re.compile(r"[\s\x00-\x1f\x7f<>,;]")
_NAMED: Final = re.compile(r"[^<>]*<([^<>]+)>")
_NUMBER: Final = re.compile(r"\+[1-9]\d{5,14}")
_MEXICO: Final = re.compile(r"\+52(?:1|01|044|045)(\d{10})")
# Area codes of Argentina: 11 in Buenos Aires, else three or four digits; with the number they are ten digits.
_ARGENTINA: Final = re.compile(r"\+549?(?:(11)15(\d{8})|([23]\d{2})15(\d{7})|([23]\d{3})15(\d{6})|(\d{10}))")
_BRAZIL: Final = re.compile(r"\+55([1-9]\d)([6-9]\d{7})")


class Channel(StrEnum):
    """How a message reaches a person."""

    EMAIL = "email"
    SMS = "sms"


def channel_of(address: str) -> Channel:
    """The channel of an address, as a key or in any spelling: the one place that tells an e-mail address from a
    number."""
    return Channel.EMAIL if "@" in address else Channel.SMS


def could_be_user_name(text: str) -> bool:
    """Whether a pool may have it as a user name: the pattern of ``Username`` in the Cognito API,
    ``[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]{1,128}``."""
    return 1 <= len(text) <= 128 and all(unicodedata.category(character)[0] in "LMSNP" for character in text)


def clean(text: str) -> str:
    """Reads an address out of what people paste: ``Ann <ann@example.com>``, ``mailto:ann@example.com``, a full stop at
    the end, characters that cannot be seen."""
    seen = "".join(character for character in unicodedata.normalize("NFKC", text) if not _is_invisible(character))
    plain = seen.strip()
    named = _NAMED.fullmatch(plain)
    if named:
        plain = named[1].strip()
    if plain[:7].lower() == "mailto:":
        plain = plain[7:].partition("?")[0]
    return plain.strip().rstrip(".,;")


def _is_invisible(character: str) -> bool:
    """Formatting characters (zero width, direction, soft hyphen) and the variation selectors of emoji."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def key_of(spelling: str) -> str:
    """The key of an address as a pool or an account has it; empty where it has none that anybody could type."""
    return email_key(spelling) if channel_of(spelling) == Channel.EMAIL else phone_key(spelling)


def email_key(spelling: str) -> str:
    """Lower case, with the domain in ASCII (RFC 5890); empty for what is no address. The local part stays ASCII."""
    if not spelling.isascii() and not spelling.rpartition("@")[0].isascii():
        return ""
    folded = spelling.strip().lower()
    if _PLAIN_EMAIL.fullmatch(folded):
        return folded
    local, at, domain = folded.rpartition("@")
    try:
        address = f"{local}{at}{domain.rstrip('.').encode('idna').decode('ascii')}".lower()
    except UnicodeError:
        return ""
    return "" if not local or not domain or _NO_ADDRESS.search(address) else address


def phone_key(spelling: str) -> str:
    """The form in use today of a number in E.164; empty for what is not in E.164.

    Mexico dropped the 1 of mobile numbers (2020). Argentina writes a 9 after the country code abroad and a 15 after
    the area code at home. Brazil put a 9 before mobile numbers (2012 to 2016).
    """
    number = spelling.strip()
    if found := _MEXICO.fullmatch(number):
        return f"+52{found[1]}"
    if found := _ARGENTINA.fullmatch(number):
        return "+549" + "".join(filter(None, found.groups()))
    if found := _BRAZIL.fullmatch(number):
        return f"+55{found[1]}9{found[2]}"
    return number if _NUMBER.fullmatch(number) else ""


def spellings_of(key: str) -> tuple[str, ...]:
    """The key first, and the other spellings in E.164 that have it or, of an e-mail address, the domain as people
    write it. The case of letters is left to whoever compares."""
    if channel_of(key) == Channel.EMAIL:
        local, _, domain = key.rpartition("@")
        forms: tuple[str, ...] = (key, f"{local}@{_unicode(domain)}")
    elif key.startswith("+52") and len(key) == 13:
        forms = (key, f"+521{key[3:]}")
    elif key.startswith("+549") and len(key) == 14:
        number = key[4:]
        forms = (key, f"+54{number}", *(f"+54{number[:area]}15{number[area:]}" for area in (2, 3, 4)))
    elif key.startswith("+55") and len(key) == 14 and key[5] == "9":
        forms = (key, f"{key[:5]}{key[6:]}")
    else:
        forms = (key,)
    return tuple(dict.fromkeys(form for form in forms if key_of(form) == key))


def _unicode(domain: str) -> str:
    try:
        return domain.encode().decode("idna")
    except UnicodeError:
        return domain

"""What a person types to say who they are: an e-mail address or a phone number, stored in one form only."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import punycode

from .conf import conf
from .exceptions import InvalidIdentifier

Channel = Literal["email", "sms"]
MAX_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets


@dataclass(frozen=True, slots=True)
class Identifier:
    """A normalised address; build it with `parse`."""

    value: str
    channel: Channel

    def __str__(self) -> str:
        return self.value

    @property
    def domain(self) -> str:
        """The part after ``@``; empty for a phone number."""
        return self.value.rpartition("@")[2] if self.channel == "email" else ""


def parse(text: str) -> Identifier:
    """Reads what was typed. Raises `InvalidIdentifier`."""
    plain = unicodedata.normalize("NFKC", text[: 4 * MAX_LENGTH]).strip()
    return Identifier(normalise_email(plain), "email") if "@" in plain else Identifier(normalise_phone(plain), "sms")


def normalise_email(text: str) -> str:
    """Lower case, NFKC, IDNA domain. Raises `InvalidIdentifier` for anything that is no address.

    The local part is ASCII after NFKC, as Django's own validator wants it: look-alikes (a dotless i) that a
    case-insensitive pattern lets through would be another person's address to some databases.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    local, at, domain = plain.rpartition("@")
    try:
        address = f"{local}{at}{punycode(domain)}".lower()
        validate_email(address)
    except (UnicodeError, ValidationError):
        raise InvalidIdentifier("not an e-mail address") from None
    if not address.isascii() or len(address) > MAX_LENGTH:
        raise InvalidIdentifier("not an e-mail address")
    return address


def normalise_phone(text: str) -> str:
    """E.164. A number in local form is read in the first of ``SMS_COUNTRIES``. Raises `InvalidIdentifier`."""
    plain = unicodedata.normalize("NFKC", text)
    region = next(iter(conf.sms_countries), None)
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        raise InvalidIdentifier("not a phone number") from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise InvalidIdentifier("not a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# Most addresses, and only such as `normalise_email` leaves as they are; millions are looked at in an import.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]{1,32}(?:\.[a-z0-9_+-]{1,32}){0,3}@(?:(?!xn--)[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.){1,4}[a-z]{2,18}"
)


def is_normal(address: str) -> bool:
    """Whether normalising would leave a pool's address as it is; where not, a human decides (law 7)."""
    if _PLAIN_EMAIL.fullmatch(address):
        return True
    try:
        return parse(address).value == address
    except InvalidIdentifier:
        return False


def mask(address: str) -> str:
    """``j•••@e•••.com`` or ``+49•••••67``: enough to recognise one's own address, too little to read it."""
    local, at, domain = address.rpartition("@")
    if at:
        name, dot, top = domain.rpartition(".")
        return f"{local[:1]}•••@{name[:1]}•••{dot}{top}"
    return f"{address[:3]}•••••{address[-2:]}" if len(address) > 7 else "•••"

"""What a person types to say who they are: an e-mail address, a phone number or, where a pool has them, a user name;
stored in one form only."""

from dataclasses import dataclass, field

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from .conf import conf
from .exceptions import InvalidIdentifier
from .identity.addresses import (
    Channel,
    channel_of,
    clean,
    could_be_user_name,
    email_key,
    key_of,
    phone_key,
    spellings_of,
)

MAX_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets


@dataclass(frozen=True, slots=True)
class Identifier:
    """An address by its key (`identity.addresses`), or a user name in lower case; build it with `parse`, `typed`,
    `known` or `stored`. ``channel`` is the one that a code comes by unless another is chosen. ``spelling`` is how it
    was written, which has no say in whether two are equal."""

    value: str
    channel: Channel
    spelling: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.value

    @property
    def domain(self) -> str:
        """The part after ``@``; empty for a phone number and a user name."""
        return self.value.partition("@")[2]

    @property
    def number(self) -> str:
        """The phone number; empty for all others."""
        return self.value if self.value.startswith("+") else ""

    @property
    def is_user_name(self) -> bool:
        """A name is no address: nothing can be sent to it, and it is nobody's proof."""
        return not looks_like_address(self.value)

    @property
    def whose(self) -> str:
        """What a browser is known by that has signed in as this person. Of two user names that differ in the case of
        their letters, each may be another person's: guesses count against both, and trust goes to one."""
        return self.spelling or self.value if self.is_user_name else self.value

    @property
    def spellings(self) -> tuple[str, ...]:
        """As it was written first, then the other spellings that follow from its key."""
        if self.is_user_name:
            return (self.whose,)
        others = spellings_of(self.value)
        written = (
            (self.spelling,) if (self.channel == Channel.EMAIL and self.spelling) or self.spelling in others else ()
        )
        return tuple(dict.fromkeys((*written, *others)))


def parse(text: str) -> Identifier:
    """Reads an address that was typed or pasted. Raises `InvalidIdentifier`."""
    plain = clean(text[: 4 * MAX_LENGTH])
    return _email(plain) if channel_of(plain) == Channel.EMAIL else _phone(plain)


def typed(text: str) -> Identifier:
    """Reads what a person typed to sign in: an address or, where ``USERNAMES`` has a pool, a user name. What can be an
    address is one: a name never has an ``@`` or begins with ``+``. Raises `InvalidIdentifier`."""
    plain = clean(text[: 4 * MAX_LENGTH])
    is_name = bool(conf.usernames) and could_be_user_name(plain) and not looks_like_address(plain)
    try:
        address = parse(text)
    except InvalidIdentifier:
        if not is_name:
            raise
    else:
        # Digits of a site that sends no SMS are no number, but may be a pupil's or a customer's.
        if not is_name or conf.offers(address.channel):
            return address
    return stored(plain.lower(), plain)


def stored(value: str, spelling: str = "") -> Identifier:
    """An identifier from a row that has its value."""
    is_address = looks_like_address(value) or not conf.offers_email
    return Identifier(value, channel_of(value) if is_address else Channel.EMAIL, spelling)


def known(spelling: str) -> Identifier | None:
    """The identifier of an address as a pool or an account has it; None for what cannot be typed."""
    key = key_of(spelling)
    return Identifier(key, channel_of(key), spelling) if key else None


def normalise_phone(text: str) -> str:
    """The number in E.164; a local form is read in the first of ``SMS_COUNTRIES``. Raises `InvalidIdentifier`."""
    return _phone(clean(text)).value


def _email(plain: str) -> Identifier:
    """The local part is ASCII, as Django's own validator wants it: look-alikes (a dotless i) that a case-insensitive
    pattern lets through would be another person's address to some databases."""
    key = email_key(plain)
    try:
        validate_email(key)
    except ValidationError:
        raise InvalidIdentifier("not an e-mail address") from None
    if len(key) > MAX_LENGTH:
        raise InvalidIdentifier("not an e-mail address")
    return Identifier(key, Channel.EMAIL, plain)


def _phone(plain: str) -> Identifier:
    region = next(iter(conf.sms_countries), None)
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        raise InvalidIdentifier("not a phone number") from None
    spelling = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    key = phone_key(spelling)
    # The library accepts one form of a number as valid, and not always the one that is in use.
    if (
        not key
        or number.extension
        or not any(phonenumbers.is_valid_number(phonenumbers.parse(form)) for form in spellings_of(key))
    ):
        raise InvalidIdentifier("not a phone number")
    return Identifier(key, Channel.SMS, spelling)


def looks_like_number(text: str) -> bool:
    """Whether somebody who typed this meant a phone number, right or wrong."""
    plain = clean(text[: 4 * MAX_LENGTH])
    return sum(map(str.isdigit, plain)) >= 5 and not any(map(str.isalpha, plain)) and channel_of(plain) == Channel.SMS


def looks_like_address(text: str) -> bool:
    """Whether a text that may be a user name or another word is an e-mail address or a number."""
    return channel_of(text) == Channel.EMAIL or text.startswith("+")

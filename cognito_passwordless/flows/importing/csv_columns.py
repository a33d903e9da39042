"""What the columns and the cells of a CSV mean, whichever tool, spreadsheet or script has written it.

A value that is not understood is an error: read as its likelier or its worse meaning, it would lock people out or let
others in.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import phonenumbers

from ...conf import conf
from ...identity.addresses import clean, email_key, phone_key
from .rows import MFA, moment

USERNAME: Final = "cognito:username"
# Other names of columns, as `_squashed`. Each name itself is understood in any case and with any separators.
_ALSO: Final = {
    USERNAME: "username",
    "sub": "usersub cognitosub useridsub",
    "email": "emailaddress mail",
    "email_verified": "emailaddressverified isemailverified",
    "phone_number": "phone",
    "phone_number_verified": "phoneverified isphonenumberverified",
    MFA: "mfa mfaenabled mfastatus",
    "UserStatus": "status confirmationstatus cognitouserstatus accountstatus",
    "Enabled": "isenabled userenabled",
    "UserCreateDate": "created createdat createddate createdtime creationdate",
    "UserLastModifiedDate": "modified lastmodified lastmodifieddate lastupdatedtime",
}
_STANDARD: Final = (
    "name given_name family_name middle_name nickname preferred_username profile picture website gender birthdate "
    "zoneinfo locale address updated_at identities"
)
_PREFIX: Final = re.compile(r"(?:users?[\W_]+)?(?:\d+[\W_]+)?attributes?[\W_]+(?=\w)", re.IGNORECASE)
# With the words of spreadsheets in other languages.
_TRUE: Final = "true 1 1.0 yes y t on enabled verified wahr ja vrai oui verdadero sí vero"
_FALSE: Final = "false 0 0.0 no n f off disabled unverified falsch nein faux non falso"
_BOOLEANS: Final = {**dict.fromkeys(_TRUE.split(), "true"), **dict.fromkeys(_FALSE.split(), "false")}
_STATUSES: Final = (
    "UNCONFIRMED CONFIRMED ARCHIVED COMPROMISED UNKNOWN RESET_REQUIRED FORCE_CHANGE_PASSWORD EXTERNAL_PROVIDER"
)
_NOTHING: Final = frozenset({"", "null", "none", "nan", "n/a", "-"})
_ROUNDED: Final = re.compile(r"\d+([.,]\d+e\+?|e\+)\d+", re.IGNORECASE)
_SUB: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class NotACsv(ValueError):
    """The file has no header that tells who the people are, or is no text. The message says what to do."""


def name_columns(
    header: Sequence[str], chosen: Mapping[str, str], wanted: Collection[str], *, checked: bool = True
) -> list[str]:
    """The attribute (or field of ListUsers) of each column, empty for those that mean nothing here; ``chosen`` says so
    for some by their header. Raises `NotACsv` where two columns may be one attribute."""
    known = {also: name for name, others in _ALSO.items() for also in others.split()}
    known |= {_squashed(name): name for name in (*_ALSO, *_STANDARD.split(), *wanted)}
    if "confirmationstatus" in map(_squashed, header):  # the console: "Status" is whether the user is enabled
        known["status"] = "Enabled"

    def find(text: str) -> str:
        plain = _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text
        if plain in wanted:
            return plain
        custom = f"custom:{plain[7:]}" if plain[:7].lower() == "custom:" else ""
        return known.get(_squashed(plain), custom)

    for column, attribute in chosen.items():
        if column not in header:
            raise NotACsv(f"There is no column {column!r}. Name one of: {', '.join(filter(None, header))}.")
        if attribute and not find(attribute):
            raise NotACsv(f"{attribute!r} is no attribute that is kept. See the setting ATTRIBUTES, and name another.")
    names = [find(chosen.get(text, text)) for text in header]
    for name in {*names} - {""} if checked else ():
        places = [place for place, other in enumerate(names) if other == name]
        by_choice = [place for place in places if header[place] in chosen]
        best = by_choice or [place for place in places if header[place].casefold() == name.casefold()] or places
        if len(best) > 1:
            columns = ", ".join(repr(header[place]) for place in best)
            raise NotACsv(f"Several columns are {name}: {columns}. Remove all but one, or choose it with --columns.")
        for place in places:
            names[place] = name if place in best else ""
    return names


def tidied(cell: str) -> str:
    """A cell without the spaces around it, and without what makes a spreadsheet take it for text. Raises
    ``ValueError`` for a spreadsheet's error."""
    plain = cell.strip(" \t\r\n\xa0\ufeff\u200b\u200e\u200f\u202f\u2060")
    if plain[:2] == '="' and plain[-1:] == '"':
        plain = plain[2:-1].strip()
    if plain[:1] == "'" and plain[1:2] in {*"+-=@"}:
        plain = plain[1:]
    if re.fullmatch(r"#{3,}|#(NAME\?|REF!|VALUE!|N/A|NUM!|NULL!|DIV/0!)", plain):
        raise ValueError("an error of a spreadsheet")
    return plain


def read(name: str, cell: str) -> Any:
    """The value of a cell, tidied, of one of the columns that have a form. Raises ``ValueError`` for what is not
    understood."""
    reader = _READERS.get(name)
    return cell if reader is None else "" if cell.lower() in _NOTHING else reader(cell)


def _boolean(cell: str) -> str:
    word = cell.lower()
    if word not in _BOOLEANS:
        raise ValueError("no boolean")
    return cell if word in {"true", "false"} else _BOOLEANS[word]


def _status(cell: str) -> str:
    word = re.sub(r"[\s\-]+", "_", cell).upper()
    if word not in _STATUSES.split():
        raise ValueError("no status")
    return word


def _time(cell: str) -> datetime:
    """ISO 8601, or seconds or milliseconds since 1970. Not the days of a spreadsheet, nor 05/06/2024, which is May or
    June."""
    text = cell.removesuffix(" UTC")
    if re.fullmatch(r"1\d{12}", text):
        text = str(int(text) / 1000)
    found = moment(text) if "-" in text or re.fullmatch(r"1\d{9}(\.\d*)?", text) else None
    if found is None:
        raise ValueError("no time")
    return found


def _email(cell: str) -> str:
    plain = cell.isascii() and cell[-1].isalpha() and not {":", "<"} & {*cell}
    address = cell if plain else clean(cell)
    if not email_key(address):
        raise ValueError("no e-mail address")
    return address


def _phone(cell: str) -> str:
    """E.164. A plus that a spreadsheet has taken comes back where the number can be no other: not where it is one of
    this country, too."""
    bare = re.sub(r"\(0\)|[\s().\-/]|[\u2010-\u2015\u2212]", "", clean(cell.removesuffix(".0")).removeprefix("tel:"))
    if phone_key(bare):
        return bare
    number = f"+{bare.removeprefix('00')}"
    try:
        found = phonenumbers.parse(number) if bare.isascii() and bare.isdecimal() else None
    except phonenumbers.NumberParseException:
        found = None
    if found is None or not phonenumbers.is_valid_number(found):
        raise ValueError("no phone number")
    # No country has mobile numbers of more than eleven digits.
    for country in () if bare[:2] == "00" or len(bare) > 11 else {"US", *conf.sms_countries}:
        local = phonenumbers.parse(bare, country)
        if phonenumbers.is_valid_number(local) and local != found:
            raise ValueError("may be a number of this country")
    return number


def _name(cell: str) -> str:
    if _ROUNDED.fullmatch(cell):
        raise ValueError("a number that a spreadsheet has rounded")
    return cell


def sub_of(text: str) -> str:
    """The sub that a text has the form of, else empty. Cognito writes them in lower case."""
    return text.lower() if _SUB.fullmatch(text) else ""


def _squashed(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "sub": lambda cell: sub_of(cell) or _name(cell),
    USERNAME: _name,
    "email": _email,
    "phone_number": _phone,
    "UserStatus": _status,
    "UserCreateDate": _time,
    "UserLastModifiedDate": _time,
    MFA: lambda cell: _boolean(cell).lower(),
    **dict.fromkeys(("Enabled", "email_verified", "phone_number_verified"), _boolean),
}

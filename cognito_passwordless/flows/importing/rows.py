"""Reads one row of a directory: the facts to keep, a digest of them, and what makes a row unusable.

It runs for each of a million rows, so it is plain and reads every value once.
"""

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ...cognito import CognitoProfile, Connection, is_storable, with_trusted
from ...conf import conf
from ...identifiers import MAX_LENGTH
from ...identity.addresses import email_key, phone_key
from ...models import SUB_LENGTH, ImportProblem, MigratedUser

Reason = ImportProblem.Reason
# Kept in any case, beside the names in ATTRIBUTES: a sign-in and an operator's decision need them.
ALWAYS = ("cognito:mfa_enabled", "email_verified", "identities", "phone_number_verified")
MFA = "cognito:mfa_enabled"  # as Cognito's CSV calls it
_OWN_COLUMNS = frozenset({"sub", "email", "phone_number"})
_LENGTHS = {"sub": SUB_LENGTH, "username": MAX_LENGTH, "email": MAX_LENGTH, "phone_number": 32, "pool_status": 30}


class Row(NamedTuple):
    """What is stored of a pool user, by the names of `MigratedUser`'s fields. ``digest`` changes with any of them."""

    sub: str
    username: str
    email: str
    phone_number: str
    email_key: str
    phone_key: str
    attributes: dict[str, str]
    pool_status: str
    pool_enabled: bool | None  # None and an empty status: not known
    pool_created_at: object  # as the source has it; `moment` reads it
    pool_modified_at: object
    digest: str


# The directory knows these better than Django does: an import overwrites them.
FACTS: Final = tuple(Row.__annotations__)[1:]
# What a CSV may have no column for, by its name in ListUsers, and the facts that come from it.
SOURCES: Final = {
    "cognito:username": ("username",),
    "email": ("email", "email_key"),
    "phone_number": ("phone_number", "phone_key"),
    "UserStatus": ("pool_status",),
    "Enabled": ("pool_enabled",),
    "UserCreateDate": ("pool_created_at",),
    "UserLastModifiedDate": ("pool_modified_at",),
}


class InvalidRow(NamedTuple):
    """A row that cannot be used. ``detail`` names fields, never their values."""

    reason: ImportProblem.Reason
    sub: str = ""
    detail: str = ""


class Reader:
    """Reads the rows of one connection's directory; it reads the settings once."""

    def __init__(self, connection: Connection, columns: Collection[str] = ()) -> None:
        """``columns`` are those of a source that has not all of them: a digest is one of what is told."""
        self._columns = ",".join(sorted(columns)).encode()
        self._alias, self._pool = connection.alias, connection.pool
        self._trusted = connection.trusted_providers
        named = conf.attributes
        # A callable of the site may want any attribute, so everything that a profile carries is kept.
        self._everything = isinstance(named, str)
        self.wanted = tuple(sorted({*ALWAYS, *(() if isinstance(named, str) else named)} - _OWN_COLUMNS))

    def listed(self, raw: Any) -> Row | InvalidRow:
        """A row as ListUsers has it."""
        try:
            held = {item["Name"]: item.get("Value", "") for item in raw.get("Attributes") or ()}
            if any(option.get("DeliveryMedium") == "SMS" for option in raw.get("MFAOptions") or ()):
                held[MFA] = "true"
            return self.row(held, raw)
        except (AttributeError, KeyError, TypeError):
            return InvalidRow(Reason.MALFORMED)

    def row(self, held: Mapping[str, str], user: Mapping[str, Any]) -> Row | InvalidRow:
        """A row from its attributes and the fields that ListUsers has beside them. May raise ``TypeError`` for a value
        that is no text."""
        sub, email, phone = held.get("sub", ""), held.get("email", ""), held.get("phone_number", "")
        if not sub:
            return InvalidRow(Reason.NO_SUB)
        username, status = user.get("Username", ""), user.get("UserStatus", "UNKNOWN")
        enabled = None if user.get("Enabled") == "" else user.get("Enabled") is True
        created, modified = user.get("UserCreateDate"), user.get("UserLastModifiedDate")
        trusted = with_trusted(held, self._trusted)
        kept = {name: trusted[name] for name in self.wanted if name in trusted}
        if self._everything:
            kept |= CognitoProfile.from_claims(trusted, pool=self._pool, scope=("profile", "address")).attributes
        # No text holds a NUL (PostgreSQL takes none), so what is joined by it can be told apart.
        facts = (
            sub,
            self._alias,
            username,
            email,
            phone,
            status,
            "" if enabled is None else "1" if enabled else "0",
            str(created),
            str(modified),
        )
        try:
            data = "\0".join((*facts, *kept, *kept.values())).encode()
        except (UnicodeEncodeError, TypeError):
            return InvalidRow(Reason.NOT_TEXT, shown(sub), _culprits(held))
        if data.count(b"\0") != len(facts) + 2 * len(kept) - 1:
            return InvalidRow(Reason.NOT_TEXT, shown(sub), _culprits(held))
        if not username:
            return InvalidRow(Reason.NO_USERNAME, shown(sub))
        if len(sub) > SUB_LENGTH or max(len(username), len(email)) > MAX_LENGTH or len(phone) > 32 or len(status) > 30:
            lengths = zip(_LENGTHS.items(), (sub, username, email, phone, status), strict=True)
            too_long = [name for (name, limit), value in lengths if len(value) > limit]
            return InvalidRow(Reason.TOO_LONG, shown(sub), ", ".join(too_long))
        digest = hashlib.blake2b(self._columns + data, digest_size=16).hexdigest()
        return Row(
            sub=sub,
            username=username,
            email=email,
            phone_number=phone,
            email_key=email_key(email),
            phone_key=phone_key(phone),
            attributes=kept,
            pool_status=status,
            pool_enabled=enabled,
            pool_created_at=created,
            pool_modified_at=modified,
            digest=digest,
        )


def completed(row: Row, columns: Collection[str] | None, stored: MigratedUser | None) -> Row:
    """The row, with what its source has not told as it is stored, or as it is for a new person."""
    if columns is None:
        return row
    kept = {name: value for name, value in stored.attributes.items() if name not in columns} if stored else {}
    for name in ("email", "phone_number"):
        # That an address is verified was told of that address.
        if stored and name in columns and getattr(stored, name) != getattr(row, name):
            kept.pop(f"{name}_verified", None)
    known = stored or MigratedUser(pool_status="UNKNOWN")
    return row._replace(  # noqa: SLF001  (public, of a NamedTuple)
        attributes=kept | row.attributes,
        pool_status=row.pool_status or known.pool_status,
        pool_enabled=known.pool_enabled if row.pool_enabled is None else row.pool_enabled,
        pool_created_at=row.pool_created_at or known.pool_created_at,
        pool_modified_at=row.pool_modified_at or known.pool_modified_at,
    )


def moment(value: object) -> datetime | None:
    """A time in any of its forms: seconds since 1970 (the pool's JSON), a datetime (botocore), or either as text (a
    CSV). None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, str):
            return moment(datetime.fromisoformat(value) if "-" in value else float(value))
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def shown(sub: object) -> str:
    """A sub as a problem may name it."""
    return sub if isinstance(sub, str) and sub.isprintable() and len(sub) <= SUB_LENGTH else ""


def _culprits(held: Mapping[str, Any]) -> str:
    """The attributes whose value is no text that a database takes."""
    wrong = [str(name) for name, value in held.items() if not isinstance(value, str) or not is_storable(value)]
    return ", ".join(name for name in sorted(wrong) if name.isprintable())[:100]

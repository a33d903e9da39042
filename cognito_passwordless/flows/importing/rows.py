"""One row of a directory: what of it is kept, whether it is new to us, and what is wrong with it.

Read a million times in a row, so it is plain and looks at everything once.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ...cognito import CognitoProfile, Connection, with_trusted
from ...conf import conf
from ...identifiers import MAX_LENGTH
from ...identity.addresses import email_key, phone_key
from ...models import SUB_LENGTH, ImportProblem

Reason = ImportProblem.Reason
# Beside what ATTRIBUTES names: what a sign-in and a human's decision need.
ALWAYS = ("cognito:mfa_enabled", "email_verified", "identities", "phone_number_verified")
MFA = "cognito:mfa_enabled"  # as Cognito's CSV calls it
_OWN_COLUMNS = frozenset({"sub", "email", "phone_number"})
_LENGTHS = {"username": MAX_LENGTH, "email": MAX_LENGTH, "phone_number": 32, "pool_status": 30}


class Row(NamedTuple):
    """What is stored of a pool user. ``digest`` changes with any of it."""

    sub: str
    username: str
    email: str
    phone_number: str
    email_key: str
    phone_key: str
    attributes: dict[str, str]
    pool_status: str
    pool_enabled: bool
    created_at: object
    modified_at: object
    digest: str


class InvalidRow(NamedTuple):
    """A row that cannot be used. ``detail`` names fields, never their values."""

    reason: ImportProblem.Reason
    sub: str = ""
    detail: str = ""


class Reader:
    """Reads the rows of one connection's directory; the settings are looked at once."""

    def __init__(self, connection: Connection) -> None:
        self._alias, self._pool = connection.alias, connection.pool
        self._trusted = connection.trusted_providers
        named = conf.attributes
        # What a callable of the site's own wants is not known: then it is all that a profile carries.
        self._everything = isinstance(named, str)
        self._wanted = tuple(sorted({*ALWAYS, *(() if isinstance(named, str) else named)} - _OWN_COLUMNS))

    def listed(self, raw: Any) -> Row | InvalidRow:
        """A row as ListUsers has it."""
        try:
            held = {item["Name"]: item.get("Value", "") for item in raw.get("Attributes") or ()}
            if any(option.get("DeliveryMedium") == "SMS" for option in raw.get("MFAOptions") or ()):
                held[MFA] = "true"
            return self.row(
                held,
                username=raw.get("Username", ""),
                status=raw.get("UserStatus", "UNKNOWN"),
                enabled=raw.get("Enabled") is True,
                created=raw.get("UserCreateDate"),
                modified=raw.get("UserLastModifiedDate"),
            )
        except (AttributeError, KeyError, TypeError):
            return InvalidRow(Reason.MALFORMED)

    def row(
        self, held: Mapping[str, str], *, username: str, status: str, enabled: bool, created: object, modified: object
    ) -> Row | InvalidRow:
        """A row from its attributes. May raise ``TypeError`` where something is no text."""
        sub, email, phone = held.get("sub", ""), held.get("email", ""), held.get("phone_number", "")
        if not sub:
            return InvalidRow(Reason.NO_SUB)
        kept = self._kept(held)
        # No text holds a NUL (PostgreSQL takes none), so what is joined by it can be told apart.
        facts = (
            sub,
            self._alias,
            username,
            email,
            phone,
            status,
            "1" if enabled else "0",
            str(created),
            str(modified),
        )
        try:
            data = "\0".join((*facts, *kept, *kept.values())).encode()
        except (UnicodeEncodeError, TypeError):
            return InvalidRow(Reason.NOT_TEXT, _shown(sub), _culprits(held))
        if data.count(b"\0") != len(facts) + 2 * len(kept) - 1:
            return InvalidRow(Reason.NOT_TEXT, _shown(sub), _culprits(held))
        if not username:
            return InvalidRow(Reason.NO_USERNAME, _shown(sub))
        if len(sub) > SUB_LENGTH or max(len(username), len(email)) > MAX_LENGTH or len(phone) > 32 or len(status) > 30:
            return InvalidRow(Reason.TOO_LONG, _shown(sub), _too_long(sub, username, email, phone, status))
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
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
            created_at=created,
            modified_at=modified,
            digest=digest,
        )

    def _kept(self, held: Mapping[str, str]) -> dict[str, str]:
        held = with_trusted(held, self._trusted)
        kept = {name: held[name] for name in self._wanted if name in held}
        if self._everything:
            profile = CognitoProfile.from_claims(held, pool=self._pool, scope=("profile", "address"))
            kept |= profile.attributes
        return kept


def moment(value: object) -> datetime | None:
    """When: the pool's JSON has seconds since 1970, botocore a datetime, a CSV either as text; else None."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, str):
            return moment(datetime.fromisoformat(value) if "-" in value else float(value))
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _shown(sub: object) -> str:
    return sub if isinstance(sub, str) and sub.isprintable() and len(sub) <= SUB_LENGTH else ""


def _culprits(held: Mapping[str, Any]) -> str:
    wrong = [str(name) for name, value in held.items() if not isinstance(value, str) or not _is_storable(value)]
    return ", ".join(name for name in sorted(wrong) if name.isprintable())[:100]


def _is_storable(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _too_long(sub: str, *values: str) -> str:
    names = [name for (name, limit), value in zip(_LENGTHS.items(), values, strict=True) if len(value) > limit]
    return ", ".join([*(["sub"] if len(sub) > SUB_LENGTH else []), *names])

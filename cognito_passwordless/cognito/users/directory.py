"""Find single users of the pool. Signed calls, with the process's AWS identity.

Quotas: ListUsers 30 calls a second and 60 rows a call. AdminGetUser makes the person count as active in that month,
ListUsers does not.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from ...otp.masking import mask
from ..client import Secrets, call
from ..connection import Connection
from ..errors import Cause, CognitoError
from ..values import FrozenMapping, is_true

Attribute = Literal["username", "email", "phone_number", "preferred_username", "sub"]

MAX_PAGE: Final = 60
MAX_FILTER: Final = 256
# The pool applies the filter while it scans, so a page may be empty and still not the last. This many pages without
# an end are an outage, never a "not found".
_MAX_PAGES: Final = 20
_SEARCHABLE: Final = frozenset({"username", "email", "phone_number", "preferred_username", "sub"})

_GET: Final = "AdminGetUser"
_LIST: Final = "ListUsers"

_OBSTACLES: Final[Mapping[str, Cause]] = {
    "ARCHIVED": Cause.archived,
    "UNCONFIRMED": Cause.unconfirmed,
    "RESET_REQUIRED": Cause.reset_required,
    "FORCE_CHANGE_PASSWORD": Cause.force_change_password,
    # They sign in at Google or the like; the pool sends them no code.
    "EXTERNAL_PROVIDER": Cause.otp_unavailable,
}


@dataclass(frozen=True)
class PoolUser:
    """A row of the pool's directory.

    ``mfa`` names the second factors. ListUsers lists only old SMS settings, so ``mfa_known`` is False there, and an
    empty ``mfa`` then means nothing.
    """

    sub: str
    username: str = field(repr=False)
    email: str = field(default="", repr=False)
    email_verified: bool = False
    phone_number: str = field(default="", repr=False)
    phone_number_verified: bool = False
    status: str = "UNKNOWN"
    enabled: bool = False
    mfa: tuple[str, ...] = ()
    mfa_known: bool = False
    attributes: Mapping[str, str] = field(default_factory=FrozenMapping, hash=False)
    created_at: datetime | None = None
    modified_at: datetime | None = None

    def __repr__(self) -> str:
        return (
            f"PoolUser(sub={self.sub!r}, username={mask(self.username)!r}, "
            f"email={mask(self.email)!r}, phone_number={mask(self.phone_number)!r}, "
            f"status={self.status!r}, enabled={self.enabled}, mfa={self.mfa!r}, "
            f"attributes={self.attributes!r})"
        )

    @property
    def obstacle(self) -> Cause | None:
        """Why this person could not sign in by the pool's code alone; None if they could.

        An unknown status is an obstacle too.
        """
        if not self.enabled:
            return Cause.disabled
        if self.status in _OBSTACLES:
            return _OBSTACLES[self.status]
        if self.mfa:
            return Cause.mfa_required
        return None if self.status == "CONFIRMED" else Cause.not_authorized


def get_user(connection: Connection, username: str) -> PoolUser:
    """Read one user by user name, alias or sub (AdminGetUser). Raises ``CognitoError``, with ``unknown_user`` if there
    is none."""
    if not 1 <= len(username) <= 128 or _has_controls(username):
        raise CognitoError(Cause.unknown_user, _GET, detail="not a possible user name")
    request = Secrets({"UserPoolId": connection.user_pool_id, "Username": username})
    row = call(connection, "directory", _GET, request)
    return _pool_user(row, row.get("UserAttributes"), _GET)


def find_users(connection: Connection, *, attribute: Attribute, value: str) -> list[PoolUser]:
    """Find the users with this value (ListUsers with a filter); eventually consistent.

    AWS compares user names case-sensitively; for e-mail addresses its documentation does not say, so a "not found" may
    mean that the pool holds the address in another case.

    Raises ``ValueError`` for an attribute that is not searchable, and ``CognitoError``, with ``not_authorized`` for a
    value that no filter can hold: that does not mean that the pool has no such user.
    """
    if attribute not in _SEARCHABLE:
        raise ValueError(f"attribute must be one of {', '.join(sorted(_SEARCHABLE))}")
    # Documented for quotation marks; for the backslash itself it is our reading.
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    wanted = f'{attribute} = "{escaped}"'
    if not value or _has_controls(value) or len(wanted) > MAX_FILTER:
        raise CognitoError(Cause.not_authorized, _LIST, detail="not a value to search for")
    request = {"UserPoolId": connection.user_pool_id, "Filter": wanted}
    users: list[PoolUser] = []
    for _page in range(_MAX_PAGES):
        answer = call(connection, "directory", _LIST, Secrets(request))
        if "Users" not in answer:
            raise CognitoError(Cause.unavailable, _LIST, "MalformedResponse")
        for row in answer["Users"]:
            user = _pool_user(row, row.get("Attributes"), _LIST)
            # The row itself is checked: an answer is not trusted to match the filter.
            held = user.username if attribute == "username" else user.attributes.get(attribute, "")
            if held.casefold() == value.casefold():
                users.append(user)
        following = answer.get("PaginationToken")
        if following is None:
            return users
        if following == request.get("PaginationToken"):
            raise CognitoError(Cause.unavailable, _LIST, "EndlessPages")
        request["PaginationToken"] = following
    raise CognitoError(Cause.unavailable, _LIST, "TooManyPages")


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(character)[0] == "C" for character in text)


def _pool_user(row: Mapping[str, Any], listed: Any, operation: str) -> PoolUser:
    attributes = {item["Name"]: item.get("Value", "") for item in listed or ()}
    if not attributes.get("sub") or not row.get("Username"):
        raise CognitoError(Cause.unavailable, operation, "MalformedResponse", "no sub")
    email, phone = attributes.get("email", ""), attributes.get("phone_number", "")
    mfa = list(row.get("UserMFASettingList") or ())
    # The old SMS setting has no name but a medium.
    if any(option.get("DeliveryMedium") == "SMS" for option in row.get("MFAOptions") or ()):
        mfa.append("SMS_MFA")
    return PoolUser(
        sub=attributes["sub"],
        username=row["Username"],
        email=email,
        email_verified=bool(email) and is_true(attributes.get("email_verified")),
        phone_number=phone,
        phone_number_verified=bool(phone) and is_true(attributes.get("phone_number_verified")),
        status=row.get("UserStatus", "UNKNOWN"),
        enabled=row.get("Enabled") is True,
        mfa=tuple(dict.fromkeys(mfa)),
        mfa_known=operation == _GET,
        attributes=FrozenMapping(attributes),
        created_at=row.get("UserCreateDate"),
        modified_at=row.get("UserLastModifiedDate"),
    )

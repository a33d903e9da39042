"""Change one user of the pool: mark, sign out everywhere, disable, and back. Signed calls.

Quota: 25 calls a second for all of these together, in all pools of an account's region; it cannot be raised. Keeping
to it, and trying again, is the caller's. Every call may be made twice, with the same result.
"""

from collections.abc import Callable
from typing import Any, Final

from ..client import Secrets, call
from ..connection import Connection
from ..errors import Cause, CognitoError
from .directory import find_users

Change = Callable[[Connection, str], None]


def mark_user(connection: Connection, username: str, value: str) -> None:
    """Write the connection's ``migrated_attribute``, which the pool's schema must have. Raises ``CognitoError``."""
    attribute = {"Name": connection.migrated_attribute, "Value": value}
    _change(connection, "AdminUpdateUserAttributes", username, UserAttributes=[attribute])


def unmark_user(connection: Connection, username: str) -> None:
    _change(connection, "AdminDeleteUserAttributes", username, UserAttributeNames=[connection.migrated_attribute])


def sign_out_everywhere(connection: Connection, username: str) -> None:
    """Every refresh token of the user dies; access and ID tokens live until they expire. Raises ``CognitoError``."""
    _change(connection, "AdminUserGlobalSignOut", username)


def disable_user(connection: Connection, username: str) -> None:
    _change(connection, "AdminDisableUser", username)


def enable_user(connection: Connection, username: str) -> None:
    _change(connection, "AdminEnableUser", username)


def username_of(connection: Connection, sub: str) -> str:
    """The user name of whoever has this sub now (ListUsers: nobody counts as active by it).

    A local user can be named by the sub itself; somebody who came from another provider only by the user name. Raises
    ``CognitoError``, with ``unknown_user`` if there is none.
    """
    found = find_users(connection, attribute="sub", value=sub)
    if len(found) != 1:
        raise CognitoError(Cause.unknown_user, "ListUsers", detail="nobody has this sub")
    return found[0].username


def _change(connection: Connection, operation: str, username: str, **more: Any) -> None:
    request: Final = Secrets({"UserPoolId": connection.user_pool_id, "Username": username, **more})
    call(connection, "change", operation, request)

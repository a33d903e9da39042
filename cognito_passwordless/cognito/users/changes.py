"""Change one user of the pool: mark, sign out everywhere, disable, and undo. Signed calls.

Quota: 25 calls a second for all of these together, in all pools of an account's region; it cannot be raised. The
caller keeps to it, and retries. Every call may be made twice, with the same result.
"""

from typing import Any

from ..client import Secrets, call
from ..connection import Connection
from ..errors import Cause, CognitoError
from .directory import find_users


def mark_user(connection: Connection, username: str, value: str) -> None:
    """Write the connection's ``migrated_attribute``, which the pool's schema must have. Raises ``CognitoError``."""
    attribute = {"Name": connection.migrated_attribute, "Value": value}
    _change(connection, "AdminUpdateUserAttributes", username, UserAttributes=[attribute])


def unmark_user(connection: Connection, username: str) -> None:
    _change(connection, "AdminDeleteUserAttributes", username, UserAttributeNames=[connection.migrated_attribute])


def sign_out_everywhere(connection: Connection, username: str) -> None:
    """Revoke every refresh token; access and ID tokens stay valid until they expire. Raises ``CognitoError``."""
    _change(connection, "AdminUserGlobalSignOut", username)


def disable_user(connection: Connection, username: str) -> None:
    _change(connection, "AdminDisableUser", username)


def enable_user(connection: Connection, username: str) -> None:
    _change(connection, "AdminEnableUser", username)


def username_of(connection: Connection, sub: str) -> str:
    """Return the user name of the user with this sub (ListUsers: no user counts as active by it).

    A local user can be named by the sub itself, a federated one only by the user name. Raises ``CognitoError``, with
    ``unknown_user`` if there is none.
    """
    users = find_users(connection, attribute="sub", value=sub)
    if len(users) != 1:
        raise CognitoError(Cause.unknown_user, "ListUsers", detail="nobody has this sub")
    return users[0].username


def _change(connection: Connection, operation: str, username: str, **more: Any) -> None:
    request = Secrets({"UserPoolId": connection.user_pool_id, "Username": username, **more})
    call(connection, "change", operation, request)

"""Read a whole directory page by page, for imports: rows as the pool wrote them, which the caller checks."""

from dataclasses import dataclass, field
from typing import Any, Final

from ..client import Secrets, call, call_unread
from ..connection import Connection
from ..errors import Cause, CognitoError
from .directory import MAX_PAGE

_LIST: Final = "ListUsers"
_DESCRIBE: Final = "DescribeUserPool"


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Rows as the pool wrote them, unchecked, and the token of the next page; None at the end."""

    rows: list[Any] = field(repr=False)
    following: str | None = field(repr=False)


class TokenRefused(CognitoError):
    """The pool no longer accepts this page token: the listing has to start over."""


def list_page(connection: Connection, *, page_token: str | None = None) -> ListedPage:
    """Read one page (ListUsers, one call). Raises ``CognitoError``, and ``TokenRefused``."""
    request: dict[str, Any] = {"UserPoolId": connection.user_pool_id, "Limit": MAX_PAGE}
    if page_token:
        request["PaginationToken"] = page_token
    try:
        answer = call_unread(connection, _LIST, Secrets(request))
    except CognitoError as error:
        # Tokens are opaque, and AWS documents no more than this name for an old one.
        if page_token and error.aws_code == "InvalidParameterException":
            raise TokenRefused(*error.args) from None
        raise
    rows, following = answer.get("Users"), answer.get("PaginationToken")
    if not isinstance(rows, list) or not isinstance(following, str | None):
        raise CognitoError(Cause.unavailable, _LIST, "MalformedResponse")
    if following is not None and following == page_token:
        raise CognitoError(Cause.unavailable, _LIST, "EndlessPages")
    return ListedPage(rows, following or None)


def estimate_users(connection: Connection) -> int | None:
    """About how many users the pool has (DescribeUserPool); None where it does not say, or may not be asked."""
    try:
        answer = call(connection, "directory", _DESCRIBE, Secrets({"UserPoolId": connection.user_pool_id}))
    except CognitoError:
        return None
    estimate = answer.get("UserPool", {}).get("EstimatedNumberOfUsers")
    return estimate if isinstance(estimate, int) and estimate > 0 else None

"""A pool's directory as a test wants it: rows as ListUsers has them, broken ones too, served over real HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from ...cognito.standin import Reply, Request, StandIn, error, reply

CREATED = 1_700_000_000.5


def sub_of(number: int) -> str:
    return str(UUID(int=number << 64 | 1))


def listed(number: int, **more: Any) -> dict[str, Any]:
    """Row ``number``. Keywords with a capital replace fields of the row, the others attributes; None takes away."""
    attributes = {"sub": sub_of(number), "email": f"person{number}@example.com", "email_verified": "true"}
    attributes |= {name: value for name, value in more.items() if name[0].islower()}
    row = {
        "Username": sub_of(number),
        "Attributes": [{"Name": name, "Value": value} for name, value in attributes.items() if value is not None],
        "UserCreateDate": CREATED,
        "UserLastModifiedDate": CREATED,
        "Enabled": True,
        "UserStatus": "CONFIRMED",
    } | {name: value for name, value in more.items() if name[0].isupper()}
    return {name: value for name, value in row.items() if value is not None}


class Directory:
    """Serves rows in pages of ``size``; a token is the place where its page begins."""

    def __init__(self, standin: StandIn, rows: list[Any], size: int = 60) -> None:
        self.rows, self.size = rows, size
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self.before: Callable[[str], Reply | None] = lambda token: None
        standin.says("ListUsers", self._page)
        standin.says("DescribeUserPool", reply({"UserPool": {"EstimatedNumberOfUsers": len(rows)}}))

    def _page(self, request: Request) -> Reply:
        token = request.body.get("PaginationToken", "")
        self.asked.append(token)
        if token in self.refused:
            return error("InvalidParameterException", "Invalid pagination token.")
        if said := self.before(token):
            return said
        start = int(token or 0)
        page = {"Users": self.rows[start : start + self.size]}
        if start + self.size < len(self.rows):
            page["PaginationToken"] = str(start + self.size)  # type: ignore[assignment]
        return reply(page)

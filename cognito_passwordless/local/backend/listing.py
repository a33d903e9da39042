"""Calls about people and pools, where moto compares, checks or keeps otherwise than Amazon Cognito.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .. import errors
from .directory import Directory, find_user

PAGE = 60
FILTER = re.compile(r'\s*([\w:]+)\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*')
SEARCHED = frozenset(
    {"username", "email", "phone_number", "name", "given_name", "family_name", "preferred_username", "sub"}
) | {"cognito:user_status", "status"}
EXACT = frozenset({"username", "status", "sub"})
FIXED = ("AliasAttributes", "Schema", "UsernameAttributes", "UsernameConfiguration")


def list_users(directory: Directory, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
    """A page of people. Raises PoolError for a filter, limit or page token that the service would refuse."""
    limit, token = request.get("Limit"), request.get("PaginationToken")
    limit = PAGE if limit is None else int(limit)
    if not 0 <= limit <= PAGE:
        raise errors.parameter_invalid(f"Value at 'limit' failed to satisfy constraint: at most {PAGE}")
    users = list(directory.pool(str(request.get("UserPoolId"))).users.values())
    names = [user.username for user in users]
    if token and token not in names:
        raise errors.parameter_invalid("Invalid pagination token.")
    fits = _filter(str(request.get("Filter") or ""))
    found = [user for user in users[names.index(token) + 1 if token else 0 :] if fits(user)]
    page, wanted = found[: limit or PAGE], request.get("AttributesToGet")
    answer = {"Users": [user.to_json(extended=True, attributes_to_get=wanted) for user in page]}
    return answer if len(found) == len(page) else {**answer, "PaginationToken": page[-1].username}


def _filter(text: str) -> Callable[[Any], bool]:
    match = FILTER.fullmatch(text)
    if text and match is None:
        raise errors.parameter_invalid("Error while parsing filter.")
    if match is None:
        return lambda user: True
    name, operator, value = match.group(1), match.group(2), re.sub(r"\\(.)", r"\1", match.group(3))
    if name not in SEARCHED:
        raise errors.parameter_invalid(f"Invalid search attribute: {name}")

    def fits(user: Any) -> bool:
        own = _searched(user).get(name)
        if own is None:
            return False
        own, wanted = (own, value) if name in EXACT else (own.casefold(), value.casefold())
        return own == wanted if operator == "=" else own.startswith(wanted)

    return fits


def _searched(user: Any) -> dict[str, str]:
    return {
        **user.attribute_lookup,
        "sub": user.id,
        "username": user.username,
        "cognito:user_status": str(getattr(user.status, "value", user.status)),
        "status": "Enabled" if user.enabled else "Disabled",
    }


def get_user(directory: Directory, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
    """The person of an access token, whatever their status: moto knows confirmed people only."""
    pool_id, key = directory.bearer(str(request.get("AccessToken") or ""))
    user = find_user(directory.pool(pool_id), key)
    if user is None or not user.enabled:
        raise errors.PoolError("NotAuthorizedException", "User is disabled.") if user else errors.user_unknown()
    answer: dict[str, Any] = user.to_json(extended=True)
    return {"Username": answer["Username"], "UserAttributes": answer.get("Attributes") or user.attributes}


def update_pool(directory: Directory, request: Mapping[str, Any], moto: Callable[[], Any]) -> dict[str, Any]:
    """UpdateUserPool resets what it is not given, except for what nothing can change."""
    pool = directory.pool(str(request.get("UserPoolId")))
    kept = {name: pool.extended_config[name] for name in FIXED if name in pool.extended_config}
    moto()
    pool.extended_config.update(kept)
    return {}

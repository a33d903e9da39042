"""Rules for the contents of tokens, read from a table that the operator or the site wrote, and merged."""

from collections.abc import Mapping

from ...otp.records import record, replace
from ..errors import Misconfigured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Claims that Cognito keeps for itself: a trigger that touches them breaks the token, or would forge it.
# https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
RESERVED = frozenset(
    {
        *("acr", "amr", "at_hash", "auth_time", "azp", "aud", "client_id", "cnf", "cognito:username", "device_key"),
        *("event_id", "exp", "iat", "iss", "jti", "nbf", "nonce", "origin_jti", "scope", "sub", "token_use"),
        *("username", "version", "identities"),
    }
)


@record(frozen=True, slots=True, kw_only=True)
class Rules:
    """``groups`` and ``roles`` are None where the table does not mention them; empty means "no groups"."""

    add: "Mapping[str, Any]" = {}
    add_id: "Mapping[str, Any]" = {}
    add_access: "Mapping[str, Any]" = {}
    suppress: tuple[str, ...] = ()
    suppress_id: tuple[str, ...] = ()
    suppress_access: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    suppress_scopes: tuple[str, ...] = ()
    groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    preferred_role: str = ""


KEYS = frozenset({"add", "suppress", "id", "access", "scopes", "suppress_scopes", "groups", "roles", "preferred_role"})


def read(table: "Mapping[str, Any]", attributes: Mapping[str, str]) -> Rules:
    """Raises `Misconfigured` for a table that does not fit `Rules`."""
    unknown = table.keys() - KEYS
    if unknown:
        raise Misconfigured(f"token rules: {', '.join(sorted(unknown))}")
    of_id, of_access = _object(table.get("id")), _object(table.get("access"))
    role = table.get("preferred_role") or ""
    if not isinstance(role, str):
        raise Misconfigured("token rules: preferred_role")
    return Rules(
        add=_claims(table.get("add"), attributes),
        add_id=_claims(of_id.get("add"), attributes),
        add_access=_claims(of_access.get("add"), attributes),
        suppress=_names(table.get("suppress")),
        suppress_id=_names(of_id.get("suppress")),
        suppress_access=_names(of_access.get("suppress")),
        scopes=_names(table.get("scopes")),
        suppress_scopes=_names(table.get("suppress_scopes")),
        groups=None if table.get("groups") is None else _names(table["groups"]),
        roles=None if table.get("roles") is None else _names(table["roles"]),
        preferred_role=role,
    )


def merged(first: Rules, second: Rules) -> Rules:
    """Both: ``second`` wins where both set the same, and what either suppresses is suppressed."""
    return replace(
        second,
        add={**first.add, **second.add},
        add_id={**first.add_id, **second.add_id},
        add_access={**first.add_access, **second.add_access},
        suppress=_both(first.suppress, second.suppress),
        suppress_id=_both(first.suppress_id, second.suppress_id),
        suppress_access=_both(first.suppress_access, second.suppress_access),
        scopes=_both(first.scopes, second.scopes),
        suppress_scopes=_both(first.suppress_scopes, second.suppress_scopes),
        groups=first.groups if second.groups is None else second.groups,
        roles=first.roles if second.roles is None else second.roles,
        preferred_role=second.preferred_role or first.preferred_role,
    )


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _object(value: object) -> "Mapping[str, Any]":
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Misconfigured("token rules: an object is missing")
    return value


def _names(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Misconfigured("token rules: a list of names is missing")
    return tuple(value)


def _claims(value: object, attributes: Mapping[str, str]) -> "dict[str, Any]":
    """A claim whose attribute the user does not have is left out."""
    claims = {}
    for name, wanted in _object(value).items():
        if name in RESERVED:
            raise Misconfigured(f"token rules: {name} belongs to Cognito")
        if isinstance(wanted, str) and wanted.startswith("$"):
            if wanted[1:] in attributes:
                claims[name] = attributes[wanted[1:]]
        else:
            claims[name] = wanted
    return claims

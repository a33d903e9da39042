"""The facts about a person, the same for every route."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

from ..otp.masking import mask
from .users.directory import PoolUser
from .values import FrozenMapping, is_storable, is_true, text

_EMPTY: FrozenMapping[str] = FrozenMapping()

# OpenID Connect Core 5.4: the claims of each scope. E-mail and phone are fields of their own; Cognito's custom
# attributes come with "profile".
_PROFILE: Final = frozenset(
    {
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
        "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    }
)  # fmt: skip
_BY_SCOPE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"profile": _PROFILE, "address": frozenset({"address"})}
)
_CUSTOM: Final = ("custom:", "dev:custom:")


@dataclass(frozen=True)
class CognitoProfile:
    """One person of one pool, (``pool``, ``sub``), and what the pool claims about them.

    The pool's ``email_verified`` is only a claim. ``proven`` holds the addresses to which a code was sent that was
    entered in this sign-in, written as in ``email`` and ``phone_number``. A person who was never in a pool has neither
    pool nor sub; raises ``ValueError`` for one without the other.
    """

    pool: str = ""
    sub: str = ""
    username: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    email_verified: bool = False
    phone_number: str = field(default="", repr=False)
    phone_number_verified: bool = False
    groups: tuple[str, ...] = ()
    attributes: Mapping[str, str] = _EMPTY
    proven: frozenset[str] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        if bool(self.pool) != bool(self.sub):
            raise ValueError("a profile has a pool and a sub, or neither")
        object.__setattr__(self, "groups", tuple(self.groups))
        if self.attributes is not _EMPTY:
            object.__setattr__(self, "attributes", FrozenMapping(self.attributes))
        object.__setattr__(self, "proven", frozenset(self.proven))

    def __repr__(self) -> str:
        return (
            f"CognitoProfile(pool={self.pool!r}, sub={self.sub!r}, "
            f"username={mask(self.username)!r}, email={mask(self.email)!r}, "
            f"email_verified={self.email_verified}, "
            f"phone_number={mask(self.phone_number)!r}, "
            f"phone_number_verified={self.phone_number_verified}, groups={self.groups!r}, "
            f"attributes={self.attributes!r}, proven=<{len(self.proven)}>)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything, unmasked, as JSON values."""
        return {
            **vars(self),
            "groups": list(self.groups),
            "attributes": dict(self.attributes),
            "proven": sorted(self.proven),
        }

    @classmethod
    def from_claims(
        cls, claims: Mapping[str, Any], *, pool: str, scope: Collection[str], proven: Collection[str] = ()
    ) -> Self:
        """Build one from verified claims (an ID token's, userInfo's), as far as ``scope`` goes.

        ``pool`` is the connection's: the token's ``iss`` is only one of its addresses. ``openid`` alone gives the sub.
        User name, groups, the standard profile claims and custom attributes need ``profile``; the addresses need
        ``email`` and ``phone``. Protocol claims never enter. Raises ``ValueError`` without pool or sub.
        """
        email = text(claims.get("email")) if "email" in scope else ""
        phone = text(claims.get("phone_number")) if "phone" in scope else ""
        full = "profile" in scope
        groups = claims.get("cognito:groups") if full else None
        return cls(
            pool=pool,
            sub=text(claims.get("sub")),
            username=text(claims.get("cognito:username")) if full else "",
            email=email,
            email_verified=bool(email) and is_true(claims.get("email_verified")),
            phone_number=phone,
            phone_number_verified=bool(phone) and is_true(claims.get("phone_number_verified")),
            groups=tuple(filter(None, map(text, groups))) if isinstance(groups, list) else (),
            attributes=_attributes(claims, scope),
            proven=frozenset(proven),
        )

    @classmethod
    def from_directory(cls, row: PoolUser, pool: str) -> Self:
        """Build one from a row of the directory, which has no scopes and lists no groups; nothing in it is proven."""
        return cls(
            pool=pool,
            sub=row.sub,
            username=row.username,
            email=row.email,
            email_verified=row.email_verified,
            phone_number=row.phone_number,
            phone_number_verified=row.phone_number_verified,
            attributes=_attributes(row.attributes, _BY_SCOPE),
        )


def with_trusted(claims: Mapping[str, Any], providers: Collection[str]) -> Mapping[str, Any]:
    """Return the claims (or attributes) of a federated person, whose address counts as verified if they signed in at
    one of ``providers``. Cognito by itself never marks the addresses of federated people as verified."""
    if not providers or not claims.get("email"):
        return claims
    written = claims.get("identities")
    try:
        identities = json.loads(written) if isinstance(written, str) else written
        names = {identity["providerName"] for identity in identities or ()}
    except (ValueError, TypeError, KeyError):
        return claims
    return {**claims, "email_verified": "true"} if names & {*providers} else claims


def _attributes(claims: Mapping[str, Any], scope: Collection[str]) -> FrozenMapping[str]:
    # An allow-list: a claim that a provider adds tomorrow stays outside.
    wanted = frozenset().union(*(_BY_SCOPE.get(name, frozenset()) for name in scope))
    prefixes = _CUSTOM if "profile" in scope else ()
    return FrozenMapping(
        {
            # The directory has strings alone; a token may have numbers, booleans and objects.
            name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            for name, value in claims.items()
            if value is not None
            and (name in wanted or name.startswith(prefixes))
            and (not isinstance(value, str) or is_storable(value))
        }
    )

"""A Cognito integration, as a value: valid from birth and immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from .connection_rules import FIELDS, SETTINGS
from .values import FrozenMapping

_EMPTY: FrozenMapping[Any] = FrozenMapping()
# The first label of the host, by ``IssuerConfiguration.Type``.
ISSUER_TYPES: Final[Mapping[str, str]] = {"ORIGINAL": "cognito-idp", "UPDATED": "issuer-cognito-idp"}


class ConnectionConfigError(ValueError):
    """A connection is not set up right.

    ``mistakes`` maps each wrong key to what it may be. Values are not repeated, because some are secrets.
    """

    def __init__(self, alias: str, mistakes: Mapping[str, str]) -> None:
        super().__init__(alias, dict(mistakes))
        self.alias = alias
        self.mistakes = FrozenMapping(mistakes)

    def __str__(self) -> str:
        listed = "; ".join(f"{key}: {text}" for key, text in self.mistakes.items())
        return f"Cognito connection {self.alias!r}: {listed}"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where a user pool is and how people sign in there.

    Raises ``ConnectionConfigError`` however it is built (also by ``dataclasses.replace``). ``issuer`` and ``jwks_uri``
    are filled in from the pool where they are not given. ``issuers`` and ``regions`` are further addresses of the same
    pool: see ``accepted_issuers``.
    """

    alias: str
    name: str = ""
    region: str
    user_pool_id: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    domain: str | None = None
    routes: tuple[str, ...] = ("otp", "oidc")
    domains: tuple[str, ...] = ()
    lookup: str = "try"
    otp_flow: str = "USER_AUTH"
    first_factor: str = "none"
    session_minutes: int = 3
    own_triggers: bool = False
    scope: tuple[str, ...] = ("openid", "profile", "email")
    client_metadata: str | None = None
    response_mode: str = "query"
    callback_url: str | None = None
    acr_values: str | None = None
    claims: Mapping[str, Any] | None = None
    authorize_params: Mapping[str, str] = _EMPTY
    on_failure: str = "branch"
    trust_verified: bool = False
    trusted_providers: tuple[str, ...] = ()
    also_known_as: tuple[str, ...] = ()
    enabled: bool = True
    retired: bool = False
    after_migration: tuple[str, ...] = ()
    migrated_attribute: str = "custom:migrated"
    global_sign_out: bool = False
    endpoint_url: str | None = None
    issuer: str = ""
    issuers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    endpoints: Mapping[str, str] = _EMPTY

    def __post_init__(self) -> None:
        mistakes: dict[str, str] = {}
        for key, rule in FIELDS.items():
            try:
                object.__setattr__(self, key, rule(getattr(self, key)))
            except (ValueError, TypeError) as error:
                mistakes[key] = f"must be {error}"
        if not mistakes and self.region not in self._regions:
            mistakes["region"] = "must be the region that user_pool_id begins with, or one of regions"
        if not mistakes and self.first_factor == "password" and self.otp_flow != "CUSTOM_AUTH":
            mistakes["first_factor"] = "must be none where otp_flow is not CUSTOM_AUTH"
        if mistakes:
            raise ConnectionConfigError(str(self.alias), mistakes)
        object.__setattr__(self, "issuer", self.issuer or self.issuer_of("ORIGINAL", self.region))

    @classmethod
    def from_settings(
        cls, alias: str, name: str, client_id: str, secret: str | None, settings: Mapping[str, Any]
    ) -> Self:
        """Build one from an allauth app: its columns, and its ``settings`` block.

        Raises ``ConnectionConfigError`` with every mistake: unknown keys, missing keys, values that are not allowed.
        """
        if not isinstance(settings, Mapping):
            raise ConnectionConfigError(str(alias), {"settings": "must be a mapping"})
        unknown = {
            str(key): f"is not a setting; there are {', '.join(sorted(SETTINGS))}"
            for key in settings
            if key not in SETTINGS
        }
        known = {key: value for key, value in settings.items() if key in SETTINGS}
        # A missing key is reported in the same list as a wrong one.
        required = {"region": "", "user_pool_id": ""}
        try:
            connection = cls(alias=alias, name=name, client_id=client_id, client_secret=secret, **(required | known))
        except ConnectionConfigError as error:
            unknown = dict(error.mistakes) | unknown
        if unknown:
            raise ConnectionConfigError(str(alias), unknown) from None
        return connection

    @property
    def active(self) -> bool:
        """Whether people may be sent to this pool."""
        return self.enabled and not self.retired

    def route_after(self, route: str) -> str:
        """The route that follows, in their order; empty after the last."""
        later = self.routes[self.routes.index(route) + 1 :] if route in self.routes else ()
        return next(iter(later), "")

    @property
    def pool(self) -> str:
        """What the subs belong to: a user pool by its id, as its issuers are only addresses; another provider by its
        issuer."""
        return self.user_pool_id if self.is_cognito else self.issuer

    @property
    def needs_password(self) -> bool:
        """Whether the pool sends its code only after the password."""
        return self.first_factor == "password" and "otp" in self.routes

    @property
    def jwks_uri(self) -> str:
        """The address of the keys that sign ID tokens (OpenID Connect Discovery 3)."""
        return self.jwks_uri_of(self.issuer)

    def jwks_uri_of(self, issuer: str) -> str:
        """The same for another issuer of the pool."""
        return self.endpoints.get("jwks_uri", f"{issuer.rstrip('/')}/.well-known/jwks.json")

    @property
    def is_cognito(self) -> bool:
        """False for a pool behind another OpenID provider, which has its own issuer.

        Every Cognito issuer ends with the pool's id; only Cognito writes ``token_use``.
        """
        return self.issuer.rstrip("/").rsplit("/", 1)[-1] == self.user_pool_id

    @property
    def accepted_issuers(self) -> frozenset[str]:
        """Every ``iss`` that means this pool: what is configured, and both of Cognito's types in each of its regions.

        A switch of the type, or a fail-over to a replica, needs no change here, and every person keeps their account.
        """
        derived = {self.issuer_of(kind, region) for kind in ISSUER_TYPES for region in self._regions}
        return frozenset({self.issuer, *self.issuers, *(derived if self.is_cognito else ())})

    def issuer_of(self, kind: str, region: str) -> str:
        """The pool's issuer of a type (`IssuerConfiguration.Type`) in a region."""
        # The regions of China have a domain of their own.
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return f"https://{ISSUER_TYPES[kind]}.{region}.{suffix}/{self.user_pool_id}"

    @property
    def _regions(self) -> tuple[str, ...]:
        """The pool's own region, which its id begins with, and its replicas' regions."""
        return (self.user_pool_id.partition("_")[0], *self.regions)

"""Pools, app clients and people, read from moto's backend.

The sign-in flows work on the frozen values below and never on moto's objects, so that moto may change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, UserStatus

from .. import errors
from .issued import Issued, payload

FLOWS_UNLESS_SET = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")
ADMIN_SCOPE = "aws.cognito.signin.user.admin"


@dataclass(frozen=True, slots=True)
class Pool:
    id: str
    first_factors: frozenset[str]
    mfa_required: bool
    plan: str


@dataclass(frozen=True, slots=True)
class Client:
    id: str
    secret: str | None = field(repr=False)
    flows: frozenset[str]
    hides_unknown: bool
    session_seconds: int
    rotation: float | None = None  # seconds that a rotated refresh token is still good for; None: no rotation
    oauth_flows: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    callback_urls: frozenset[str] = frozenset()
    logout_urls: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    key: str  # the pool's `Username`
    sub: str
    status: str
    enabled: bool
    attributes: Mapping[str, str] = field(repr=False)
    has_password: bool
    has_mfa: bool


class Directory:
    """One moto account: `backends` maps regions to moto's `CognitoIdpBackend`."""

    def __init__(self, backends: Mapping[str, Any]) -> None:
        self._backends = backends
        self.tokens = Issued(self.pool)

    def client(self, client_id: str, pool_id: str | None = None) -> tuple[Pool, Client]:
        """The client and its pool. Raises PoolError if there is none, or not in `pool_id`."""
        for pool in self._pools() if pool_id is None else [self.pool(pool_id)]:
            client = pool.clients.get(client_id)
            if client is not None:
                policies = pool.extended_config.get("Policies") or {}
                config, sign_in = client.extended_config, policies.get("SignInPolicy") or {}
                return Pool(
                    id=pool.id,
                    # The default of a pool: API_SignInPolicyType.html.
                    first_factors=frozenset(sign_in.get("AllowedFirstAuthFactors") or ["PASSWORD"]),
                    mfa_required=pool.mfa_config == "ON",
                    plan=pool.extended_config.get("UserPoolTier") or "ESSENTIALS",
                ), Client(
                    id=client.id,
                    secret=client.secret if client.generate_secret else None,
                    flows=frozenset(config.get("ExplicitAuthFlows") or FLOWS_UNLESS_SET),
                    hides_unknown=config.get("PreventUserExistenceErrors") == "ENABLED",
                    session_seconds=60 * int(config.get("AuthSessionValidity") or 3),
                    rotation=_rotation(config.get("RefreshTokenRotation") or {}),
                    oauth_flows=frozenset(config.get("AllowedOAuthFlows") or ()),
                    scopes=frozenset(config.get("AllowedOAuthScopes") or ()),
                    callback_urls=frozenset(config.get("CallbackURLs") or ()),
                    logout_urls=frozenset(config.get("LogoutURLs") or ()),
                )
        text = f"User pool client {client_id} does not exist."  # seen
        raise errors.PoolError("ResourceNotFoundException", text)

    def has(self, pool_id: str) -> bool:
        return any(pool.id == pool_id for pool in self._pools())

    def pool_of(self, client_id: str) -> str | None:
        """The id of the pool that has this client."""
        return next((pool.id for pool in self._pools() if client_id in pool.clients), None)

    def person(self, pool_id: str, username: str) -> Person | None:
        """The person who may sign in by this name: user name, sub, e-mail address or number."""
        user = find_user(self.pool(pool_id), username)
        return None if user is None else read_person(user)

    def bearer(self, access_token: str, scope: str = ADMIN_SCOPE) -> tuple[str, str]:
        """The pool of an access token, and the key of its person. Raises PoolError for one that opens nothing."""
        for pool in self._pools():
            if access_token in pool.access_tokens:
                if scope not in str(payload(access_token).get("scope", "")).split():
                    raise errors.PoolError("NotAuthorizedException", "Access Token does not have required scopes")
                _, key = pool.access_tokens[access_token]
                return pool.id, key
        raise errors.PoolError("NotAuthorizedException", "Access Token has been revoked")

    def providers(self, pool_id: str) -> tuple[str, ...]:
        """The names of the providers that people of this pool come from."""
        names = {name for user in list(self.pool(pool_id).users.values()) for name, _ in _identities(user)}
        return tuple(sorted(names))

    def federated(self, pool_id: str, provider: str, external: str) -> str | None:
        """The key of the person whom `provider` knows by this id or e-mail address, or None."""
        for user in list(self.pool(pool_id).users.values()):
            for name, subject in _identities(user):
                if name == provider and external in (subject, user.attribute_lookup.get("email")):
                    return str(user.username)
        return None

    def confirm(self, pool_id: str, key: str, proven: Iterable[str]) -> None:
        """The person is confirmed, and these addresses are verified."""
        user = find_user(self.pool(pool_id), key)
        user.status = UserStatus.CONFIRMED
        user.update_attributes([{"Name": f"{name}_verified", "Value": "true"} for name in proven])

    def add(
        self,
        pool_id: str,
        name: str,
        attributes: Mapping[str, str],
        *,
        password: str | None,
        status: str,
        sms_mfa: bool = False,
    ) -> None:
        """A new person; where a pool is signed in to by address, the name is one of the addresses."""
        pool = self.pool(pool_id)
        by_address = pool.extended_config.get("UsernameAttributes")
        given = dict(attributes)
        if by_address:
            given.setdefault("email" if "@" in name else "phone_number", name)
        rows = [{"Name": key, "Value": value} for key, value in given.items()]
        user = CognitoIdpUser(pool_id, None if by_address else name, password, UserStatus[status], rows)
        user.sms_mfa_enabled = sms_mfa
        user.preferred_mfa_setting = "SMS_MFA" if sms_mfa else None
        pool.users[user.username] = user

    def update(self, pool_id: str, key: str, attributes: Mapping[str, str]) -> None:
        rows = [{"Name": name, "Value": value} for name, value in attributes.items()]
        find_user(self.pool(pool_id), key).update_attributes(rows)

    def set_password(self, pool_id: str, key: str, password: str) -> None:
        find_user(self.pool(pool_id), key).password = password

    def password(self, pool_id: str, key: str) -> str | None:
        """The password of a person, as moto keeps it; None where there is none."""
        user = find_user(self.pool(pool_id), key)
        password: str | None = None if user is None else user.password
        return password

    def sign_in_by_password(self, pool_id: str, client_id: str, key: str, password: str) -> dict[str, Any]:
        """Tokens, or what moto asks for after a right password. Raises what moto raises."""
        backend = next(one for one in self._backends.values() if pool_id in one.user_pools)
        given = {"USERNAME": key, "PASSWORD": password}
        answer: dict[str, Any] = backend.initiate_auth(client_id, "USER_PASSWORD_AUTH", given)
        return {"ChallengeParameters": {}} | answer

    def _pools(self) -> list[Any]:
        backends = list(self._backends.values())
        return [pool for backend in backends for pool in list(backend.user_pools.values())]

    def pool(self, pool_id: str) -> Any:
        """moto's pool. Raises PoolError if there is none."""
        for pool in self._pools():
            if pool.id == pool_id:
                return pool
        raise errors.PoolError("ResourceNotFoundException", f"User pool {pool_id} does not exist.")


def attributes_of(person: Person | None) -> dict[str, str]:
    """A person's attributes as the events of triggers carry them."""
    return {} if person is None else {**person.attributes, "cognito:user_status": person.status}


def find_user(pool: Any, username: str) -> Any:
    """moto's user for any name that they may sign in by, or None.

    Every user is compared, found or not: an unknown name must not take longer than a known one.
    """
    config = pool.extended_config
    folds = not config.get("UsernameConfiguration", {}).get("CaseSensitive", True)
    always = tuple(config.get("UsernameAttributes") or ())
    aliases = tuple(config.get("AliasAttributes") or ())
    folded = username.lower()

    def same(value: str | None) -> bool:
        # The lengths first: a pool may have many thousands of people.
        return value == username or (
            folds and value is not None and len(value) == len(username) and value.lower() == folded
        )

    match = None
    for user in list(pool.users.values()):
        attributes = user.attribute_lookup
        if (
            same(user.username)
            or user.id == username
            or any(same(attributes.get(name)) for name in always)
            # An alias beside a user name works only while it is verified:
            # developerguide/user-pool-settings-attributes.html.
            or any(same(attributes.get(name)) and attributes.get(f"{name}_verified") == "true" for name in aliases)
        ):
            match = user
    return match


def read_person(user: Any) -> Person:
    return Person(
        key=user.username,
        sub=user.id,
        status=str(getattr(user.status, "value", user.status)),
        enabled=user.enabled,
        attributes=dict(user.attribute_lookup),
        has_password=user.password is not None,
        has_mfa=bool(user.sms_mfa_enabled or user.software_token_mfa_enabled),
    )


def _rotation(config: Mapping[str, Any]) -> float | None:
    return float(config.get("RetryGracePeriodSeconds") or 0) if config.get("Feature") == "ENABLED" else None


def _identities(user: Any) -> list[tuple[str, str]]:
    listed = json.loads(user.attribute_lookup.get("identities") or "[]")
    return [(item["providerName"], item["userId"]) for item in listed]

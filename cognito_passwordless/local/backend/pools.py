"""Create pools and people in moto's backend."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, UserStatus

from .tokens import jwks_uri

STATUSES = frozenset(
    {
        "UNCONFIRMED", "CONFIRMED", "ARCHIVED", "UNKNOWN", "RESET_REQUIRED", "FORCE_CHANGE_PASSWORD",
        "EXTERNAL_PROVIDER",
    }
)  # fmt: skip
FLOWS = [
    "ALLOW_USER_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH",
]  # fmt: skip
SCOPES = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"]


@dataclass(frozen=True, slots=True)
class LocalPool:
    """A user pool with one app client: configure your own client with its values."""

    id: str
    client_id: str
    client_secret: str | None = field(repr=False)
    issuer: str
    _backend: Any = field(repr=False, compare=False)

    @property
    def jwks_uri(self) -> str:
        """Where the key that signs this pool's tokens is published."""
        return jwks_uri(self.issuer)

    def add_user(
        self,
        email: str | None = None,
        *,
        phone_number: str | None = None,
        status: str = "CONFIRMED",
        enabled: bool = True,
        email_verified: bool = True,
        phone_number_verified: bool = True,
        groups: Iterable[str] = (),
        mfa: bool = False,
        attributes: Mapping[str, str] | None = None,
        username: str | None = None,
        sub: str | None = None,
        passwordless: bool = False,
    ) -> str:
        """Add a person as the pool would list them, and return their sub.

        `username` None is for a pool whose people sign in by address: the user name is the sub. `sub` None makes a
        random one. `passwordless` people have no password, so the pool does not offer it to them. Raises ValueError
        for a status that Cognito does not have, and for a user name that is taken.
        """
        if status not in STATUSES:
            raise ValueError(f"{status} is no UserStatus")
        user = CognitoIdpUser(
            self.id,
            username,
            None if passwordless else secrets.token_urlsafe(24),
            # moto compares by identity where it knows the status.
            UserStatus.__members__.get(status, status),
            [],
        )
        user.id = sub or str(uuid.uuid4())
        user.username = username or user.id
        known = {"sub": user.id}
        if email is not None:
            known |= {"email": email, "email_verified": str(email_verified).lower()}
        if phone_number is not None:
            known |= {"phone_number": phone_number, "phone_number_verified": str(phone_number_verified).lower()}
        known |= attributes or {}
        user.update_attributes([{"Name": name, "Value": value} for name, value in known.items()])
        user.enabled = enabled
        user.sms_mfa_enabled = mfa
        user.preferred_mfa_setting = "SMS_MFA" if mfa else None
        pool = self._backend.user_pools[self.id]
        if user.username in pool.users:
            raise ValueError(f"{user.username} is taken")
        pool.users[user.username] = user
        for name in groups:
            if name not in pool.groups:
                self._backend.create_group(self.id, name, "", "", None)
            pool.groups[name].users.add(user)
            user.groups.add(pool.groups[name])
        sub_value: str = user.id
        return sub_value

    def set_password(self, sub: str, password: str) -> None:
        """Give a person this password, whatever the pool's policy says."""
        pool = self._backend.user_pools[self.id]
        next(user for user in pool.users.values() if user.id == sub).password = password

    def add_federated_user(self, provider: str, subject: str, email: str, *, email_verified: bool = False) -> str:
        """Add a person who signs in at another identity provider, and return their sub.

        Their address is unverified unless the provider's claim is mapped:
        developerguide/cognito-user-pools-identity-federation.html.
        """
        identities = [{"userId": subject, "providerName": provider, "providerType": provider, "primary": "true"}]
        return self.add_user(
            email,
            status="EXTERNAL_PROVIDER",
            email_verified=email_verified,
            username=f"{provider}_{subject}",
            attributes={"identities": json.dumps(identities)},
            passwordless=True,
        )

    def allow(self, *, callback_urls: Iterable[str] = (), logout_urls: Iterable[str] = ()) -> None:
        """Register addresses that the hosted login may send people back to."""
        config = self._backend.user_pools[self.id].clients[self.client_id].extended_config
        config["CallbackURLs"] = [*config.get("CallbackURLs", ()), *callback_urls]
        config["LogoutURLs"] = [*config.get("LogoutURLs", ()), *logout_urls]


def create_pool(
    backend: Any,
    name: str,
    *,
    prevent_user_existence_errors: bool,
    client_secret: bool | str,
    mfa: str,
    auth_session_validity: int,
    plan: str,
    flows: Iterable[str] | None,
    pool_id: str | None,
    client_id: str | None,
) -> tuple[str, str, str | None]:
    """Make a pool with one app client; returns their ids and the client's secret.

    Raises ValueError for a session validity outside 3 to 15 minutes and for an unknown `mfa`.
    """
    if not 3 <= auth_session_validity <= 15:
        raise ValueError("auth_session_validity is 3 to 15 minutes")
    if mfa not in {"OFF", "OPTIONAL", "ON"}:
        raise ValueError("mfa is OFF, OPTIONAL or ON")
    pool = backend.create_user_pool(
        name,
        {
            "MfaConfiguration": mfa,
            "UsernameAttributes": ["email", "phone_number"],
            "UsernameConfiguration": {"CaseSensitive": False},
            "AutoVerifiedAttributes": ["email", "phone_number"],
            "UserPoolTier": plan,
            "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]}},
            # It does send, to its inbox.
            "EmailConfiguration": {"EmailSendingAccount": "DEVELOPER"},
            "SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/local", "ExternalId": name},
        },
    )
    _rename(backend.user_pools, pool, pool_id)
    client = backend.create_user_pool_client(
        pool.id,
        bool(client_secret),
        {
            "ClientName": name,
            "ExplicitAuthFlows": list(FLOWS if flows is None else flows),
            "PreventUserExistenceErrors": ("ENABLED" if prevent_user_existence_errors else "LEGACY"),
            "AuthSessionValidity": auth_session_validity,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": SCOPES,
            "AllowedOAuthFlowsUserPoolClient": True,
            "SupportedIdentityProviders": ["COGNITO"],
        },
    )
    _rename(pool.clients, client, client_id)
    if isinstance(client_secret, str):
        client.secret = client_secret
    return pool.id, client.id, client.secret if client_secret else None


def _rename(rows: dict[str, Any], thing: Any, wanted: str | None) -> None:
    if wanted is not None:
        del rows[thing.id]
        thing.id = wanted
        rows[wanted] = thing

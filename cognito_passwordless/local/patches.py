"""Replace methods of moto, and restore them.

moto's classes belong to the whole process, so every replacement looks at the account of the request: each local
Cognito is an account of its own in moto, and any other account gets moto's own behaviour.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.cognitoidp.models import CognitoIdpUserPool, cognitoidp_backends
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.base_backend import BackendDict
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult

from . import errors
from .backend.directory import Directory, find_user, read_person
from .backend.listing import get_user, list_users, update_pool
from .backend.tokens import Signer, claims
from .sign_in.auth import Authentication
from .sign_in.refresh import Refresh
from .sign_in.sign_up import Lifecycle
from .triggers.tokens import TokenTrigger

Method = Callable[..., Any]
STEPS: dict[str, dict[str, Method]] = {
    "authentication": {
        "initiate_auth": Authentication.initiate,
        "admin_initiate_auth": Authentication.initiate,
        "respond_to_auth_challenge": Authentication.respond,
        "admin_respond_to_auth_challenge": Authentication.respond,
    },
    "refresh": {
        "get_tokens_from_refresh_token": Refresh.get_tokens,
        "revoke_token": Refresh.revoke,
        "global_sign_out": Refresh.sign_out,
    },
    "directory": {"get_user": get_user, "list_users": list_users, "update_user_pool": update_pool},
    "lifecycle": {
        "sign_up": Lifecycle.sign_up,
        "resend_confirmation_code": Lifecycle.resend_confirmation_code,
        "confirm_sign_up": Lifecycle.confirm_sign_up,
        "admin_create_user": Lifecycle.admin_create_user,
        "forgot_password": Lifecycle.forgot_password,
        "confirm_forgot_password": Lifecycle.confirm_forgot_password,
        "update_user_attributes": Lifecycle.update_user_attributes,
        "admin_update_user_attributes": Lifecycle.admin_update_user_attributes,
    },
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """The parts of a local Cognito that the replacements call, by its account."""

    directory: Directory
    authentication: Authentication
    refresh: Refresh
    lifecycle: Lifecycle
    token_trigger: TokenTrigger
    signer: Signer
    issuer_of: Callable[[str], str]


class Patches:
    """Replaces methods of moto while there is at least one tenant."""

    def __init__(self) -> None:
        self._tenants: dict[str, Tenant] = {}
        self._originals: list[tuple[type, str, Any]] = []
        self._lock = threading.Lock()

    def add(self, account: str, tenant: Tenant) -> None:
        with self._lock:
            if not self._tenants:
                for room, steps in STEPS.items():
                    for name, step in steps.items():
                        self._replace(CognitoIdpResponse, name, self._step(room, step))
                self._replace(CognitoIdpUserPool, "create_jwt", self._create_jwt)
                self._replace(CognitoIdpUserPool, "_get_user", self._get_user)
                self._replace(CognitoIdpUserPool, "sign_out", self._sign_out)
                self._replace(BackendDict, "reset", self._reset)
            self._tenants[account] = tenant

    def remove(self, account: str) -> None:
        with self._lock:
            self._tenants.pop(account, None)
            if not self._tenants:
                while self._originals:
                    owner, name, original = self._originals.pop()
                    if original is _absent:
                        delattr(owner, name)
                    else:
                        setattr(owner, name, original)

    def _replace(self, owner: type, name: str, wrap: Callable[[Any], Any]) -> None:
        original = vars(owner).get(name, _absent)
        self._originals.append((owner, name, original))
        setattr(owner, name, wrap(original))

    def _step(self, room: str, handle: Method) -> Callable[[Method], Method]:
        """An operation that a room answers; it may leave the rest to moto."""

        def wrap(original: Method) -> Method:
            def operation(response: Any) -> Any:
                tenant = self._tenants.get(response.current_account)
                if tenant is None:
                    return original(response)
                try:
                    return ActionResult(handle(getattr(tenant, room), response.parameters, lambda: original(response)))
                except errors.PoolError as error:
                    raise JsonRESTError(error.kind, error.message) from error

            return operation

        return wrap

    def _create_jwt(self, original: Method) -> Method:
        # moto's own signature.
        def create_jwt(  # noqa: PLR0917
            pool: Any,
            client_id: str,
            username: str,
            token_use: str,
            expires_in: int = 3600,
            extra_data: dict[str, Any] | None = None,
        ) -> Any:
            tenant = self._tenants.get(pool.account_id)
            if tenant is None:
                return original(pool, client_id, username, token_use, expires_in, extra_data)
            person, now = read_person(find_user(pool, username)), int(time.time())
            extra = extra_data or {}
            body = claims(
                person,
                issuer=tenant.issuer_of(pool.id),
                client_id=client_id,
                use=token_use,
                now=now,
                since=tenant.directory.tokens.since(str(extra.get("origin_jti")), now),
                lifetime=expires_in,
                extra=extra,
            )
            shaped = tenant.token_trigger.shape(token_use, body, pool.id, client_id, person)
            return tenant.signer.sign(shaped), expires_in

        return create_jwt

    def _get_user(self, original: Method) -> Method:
        def get_user(pool: Any, username: str) -> Any:
            known = pool.account_id in self._tenants
            return find_user(pool, username) if known else original(pool, username)

        return get_user

    def _sign_out(self, original: Method) -> Method:
        # moto compares tokens with the name as it was given, which may be a sub or an address.
        def sign_out(pool: Any, username: str) -> Any:
            user = find_user(pool, username) if pool.account_id in self._tenants else None
            return original(pool, username if user is None else user.username)

        return sign_out

    def _reset(self, original: Any) -> Any:
        # Every `mock_aws` in the process calls it first, and would empty the pools of a running server.
        @classmethod  # type: ignore[misc]
        def reset(owner: type) -> None:
            running = {account: cognitoidp_backends.pop(account, None) for account in self._tenants}
            try:
                original.__func__(owner)
            finally:
                cognitoidp_backends.update({account: backend for account, backend in running.items() if backend})

        return reset


def _absent(*_: object) -> Any:
    """Stands for an operation that moto does not have."""
    raise NotImplementedError


patches = Patches()

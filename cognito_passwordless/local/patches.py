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
from .backend.tokens import Signer, claims
from .sign_in.auth import Authentication
from .sign_in.password import PasswordSignIn
from .sign_in.sign_up import Lifecycle
from .triggers.tokens import TokenTrigger

Method = Callable[..., Any]
LIFECYCLE = {
    "sign_up": Lifecycle.sign_up,
    "resend_confirmation_code": Lifecycle.resend_confirmation_code,
    "confirm_sign_up": Lifecycle.confirm_sign_up,
    "admin_create_user": Lifecycle.admin_create_user,
    "forgot_password": Lifecycle.forgot_password,
    "confirm_forgot_password": Lifecycle.confirm_forgot_password,
    "update_user_attributes": Lifecycle.update_user_attributes,
    "admin_update_user_attributes": Lifecycle.admin_update_user_attributes,
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """The parts of a local Cognito that the replacements call, by its account."""

    directory: Directory
    authentication: Authentication
    passwords: PasswordSignIn
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
                for prefix in ("", "admin_"):
                    sign_in = self._operation(Authentication.initiate, PasswordSignIn.start)
                    self._replace(CognitoIdpResponse, f"{prefix}initiate_auth", sign_in)
                    answer = self._operation(Authentication.respond, PasswordSignIn.respond)
                    self._replace(CognitoIdpResponse, f"{prefix}respond_to_auth_challenge", answer)
                for name, step in LIFECYCLE.items():
                    self._replace(CognitoIdpResponse, name, self._step(step))
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

    def _operation(
        self,
        handle: Callable[[Authentication, dict[str, Any]], dict[str, Any] | None],
        leave: Callable[[PasswordSignIn, dict[str, Any], Callable[[], Any]], Any],
    ) -> Callable[[Method], Method]:
        """An operation that this room answers, or leaves to moto with the triggers around it."""

        def run(tenant: Tenant, request: dict[str, Any], moto: Callable[[], Any]) -> Any:
            answer = handle(tenant.authentication, request)
            return leave(tenant.passwords, request, moto) if answer is None else ActionResult(answer)

        return self._for_tenants(run)

    def _step(
        self, handle: Callable[[Lifecycle, dict[str, Any], Callable[[], Any]], Any]
    ) -> Callable[[Method], Method]:
        return self._for_tenants(lambda tenant, *call: ActionResult(handle(tenant.lifecycle, *call)))

    def _for_tenants(self, run: Method) -> Callable[[Method], Method]:
        def wrap(original: Method) -> Method:
            def operation(response: Any) -> Any:
                tenant = self._tenants.get(response.current_account)
                if tenant is None:
                    return original(response)
                try:
                    return run(tenant, response.parameters, lambda: original(response))
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
            person = read_person(find_user(pool, username))
            body = claims(
                person,
                issuer=tenant.issuer_of(pool.id),
                client_id=client_id,
                use=token_use,
                now=int(time.time()),
                lifetime=expires_in,
                extra=extra_data or {},
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

"""A local Cognito: a server on loopback and an account in moto, both gone when it stops."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from moto.cognitoidp.models import cognitoidp_backends
from moto.moto_server.werkzeug_app import create_backend_app

from .backend import pools, tokens
from .backend.directory import Directory
from .hosted import HostedLogin
from .listeners import Listeners
from .messages.inbox import Inbox, Message
from .messages.post import Post
from .patches import Tenant, patches
from .proxy import Call, Proxy
from .sign_in.auth import Authentication
from .sign_in.choice import ChoiceSignIn
from .sign_in.custom import CustomSignIn
from .sign_in.password import PasswordSignIn
from .sign_in.refresh import Refresh
from .sign_in.sessions import Sessions
from .sign_in.sign_up import Lifecycle
from .testing.clock import Clock
from .testing.faults import Faults
from .triggers.cipher import Encrypt
from .triggers.runner import Handler, Triggers
from .triggers.sign_in import SignInTriggers
from .triggers.tokens import TokenTrigger
from .triggers.user_migration import UserMigration


class LocalCognito:
    """A Cognito for development and tests, at `url`, for use as a context manager.

    Pools, people and tokens are moto's; the sign-ins by code are this package's, as faithful to Amazon Cognito as
    captures and AWS's pages allow. Instances share nothing, and nothing outlives one. `port` 0 takes a free port.

    Raises ValueError for a host that is not loopback: it has no authentication at all. `start` raises OSError if the
    port is taken.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, region: str = "eu-west-1") -> None:
        self._listeners = Listeners(host, port)
        self.region = region
        self.clock = Clock()
        self.faults = Faults()
        self.messages = Inbox()
        self.triggers = Triggers(region)
        self._account = f"{1 + secrets.randbelow(9)}{secrets.randbelow(10**11):011d}"
        self._proxy: Proxy | None = None
        self._hosted: HostedLogin | None = None
        self._signer = tokens.Signer()
        self._issuers: dict[str, str] = {}

    def start(self) -> Self:
        """Listen and serve, in a thread of its own. Raises RuntimeError if it already does."""
        if self._listeners:
            raise RuntimeError("already started")
        self._listeners.listen()
        directory = Directory(cognitoidp_backends[self._account])
        sessions = Sessions(self.clock)
        post, around = Post(self.triggers, self.messages, self.clock), SignInTriggers(self.triggers)
        migration = UserMigration(directory, self.triggers)
        passwords = PasswordSignIn(directory, sessions, around, migration)
        choice = ChoiceSignIn(directory, sessions, post, around, passwords)
        refresh = Refresh(directory, self.clock)
        self._hosted = HostedLogin(
            directory=directory,
            triggers=self.triggers,
            post=post,
            clock=self.clock,
            signer=self._signer,
            issuer_of=self.issuer,
            refresh=refresh,
        )
        custom = CustomSignIn(directory, sessions, self.triggers, around)
        self._proxy = Proxy(
            # Of moto's many services only this one: nothing else answers at `url`.
            create_backend_app("cognito-idp"),
            account=self._account,
            faults=self.faults,
            pool_of_client=directory.pool_of,
            documents=lambda path: self._document(directory, path),
            hosted=self._hosted,
        )
        patches.add(
            self._account,
            Tenant(
                directory,
                Authentication(
                    directory, sessions, choice=choice, custom=custom, passwords=passwords, refresh=refresh
                ),
                refresh,
                Lifecycle(directory, self.triggers, post, migration=migration, sessions=sessions),
                TokenTrigger(self.triggers),
                self._signer,
                self.issuer,
            ),
        )
        self._listeners.serve(self._proxy)
        return self

    def add_replica(self, port: int = 0) -> str:
        """Answer at a second port too, as a replica of the pools in another region does, and return its address.

        Tokens that are issued there name an issuer of their own. Raises RuntimeError before `start`, OSError if the
        port is taken.
        """
        if self._proxy is None or not self._listeners:
            raise RuntimeError("start the local Cognito first")
        self._listeners.listen(port)
        return self._listeners.serve(self._proxy)

    def stop(self) -> None:
        """Stop serving and forget everything. Does nothing if it does not run."""
        if not self._listeners:
            return
        self.faults.clear()
        self.faults.release()
        self._listeners.stop()
        patches.remove(self._account)
        cognitoidp_backends.pop(self._account, None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The `endpoint_url` for boto3."""
        return self._listeners.url

    @property
    def inbox(self) -> list[Message]:
        """The messages sent so far, newest last."""
        return self.messages.all()

    @property
    def calls(self) -> list[Call]:
        """Every API call so far, oldest first: (operation, client or pool id, user name)."""
        return self._proxy.calls() if self._proxy else []

    @property
    def visits(self) -> list[str]:
        """Every request to the hosted login and for a document so far, as "POST /oauth2/token"."""
        return self._hosted.seen() if self._hosted else []

    def last_code(self, destination: str) -> str | None:
        """The newest code sent to this e-mail address or phone number; None if there is none."""
        return self.messages.last_code(destination)

    def advance(self, seconds: float) -> None:
        """Move the clock of sessions and codes forward; tokens keep the machine's time."""
        self.clock.advance(seconds)

    def fail(self, operation: str, error: str, times: int = 1, pool_id: str | None = None) -> None:
        """Let the next `times` calls of `operation` ("*": any) fail, or only those of one pool.

        `error` is "throttle", "500", "bad_json", "timeout" (hangs until `release` or until the client disconnects, and
        is never processed), or the name of an exception. An SDK that retries makes several calls. Raises ValueError
        for anything else.
        """
        self.faults.plan(operation, error, times, pool_id)

    def release(self) -> None:
        """End the requests that hang."""
        self.faults.release()

    def issuer(self, pool_id: str) -> str:
        """The `iss` of a pool's tokens, by its issuer type and the port of the request, which may be a replica's; its
        discovery document is below this address.

        No local server can answer for Amazon's issuer; see `issue_as`.
        """
        if pool_id in self._issuers:
            return self._issuers[pool_id]
        pool = cognitoidp_backends[self._account][self.region].user_pools.get(pool_id)
        config = pool.extended_config.get("IssuerConfiguration") if pool else None
        # The service has another host then; here there is one, and a path tells.
        updated = "updated/" if (config or {}).get("Type") == "UPDATED" else ""
        return f"{self._listeners.here}/{updated}{pool_id}"

    def issue_as(self, pool_id: str, issuer: str) -> None:
        """Let a pool's tokens and its discovery document name any other issuer from now on. Document and keys keep
        their addresses."""
        self._issuers[pool_id] = issuer

    def _address(self, pool_id: str) -> str:
        return f"{self._listeners.here}/{pool_id}"

    def create_pool(
        self,
        name: str,
        *,
        prevent_user_existence_errors: bool = True,
        client_secret: bool | str = True,
        mfa: str = "OFF",
        auth_session_validity: int = 3,
        plan: str = "ESSENTIALS",
        flows: Iterable[str] | None = None,
        pool_id: str | None = None,
        client_id: str | None = None,
        callback_urls: Iterable[str] = (),
        logout_urls: Iterable[str] = (),
    ) -> pools.LocalPool:
        """A pool with one app client, signed in to by e-mail address or phone number.

        `client_secret` is True for a random one, or the secret itself; `mfa` is OFF, OPTIONAL or ON;
        `auth_session_validity` is 3 to 15 minutes; `plan` LITE has no USER_AUTH; `flows` are the client's
        ExplicitAuthFlows; `callback_urls` and `logout_urls` are the addresses that the hosted login at `url` may send
        browsers back to. Ids are random unless given. Raises ValueError for a value out of range, and RuntimeError
        before `start`: the issuer needs the port.
        """
        if not self._listeners:
            raise RuntimeError("start the local Cognito first")
        backend: Any = cognitoidp_backends[self._account][self.region]
        new_pool, new_client, secret = pools.create_pool(
            backend,
            name,
            prevent_user_existence_errors=prevent_user_existence_errors,
            client_secret=client_secret,
            mfa=mfa,
            auth_session_validity=auth_session_validity,
            plan=plan,
            flows=flows,
            pool_id=pool_id,
            client_id=client_id,
        )
        pool = pools.LocalPool(new_pool, new_client, secret, self._address(new_pool), backend)
        pool.allow(callback_urls=callback_urls, logout_urls=logout_urls)
        return pool

    def attach_triggers(
        self, pool: pools.LocalPool, handlers: Mapping[str, Handler], *, encrypt: Encrypt | None = None
    ) -> None:
        """Give a pool Lambda triggers, by their names in LambdaConfig; they run in this process.

        Custom senders get codes that ``triggers.key`` decrypts, unless ``encrypt`` makes them as a KMS key would.
        Raises ValueError for a name that Cognito does not have.
        """
        self.triggers.attach(pool.id, handlers, encrypt)

    def _document(self, directory: Directory, path: str) -> bytes | None:
        pool_id, _, rest = path.removeprefix("/updated").lstrip("/").partition("/")
        if not directory.has(pool_id):
            return None
        if rest == ".well-known/jwks.json":
            return self._signer.jwks()
        if rest == ".well-known/openid-configuration":
            return tokens.discovery(self.issuer(pool_id), self._address(pool_id), self._listeners.here)
        return None

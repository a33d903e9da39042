"""Where a provider's endpoints are: from the connection, from the pool's domain, or from its discovery document.

Source: OpenID Connect Discovery 1.0. Like keys, documents are fetched rarely and never at a visitor's whim.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..connection import Connection
from ..connection_rules import ENDPOINTS, url
from ..errors import Cause, CognitoError
from .http import fetch_json

MAX_AGE: Final = 6 * 3600.0  # seconds after which a document is fetched again
RETRY_AFTER: Final = 10.0  # seconds between two tries that failed
MAX_DOCUMENTS: Final = 32
_OPERATION: Final = "discovery"
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Provider:
    """The endpoints of one provider. Those that it may do without are empty."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    secret_in_body: bool = False
    names_itself: bool = False  # RFC 9207: an answer without ``iss`` is not this provider's


@dataclass
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    document: Mapping[str, Any] | None = None
    loaded_at: float = 0.0
    tried_at: float | None = None
    failure: CognitoError | None = None


class DiscoveryCache:
    """Documents by issuer, and by what they may call themselves; safe to share between threads.

    A document that is old is fetched again, and used on while that fails: endpoints hardly ever move, and a provider
    that is down for discovery may well sign people in. ``fetch``: address to parsed JSON.
    """

    def __init__(self, fetch: Callable[[str], Any] = fetch_json) -> None:
        self._fetch = fetch
        self._entries: dict[tuple[str, frozenset[str]], _Entry] = {}
        self._guard = threading.Lock()

    def document(self, issuer: str, *, accepted: frozenset[str], now: float) -> Mapping[str, Any]:
        """The document of ``issuer``, which names one of ``accepted``. Raises ``CognitoError`` if there is none to be
        had."""
        entry = self._entry((issuer, accepted))
        with entry.lock:
            if self._is_due(entry, now):
                self._load(entry, issuer, accepted, now)
            if entry.document is None:
                raise entry.failure or CognitoError(Cause.unavailable, _OPERATION)
            return entry.document

    def _entry(self, key: tuple[str, frozenset[str]]) -> _Entry:
        with self._guard:
            entry = self._entries.pop(key, None) or _Entry()
            self._entries[key] = entry
            if len(self._entries) > MAX_DOCUMENTS:
                del self._entries[next(iter(self._entries))]
            return entry

    @staticmethod
    def _is_due(entry: _Entry, now: float) -> bool:
        fresh = entry.document is not None and 0 <= now - entry.loaded_at < MAX_AGE
        return not fresh and not (entry.tried_at is not None and 0 <= now - entry.tried_at < RETRY_AFTER)

    def _load(self, entry: _Entry, issuer: str, accepted: frozenset[str], now: float) -> None:
        entry.tried_at = now
        try:
            document = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            _check(document, accepted)
        except CognitoError as error:
            entry.failure = error
        else:
            entry.document, entry.loaded_at, entry.failure = document, now, None


_shared: Final = DiscoveryCache()


def provider_of(connection: Connection, *, now: float, cache: DiscoveryCache | None = None) -> Provider:
    """The provider of a connection; what the connection says comes first.

    ``now``: seconds since 1970. Raises ``CognitoError`` for a retired connection, and where discovery is needed and
    fails.
    """
    if connection.retired:
        raise CognitoError(Cause.misconfigured, _OPERATION, "ConnectionRetired")
    known = _told(connection)
    if all(name in known for name in _NEEDED):
        return _read(known)
    found = (cache or _shared).document(connection.issuer, accepted=connection.accepted_issuers, now=now)
    return _read({**found, **known})


def _told(connection: Connection) -> dict[str, Any]:
    if not (connection.is_cognito and connection.domain):
        return dict(connection.endpoints)
    # The paths of every Cognito domain: "User pool endpoints and managed login reference".
    by_domain = {
        "authorization_endpoint": f"{connection.domain}/oauth2/authorize",
        "token_endpoint": f"{connection.domain}/oauth2/token",
        "userinfo_endpoint": f"{connection.domain}/oauth2/userInfo",
        "end_session_endpoint": f"{connection.domain}/logout",
        "jwks_uri": connection.jwks_uri,
    }
    return by_domain | dict(connection.endpoints)


def _read(document: Mapping[str, Any]) -> Provider:
    # Discovery 3: without the list, client_secret_basic is meant.
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Provider(
        **{name: str(document.get(name) or "") for name in ENDPOINTS},
        secret_in_body="client_secret_basic" not in methods and "client_secret_post" in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _check(document: Any, accepted: frozenset[str]) -> None:
    """Discovery 4.3: a document that names another issuer is somebody else's. A pool has several, and may name any."""
    named = document.get("issuer") if isinstance(document, dict) else None
    if not isinstance(named, str) or named not in accepted:
        raise CognitoError(Cause.misconfigured, _OPERATION, "WrongIssuer")
    if any(not _is_endpoint(document.get(name)) for name in _NEEDED) or any(
        name in document and not _is_endpoint(document[name]) for name in ENDPOINTS
    ):
        raise CognitoError(Cause.misconfigured, _OPERATION, "MalformedDocument")


def _is_endpoint(value: object) -> bool:
    try:
        url(value)
    except ValueError:
        return False
    return True

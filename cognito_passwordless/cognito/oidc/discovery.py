"""A provider's endpoints: from the connection, from the pool's domain, or from its discovery document.

Source: OpenID Connect Discovery 1.0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..connection import Connection
from ..connection_rules import ENDPOINTS, url
from ..errors import Cause, CognitoError
from .document_cache import DocumentCache
from .http import fetch_json

MAX_AGE: Final = 6 * 3600.0  # seconds after which a document is fetched again
RETRY_AFTER: Final = 10.0  # seconds between two failed fetches
MAX_DOCUMENTS: Final = 32
_OPERATION: Final = "discovery"
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Provider:
    """The endpoints of one provider. The optional ones may be empty."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    secret_in_body: bool = False
    names_itself: bool = False  # RFC 9207: an answer without ``iss`` is not this provider's


class DiscoveryCache(DocumentCache[Mapping[str, Any]]):
    """Documents by issuer, and by the issuers they may name; safe to share between threads.

    An old document is fetched again, and stays in use while that fails: endpoints hardly ever move, and a provider
    whose discovery is down may well sign people in. ``fetch``: address to parsed JSON.
    """

    def __init__(self, fetch: Callable[[str], Any] = fetch_json) -> None:
        super().__init__(
            interval=RETRY_AFTER, retry_after=RETRY_AFTER, max_age=MAX_AGE, max_entries=MAX_DOCUMENTS, use_stale=True
        )
        self._fetch = fetch

    def document(self, issuer: str, *, accepted: frozenset[str], now: float) -> Mapping[str, Any]:
        """Return the document of ``issuer``, which names one of ``accepted``. Raises ``CognitoError`` without one.

        Discovery 4.3: a document that names another issuer is not this issuer's. A pool has several issuers, and may
        name any of them.
        """

        def load() -> Mapping[str, Any]:
            document = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            named = document.get("issuer") if isinstance(document, dict) else None
            if not isinstance(named, str) or named not in accepted:
                raise CognitoError(Cause.misconfigured, _OPERATION, "WrongIssuer")
            try:
                for name in {*_NEEDED, *ENDPOINTS.intersection(document)}:
                    url(document.get(name))
            except ValueError:
                raise CognitoError(Cause.misconfigured, _OPERATION, "MalformedDocument") from None
            checked: Mapping[str, Any] = document
            return checked

        return self.get((issuer, accepted), load, now=now)


# The discovery documents of this process.
shared_documents: Final = DiscoveryCache()


def provider_of(connection: Connection, *, now: float, cache: DiscoveryCache = shared_documents) -> Provider:
    """Return the provider of a connection; what the connection configures takes precedence over discovery.

    ``now``: seconds since 1970. Raises ``CognitoError`` for a retired connection, and where discovery is needed and
    fails.
    """
    if connection.retired:
        raise CognitoError(Cause.misconfigured, _OPERATION, "ConnectionRetired")
    endpoints: dict[str, Any] = dict(connection.endpoints)
    if connection.is_cognito and connection.domain:
        # The paths of every Cognito domain: "User pool endpoints and managed login reference".
        endpoints = {
            "authorization_endpoint": f"{connection.domain}/oauth2/authorize",
            "token_endpoint": f"{connection.domain}/oauth2/token",
            "userinfo_endpoint": f"{connection.domain}/oauth2/userInfo",
            "end_session_endpoint": f"{connection.domain}/logout",
            "jwks_uri": connection.jwks_uri,
        } | endpoints
    if not all(name in endpoints for name in _NEEDED):
        document = cache.document(connection.issuer, accepted=connection.accepted_issuers, now=now)
        endpoints = {**document, **endpoints}
    # Discovery 3: without the list, client_secret_basic is meant.
    methods = endpoints.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Provider(
        **{name: str(endpoints.get(name) or "") for name in ENDPOINTS},
        secret_in_body="client_secret_basic" not in methods and "client_secret_post" in methods,
        names_itself=endpoints.get("authorization_response_iss_parameter_supported") is True,
    )

"""Check that a sign-in can reach the keys, endpoints and hosted login. Needs no AWS identity."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from ..connection import Connection
from ..errors import Cause, CognitoError
from ..oidc.discovery import DiscoveryCache, Provider, provider_of
from ..oidc.http import Sent, exchange
from ..oidc.jwks import read_keys


@dataclass(frozen=True)
class Published:
    """The number of usable keys, and the provider's time; None where the answer had no such header."""

    keys: int
    said_at: datetime | None


def published_keys(connection: Connection) -> Published:
    """The keys that sign ID tokens, fetched now. Raises ``CognitoError``."""
    got = exchange(connection.jwks_uri, Sent())
    if got.status >= 300:
        raise CognitoError(Cause.unavailable, "JWKS", f"HTTP{got.status}")
    try:
        said_at = parsedate_to_datetime(got.date)
    except ValueError:
        return Published(len(read_keys(got.document)), None)
    return Published(len(read_keys(got.document)), said_at if said_at.tzinfo else None)


def endpoints_now(connection: Connection, *, now: float) -> Provider:
    """As ``provider_of``; a discovery document is fetched now, where one is needed. Raises ``CognitoError``."""
    return provider_of(connection, now=now, cache=DiscoveryCache())


def hosted_login_status(connection: Connection, *, now: float) -> int:
    """The HTTP status of the authorize endpoint for a request that asks for nothing. Raises ``CognitoError``."""
    return exchange(endpoints_now(connection, now=now).authorization_endpoint, Sent()).status

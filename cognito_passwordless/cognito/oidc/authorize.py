"""Build the URLs of the hosted login: authorize, with state, nonce and PKCE, and sign-out.

Sources: OpenID Connect Core 3.1.2.1, RFC 7636, and "Authorize endpoint" of the Cognito developer guide.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from ..connection import Connection
from .discovery import Provider

# The languages of Cognito's managed login; for any other it chooses by itself.
_LANGUAGES: Final = frozenset({"de", "en", "es", "fr", "id", "it", "ja", "ko", "pt-BR", "zh-CN", "zh-TW"})


@dataclass(frozen=True)
class Secrets:
    """What ties an answer to its question. ``verifier``: 43 to 128 unreserved characters (RFC 7636 4.1)."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def challenge(self) -> str:
        """The S256 form of the verifier."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize_url(
    connection: Connection,
    provider: Provider,
    secrets: Secrets,
    *,
    redirect_uri: str,
    login_hint: str = "",
    language: str = "",
) -> str:
    """Return the URL to send the browser to.

    The connection's own parameters come first and the protocol's last, so that none of the former replaces one of the
    latter. Nothing is read from a visitor's query. The connection's ``login_hint`` or ``lang`` takes precedence over
    what the visitor typed; an empty one leaves the parameter out.
    """
    wanted = {"login_hint": login_hint}
    if connection.is_cognito:
        base, _, region = language.partition("-")
        tags = (f"{base.lower()}-{region.upper()}", base.lower())
        wanted["lang"] = next((tag for tag in tags if tag in _LANGUAGES), "")
    wanted |= connection.authorize_params
    wanted |= {
        "response_mode": "form_post" if connection.response_mode == "form_post" else "",
        "acr_values": connection.acr_values or "",
        "claims": json.dumps(dict(connection.claims)) if connection.claims else "",
    }
    protocol = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(connection.scope),
        "state": secrets.state,
        "nonce": secrets.nonce,
        "code_challenge": secrets.challenge,
        "code_challenge_method": "S256",
    }
    parameters = {name: value for name, value in wanted.items() if value} | protocol
    return _with_query(provider.authorization_endpoint, parameters)


def sign_out_url(connection: Connection, provider: Provider, return_to: str) -> str:
    """Return the URL where a browser ends its session at the provider and comes back; empty if the provider has none.

    ``return_to`` has to be registered there. Sources: "Logout endpoint" of the Cognito developer guide; OpenID Connect
    RP-Initiated Logout 1.0, where ``id_token_hint`` is optional: no token is kept to give (law 11).
    """
    if not provider.end_session_endpoint:
        return ""
    name = "logout_uri" if connection.is_cognito else "post_logout_redirect_uri"
    return _with_query(provider.end_session_endpoint, {"client_id": connection.client_id, name: return_to})


def _with_query(endpoint: str, parameters: dict[str, str]) -> str:
    scheme, host, path, query, _ = urlsplit(endpoint)
    return urlunsplit((scheme, host, path, "&".join(part for part in (query, urlencode(parameters)) if part), ""))

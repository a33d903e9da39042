"""SECRET_HASH: the proof that a request comes from whoever has the app client's secret."""

import base64
import hashlib
import hmac

from ..connection import Connection


def secret_hash(connection: Connection, username: str) -> str | None:
    """Compute SECRET_HASH for a request's USERNAME; None for a client without a secret.

    base64(HMAC-SHA256(client secret, username + client id)), by "Computing secret hash
    values" of the developer guide.
    """
    if connection.client_secret is None:
        return None
    message = (username + connection.client_id).encode()
    digest = hmac.new(connection.client_secret.encode(), message, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signed(connection: Connection, parameters: dict[str, str]) -> dict[str, str]:
    """The parameters of a request, with the hash for their USERNAME where the client has a secret."""
    value = secret_hash(connection, parameters["USERNAME"])
    return parameters if value is None else parameters | {"SECRET_HASH": value}

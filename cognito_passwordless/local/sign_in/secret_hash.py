"""SECRET_HASH: the proof that a caller holds the app client's secret.

https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from .. import errors


def secret_hash(secret: str, client_id: str, username: str) -> str:
    """Base64 of HMAC-SHA256 over the user name *of the same request* and the client id."""
    digest = hmac.new(secret.encode(), (username + client_id).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def check_secret_hash(received: str | None, *, secret: str | None, client_id: str, username: str) -> None:
    """Raises PoolError where the hash is missing, wrong, or sent for a client without a secret."""
    if secret is None and not received:
        return
    if secret is None:
        text = f"Client {client_id} is not configured for secret but secret hash was received"
    elif not received:
        text = f"Client {client_id} is configured with secret but SECRET_HASH was not received"  # seen
    elif hmac.compare_digest(received.encode(), secret_hash(secret, client_id, username).encode()):
        return
    else:
        text = f"Unable to verify secret hash for client {client_id}"  # seen
    raise errors.PoolError("NotAuthorizedException", text)

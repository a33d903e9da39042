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
    if secret is None:
        if received:
            raise errors.secret_hash_unexpected(client_id)
        return
    if not received:
        raise errors.secret_hash_missing(client_id)
    expected = secret_hash(secret, client_id, username)
    if not hmac.compare_digest(received.encode(), expected.encode()):
        raise errors.secret_hash_wrong(client_id)

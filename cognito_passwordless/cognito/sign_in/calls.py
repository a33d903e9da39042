"""Make the two sign-in calls and read their answers; nothing of an answer shows in ``repr``."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ..client import Purpose, Secrets, call
from ..connection import Connection
from ..errors import Cause, CognitoError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tokens:
    """The tokens of a finished sign-in. The refresh token is dropped unread (law 11)."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """Either a challenge (``name``, ``session``) or ``tokens``."""

    name: str = ""
    session: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    available: tuple[str, ...] = ()
    tokens: Tokens | None = None


def ask(connection: Connection, purpose: Purpose, operation: str, secrets: Secrets) -> Answer:
    """Make a call of the sign-in API, with what the site tells the pool's triggers. Raises ``CognitoError``."""
    own = _own_metadata(connection, operation)
    if own:
        metadata = {**own, **secrets.parameters.get("ClientMetadata", {})}
        secrets = Secrets({**secrets.parameters, "ClientMetadata": metadata})
    answer = _read(call(connection, purpose, operation, secrets))
    if answer is None:
        # A page of a proxy, or half an answer. Raised here, where no frame holds it.
        raise CognitoError(Cause.unavailable, operation, "MalformedResponse")
    return answer


def _own_metadata(connection: Connection, operation: str) -> dict[str, str]:
    if not connection.client_metadata:
        return {}
    module, _, name = connection.client_metadata.rpartition(".")
    try:
        own = getattr(import_module(module), name)(connection, operation)
        return {str(key): str(value) for key, value in dict(own).items()}
    except Exception:
        logger.exception("client_metadata of the connection %s has failed", connection.alias)
    raise CognitoError(Cause.misconfigured, operation, "ClientMetadata")


def _read(raw: Mapping[str, Any]) -> Answer | None:
    name, result = raw.get("ChallengeName"), raw.get("AuthenticationResult")
    if bool(name) is bool(result):
        return None
    if result:
        id_token, access_token = result.get("IdToken"), result.get("AccessToken")
        return Answer(tokens=Tokens(id_token, access_token)) if id_token and access_token else None
    session = raw.get("Session") or ""
    # The service model's bounds: botocore would not send a session of another length.
    if not 20 <= len(session) <= 4096:
        return None
    parameters, available = raw.get("ChallengeParameters") or {}, raw.get("AvailableChallenges") or ()
    return Answer(str(name), session, parameters, tuple(available))


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

"""Asks Django: a signed POST to one of the endpoints of `cognito_passwordless.lambda_endpoints`.

``DJANGO_URL`` is where the site has included them, ``DJANGO_HMAC_KEY`` (or ``…_ARN``) the key they share. The
signature covers the time, a nonce that is used once, the path and the body.
"""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from ..aws import http
from ..aws.secrets import secret
from ..core.deadline import Deadline
from ..core.environment import Settings
from ..core.events import attributes_of, client_of, pool_of, request_of, source_of, username_of
from ..errors import Misconfigured, Unavailable
from ..runtime import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Ask(Protocol):
        """Django's answer to a question about an event. Raises `Unavailable`."""

        def __call__(
            self, question: str, payload: "Mapping[str, Any]", *, settings: Settings, deadline: Deadline
        ) -> "dict[str, Any]": ...


VERSION = "v1"
CONTEXT = b"cognito_passwordless.lambda.request.v1"


def signature(key: bytes, *, moment: str, nonce: str, path: str, body: bytes) -> str:
    """The hexadecimal signature of one request. Each part has its length in front, so none can pass for another."""
    digest = hashlib.sha256(body).hexdigest().encode()
    parts = (moment.encode(), nonce.encode(), path.encode(), digest)
    message = CONTEXT + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, message, "sha256").hex()


def ask(question: str, payload: "Mapping[str, Any]", *, settings: Settings, deadline: Deadline) -> "dict[str, Any]":
    if not settings.django_url:
        raise Misconfigured("DJANGO_URL must be set")
    key = secret("DJANGO_HMAC_KEY", settings=settings, deadline=deadline).strip().encode()
    url = f"{settings.django_url}/{question}/"
    body = json.dumps(payload).encode()
    moment, nonce = str(int(time.time())), os.urandom(16).hex()
    mark = signature(key, moment=moment, nonce=nonce, path=urlsplit(url).path, body=body)
    headers = {
        "Content-Type": "application/json",
        "X-Passwordless-Time": moment,
        "X-Passwordless-Nonce": nonce,
        "X-Passwordless-Signature": f"{VERSION}={mark}",
    }
    answer = http.post(url, body, headers, deadline=deadline, what="django")
    if not answer.ok:
        raise Unavailable(f"django_http_{answer.status}")
    try:
        reply = json.loads(answer.body)
    except ValueError:
        reply = None
    if not isinstance(reply, dict):
        raise Unavailable("django_answer")
    return reply


def ask_or_go_on(
    question: str,
    payload: "Mapping[str, Any]",
    *,
    on_error: str,
    settings: Settings,
    deadline: Deadline,
    note: Note,
    stand_in: "Ask | None",
) -> "dict[str, Any] | None":
    """Django's answer, or None where it is missing and the variable ``on_error`` is ``open``.

    The default is ``closed``, which raises `Unavailable`: a refusal or a rule of the site must not be skipped.
    """
    try:
        return (stand_in or ask)(question, payload, settings=settings, deadline=deadline)
    except Unavailable as error:
        note.add(django=error.cause)
        if settings.choice(on_error, "closed", "open") == "open":
            return None
        raise


# What a client says, and what a token is asked for, by the names that Django gets.
SAID = {
    "client_metadata": "clientMetadata",
    "validation_data": "validationData",
    "scopes": "scopes",
    "groups": "groupConfiguration",
}
MOST, LONGEST = 20, 1024  # entries of a mapping, and characters of a value


def about(event: object) -> "dict[str, Any]":
    """The part of a question that describes its event. What the client says may be anything, and is cut to a size."""
    request = request_of(event)
    said = {ours: _bounded(request[theirs]) for ours, theirs in SAID.items() if request.get(theirs)}
    return {
        **said,
        "source": source_of(event),
        "pool": pool_of(event),
        "client": client_of(event),
        "username": username_of(event),
        "attributes": attributes_of(event),
    }


def _bounded(value: object) -> object:
    if isinstance(value, Mapping):
        rows = ((name, _bounded(item)) for name, item in value.items() if len(str(name)) <= LONGEST)
        return {name: item for name, item in list(rows)[:MOST] if item is not None}
    if isinstance(value, list):
        return [_bounded(item) for item in value[: 5 * MOST]]
    return value if len(str(value)) <= LONGEST else None

"""Call the user pools API: clients, time-outs, retries, silenced loggers.

Law of this file: a code, a session and a token leave this process only towards the pool. botocore writes whole
request and response bodies to its loggers at DEBUG, and its exceptions hold them in their frames; so the loggers are
silent during our calls, and our exceptions have no link to botocore's.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import boto3
import botocore.exceptions
from botocore import UNSIGNED
from botocore.config import Config
from botocore.parsers import ResponseParserError

from .connection import Connection
from .errors import Cause, CognitoError, translate

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient

Purpose = Literal["start", "answer", "directory", "inspect", "listing", "change"]

CONNECT_TIMEOUT: Final = 2.0  # seconds
READ_TIMEOUT: Final = 5.0  # seconds between two bytes of the answer
MAX_CLIENTS: Final = 24

_COMMON: Final = Config(
    connect_timeout=CONNECT_TIMEOUT,
    read_timeout=READ_TIMEOUT,
    max_pool_connections=50,
    retries={"mode": "standard", "total_max_attempts": 2},
)
_ONCE: Final = _COMMON.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
CONFIGS: Final[Mapping[Purpose, Config]] = {
    # InitiateAuth and RespondToAuthChallenge need no AWS identity, and must not use one: a site without credentials
    # signs people in too. Never retried here: a start whose answer was lost may have sent a code already, so the
    # caller counts it before trying again; an answer that timed out may have spent the attempt at the pool already.
    "start": _ONCE.merge(Config(signature_version=UNSIGNED)),
    "answer": _ONCE.merge(Config(signature_version=UNSIGNED)),
    "directory": _COMMON,
    # An operator waits for a diagnosis that makes many calls: one try each, and a short one.
    "inspect": _ONCE.merge(Config(read_timeout=4.0)),
    # The callers keep to a rate and retry by themselves; a call that botocore repeats would escape their count.
    "listing": _ONCE,
    "change": _ONCE,
}

# What botocore's parsers raise, beside its own classes, for JSON of an unexpected shape.
_PARSER_ACCIDENTS: Final = (ValueError, TypeError, AttributeError, LookupError, RecursionError)

Clients = dict[tuple[object, ...], "CognitoIdentityProviderClient"]
_clients: Clients = {}
_building = threading.Lock()


@dataclass(frozen=True)
class Secrets:
    """Parameters of one call, out of sight of ``repr`` and of reports that show frames."""

    parameters: Mapping[str, Any] = field(repr=False)


def idp_client(connection: Connection, purpose: Purpose = "start") -> "CognitoIdentityProviderClient":
    """Return the shared, thread-safe boto3 client for a region, an endpoint and a purpose.

    ``"start"`` and ``"answer"`` are unsigned; the others are signed with the process's own AWS identity. Time-outs:
    2 s to connect, 5 s to read (4 s for ``"inspect"``); at most two attempts for ``"directory"``, one for the others.
    """
    # The process id: a client made before a fork shares its sockets with every child.
    key = (connection.region, connection.endpoint_url, purpose, os.getpid())
    client = _clients.get(key)
    if client is not None:
        return client
    with _building:
        client = _clients.get(key)
        if client is None:
            # A session of our own: the default one belongs to the site and is not thread-safe.
            client = boto3.session.Session().client(
                "cognito-idp",
                region_name=connection.region,
                endpoint_url=connection.endpoint_url,
                config=CONFIGS[purpose],
            )
            if purpose == "listing":
                client.meta.events.register("before-parse.cognito-identity-provider.ListUsers", _keep_whole)
            _clients[key] = client
            if len(_clients) > MAX_CLIENTS:
                # The oldest; a thread that is using it keeps it alive until it is done.
                del _clients[next(iter(_clients))]
    return client


def replace_clients(clients: Clients) -> Clients:
    """Make the process use these clients, and return those it used until now. An empty dict builds them anew.

    A client keeps the AWS credentials that it found when it was built.
    """
    with _building:
        before = dict(_clients)
        _clients.clear()
        _clients.update(clients)
    return before


# Takes the body of an answer that is wanted as the pool wrote it.
_whole: ContextVar[list[bytes] | None] = ContextVar("cognito_passwordless_whole", default=None)


def _keep_whole(response_dict: dict[str, Any], **_: Any) -> None:
    wanted = _whole.get()
    if wanted is not None and response_dict["status_code"] == HTTPStatus.OK:
        wanted.append(response_dict["body"])
        response_dict["body"] = b"{}"


def call_unread(connection: Connection, operation: str, secrets: Secrets) -> dict[str, Any]:
    """``call`` for the purpose ``"listing"``, with the answer as the pool's JSON has it: times are numbers.

    botocore's parser takes four times as long as all the rest of a call. If it cannot be bypassed, the answer is as
    from ``call``.
    """
    bodies: list[bytes] = []
    token = _whole.set(bodies)
    try:
        answer = call(connection, "listing", operation, secrets)
    finally:
        _whole.reset(token)
    if not bodies:
        return answer
    try:
        read = json.loads(bodies[-1])
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise CognitoError(Cause.unavailable, operation, "MalformedResponse")
    return read


def call(connection: Connection, purpose: Purpose, operation: str, secrets: Secrets) -> dict[str, Any]:
    """Make one call and return the answer, or raise ``CognitoError``. ``operation`` is the API's name, like
    ``"InitiateAuth"``."""
    if connection.retired:
        raise CognitoError(Cause.misconfigured, operation, "ConnectionRetired")
    try:
        with silence():
            client = idp_client(connection, purpose)
            method = cast("Callable[..., Any]", getattr(client, botocore.xform_name(operation)))
            answer = method(**secrets.parameters)
    except (
        botocore.exceptions.ClientError,
        botocore.exceptions.BotoCoreError,
        ResponseParserError,
        *_PARSER_ACCIDENTS,
    ) as error:
        failure = translate(error, operation)
    else:
        return cast("dict[str, Any]", answer)
    # Outside the except block: no __context__, so no frame of botocore with the secrets.
    raise failure


_silent: ContextVar[bool] = ContextVar("cognito_passwordless_silent", default=False)
_LIBRARIES: Final = ("boto3", "botocore", "urllib3")


@contextmanager
def silence() -> Iterator[None]:
    """Hold back what the AWS libraries log below INFO, in this thread (or task) alone.

    A logger's filters do not see the records of its children, so every logger of those libraries gets the filter, and
    on every call: more of them appear as modules load.
    """
    for name, logger in logging.Logger.manager.loggerDict.copy().items():
        if name.partition(".")[0] in _LIBRARIES and isinstance(logger, logging.Logger):
            logger.addFilter(_is_harmless)
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def _is_harmless(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.INFO or not _silent.get()

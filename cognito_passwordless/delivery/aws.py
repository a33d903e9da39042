"""What the senders on AWS have in common: clients, what their errors mean, and the form of numbers and names."""

import os
import re
import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from .base import Failure, SendFailed

# One try: the task retries with a back-off of its own, and a repeat inside botocore could send a second copy.
CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})

_E164 = re.compile(r"\+[1-9]\d{5,14}")
# Up to eleven letters, digits and dashes, one letter at least:
# https://docs.aws.amazon.com/sns/latest/dg/channels-sms-awssupport-sender-id.html
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")

_THROTTLED = re.compile(r"thrott|toomanyrequests|requestlimit|slowdown|limitexceeded", re.IGNORECASE)
# Raised before anything went over the wire.
_NOT_REACHED = (ConnectTimeoutError, EndpointConnectionError)
_NOT_SET_UP = (NoCredentialsError, PartialCredentialsError, NoRegionError)

_clients: dict[tuple[object, ...], Any] = {}
_building = threading.Lock()


def client(service: str, region: str | None, endpoint_url: str | None) -> Any:
    """The shared client of a service in this process. One made before a fork would share its sockets with every
    child, so the process is part of the key."""
    key = (service, region, endpoint_url, os.getpid())
    if key not in _clients:
        with _building:
            if key not in _clients:
                # A session of our own: the default one belongs to the site and is not thread-safe.
                session = boto3.session.Session()
                _clients[key] = session.client(service, region_name=region, endpoint_url=endpoint_url, config=CONFIG)  # type: ignore[call-overload]
    return _clients[key]


def forget_clients() -> None:
    """The next message builds its client again, with the credentials of that moment."""
    _clients.clear()


def failed(error: ClientError | BotoCoreError, prefix: str) -> SendFailed:
    """What an error of AWS means, for every service. What is about the recipient, the sender has to see for itself."""
    if isinstance(error, ClientError):
        response: Mapping[str, Any] = error.response
        code = str(response.get("Error", {}).get("Code", "unknown"))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        later = status >= 500 or status == 429 or _THROTTLED.search(code)
        # 403: credentials, a signature, a policy, a suspended account.
        failure = Failure.LATER if later else Failure.REFUSED
        return SendFailed(f"{prefix}_{code}", failure, for_everybody=status == 403)
    name = type(error).__name__
    if isinstance(error, _NOT_SET_UP):
        return SendFailed(name, Failure.REFUSED, for_everybody=True)
    if isinstance(error, _NOT_REACHED):
        return SendFailed(name, Failure.LATER, for_everybody=True)
    # Read time-outs, connections that closed, answers that could not be read: the message may be out.
    return SendFailed(name, Failure.UNKNOWN if isinstance(error, HTTPClientError) else Failure.REFUSED)


def problems_of_origin(region: str | None, origin: Mapping[str, str | None]) -> list[str]:
    """What is wrong with a region, a ``sender_id`` or an ``origination_number``."""
    found = []
    if not (region or boto3.session.Session().region_name):
        found.append("no region: set 'region', or AWS_DEFAULT_REGION for boto3")
    sender_id, number = origin.get("sender_id"), origin.get("origination_number")
    if sender_id and not _SENDER_ID.fullmatch(sender_id):
        found.append("'sender_id' must be 1 to 11 letters, digits and dashes, with a letter among them")
    if number and not (_E164.fullmatch(number) or number.isdigit()):
        found.append("'origination_number' must be a number in E.164, such as +12065550100, or a short code")
    return found

"""Calling AWS with the function's own role: the two protocols that the triggers need."""

import json
import re
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from ..core.deadline import Deadline
from ..core.environment import Aws, Settings
from ..errors import Misconfigured, Unavailable
from . import http
from .http import Answer
from .signature import signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The path name of the endpoint, which is not always what the signature is made for.
ENDPOINTS = {"ses": "email"}
_ERROR_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>")


class ConditionFailed(Exception):
    """The condition of a conditional write was false. An expected answer, not a failure."""


class CallFailed(Unavailable):
    """AWS answered with an error; ``code`` is its name."""

    def __init__(self, service: str, code: str) -> None:
        super().__init__(f"{service}_{code}"[:60])
        self.code = code


def json_call(
    service: str, target: str, parameters: "Mapping[str, Any]", *, settings: Settings, deadline: Deadline
) -> "dict[str, Any]":
    """A call of the AWS JSON protocol. Raises `ConditionFailed`, `CallFailed` or `Unavailable`."""
    version = "1.0" if service == "dynamodb" else "1.1"
    headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
    body = json.dumps(parameters).encode()
    answer = _call(service, body, headers, settings=settings, aws=settings.aws, deadline=deadline)
    try:
        content = json.loads(answer.body or b"{}")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CallFailed(service, f"http_{answer.status}")
    if answer.ok:
        return content
    code = re.sub(r"[^A-Za-z0-9]", "", str(content.get("__type") or "").rpartition("#")[2])[:50]
    if code == "ConditionalCheckFailedException":
        raise ConditionFailed
    raise CallFailed(service, code or f"http_{answer.status}")


def query_call(
    service: str, parameters: Mapping[str, str], *, settings: Settings, deadline: Deadline, region: str = ""
) -> str:
    """A call of the AWS query protocol; the answer is XML. Raises `CallFailed` or `Unavailable`."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    body = urlencode(parameters).encode()
    answer = _call(service, body, headers, settings=settings, aws=settings.aws_in(region), deadline=deadline)
    text = answer.body.decode("utf-8", "replace")
    if answer.ok:
        return text
    error = _ERROR_CODE.search(text)
    raise CallFailed(service, error[1] if error else f"http_{answer.status}")


def _call(
    service: str, body: bytes, headers: Mapping[str, str], *, settings: Settings, aws: Aws, deadline: Deadline
) -> Answer:
    if not (aws.region and aws.access_key and aws.secret_key):
        raise Misconfigured("AWS_REGION and the role's credentials must be set")
    url = settings.text(f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}") or aws.endpoint_url
    url = url.rstrip("/") or f"https://{ENDPOINTS.get(service, service)}.{aws.region}.amazonaws.com"
    complete = signed(headers, body, host=urlsplit(url).netloc, service=service, aws=aws, now=time.time())
    return http.post(f"{url}/", body, complete, deadline=deadline, what=service)

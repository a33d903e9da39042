"""Believing a request: signed by a key that we share with the triggers, just now, and never seen before."""

import hmac
import json
import re
import time
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from ..cognito import is_storable
from ..conf import conf
from ..lambda_triggers.site.client import VERSION, signature

# Seconds that clocks may differ, and that a request may have been under way.
WINDOW = 60
LARGEST_BODY = 64 * 1024  # bytes
_NONCE = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MOMENT = re.compile(r"\d{1,12}", re.ASCII)


class Unsigned(Exception):
    """A request that is not believed; the reason is for the log, the answer is the same for all."""


def read_signed(request: HttpRequest) -> dict[str, Any]:
    """The payload of a believed request. Raises `Unsigned`.

    The signature is checked before the nonce is kept, so an attacker can neither use up nonces nor fill the cache.
    """
    moment = request.headers.get("X-Passwordless-Time", "")
    nonce = request.headers.get("X-Passwordless-Nonce", "")
    if not _MOMENT.fullmatch(moment) or not _NONCE.fullmatch(nonce):
        raise Unsigned("headers")
    if abs(time.time() - int(moment)) > WINDOW:
        raise Unsigned("time")
    length = request.headers.get("Content-Length", "")
    if not _MOMENT.fullmatch(length) or int(length) > LARGEST_BODY:
        raise Unsigned("length")
    body = request.body
    version, _, given = request.headers.get("X-Passwordless-Signature", "").partition("=")
    if version != VERSION or not _matches(given, moment=moment, nonce=nonce, path=request.path, body=body):
        raise Unsigned("signature")
    # `add` is atomic: of two copies one is believed. It has to be a cache that all processes share.
    if not cache.add(f"cognito_passwordless.nonce.{nonce}", 1, timeout=2 * WINDOW + 1):
        raise Unsigned("nonce")
    try:
        payload = json.loads(body)
        # The escapes of JSON can spell what is no text (`is_storable`), in names as in values.
        if not is_storable(json.dumps(payload, ensure_ascii=False).replace("\\u0000", "\0")):
            raise Unsigned("characters")
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise Unsigned("payload")
    return payload


def _matches(given: str, *, moment: str, nonce: str, path: str, body: bytes) -> bool:
    keys = conf.lambda_keys
    if not keys:
        raise ImproperlyConfigured("COGNITO_PASSWORDLESS['LAMBDA']['HMAC_KEYS'] holds no key")
    # All of them, whichever matches: the time tells nothing about how many there are.
    expected = [signature(key.encode(), moment=moment, nonce=nonce, path=path, body=body) for key in keys]
    return sum(hmac.compare_digest(given.encode(), one.encode()) for one in expected) > 0

"""The public keys of an issuer, fetched rarely and never at the caller's whim.

Law of this file: whoever sends tokens decides neither how often we fetch nor from where.
A key id that is not known costs at most one fetch per interval and address, whatever
number of tokens comes with whatever ids.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from ..errors import Cause, CognitoError
from .http import fetch_json

MAX_KEYS: Final = 64
MIN_BITS: Final = 2048  # RFC 7518 3.3

Fetch = Callable[[str], Any]


@dataclass
class _Entry:
    """What is known of one address; ``lock`` makes one thread fetch and the others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: Mapping[str, RSAPublicKey] = field(default_factory=dict)
    loaded_at: float | None = None
    tried_at: float | None = None
    failure: CognitoError | None = None


class JwksCache:
    """Keys by address and key id; safe to share between threads.

    ``interval``: seconds between two fetches of one address for the sake of an unknown
    key id. ``retry_after``: the same after a fetch that failed. ``max_age``: seconds after
    which keys are fetched again even if nobody asks for a new one, so that a withdrawn key
    is forgotten. ``max_uris``: addresses kept. ``fetch``: address to parsed JSON.
    """

    def __init__(
        self,
        *,
        interval: float = 60.0,
        retry_after: float = 5.0,
        max_age: float = 6 * 3600.0,
        max_uris: int = 32,
        fetch: Fetch = fetch_json,
    ) -> None:
        self._interval = interval
        self._retry_after = retry_after
        self._max_age = max_age
        self._max_uris = max_uris
        self._fetch = fetch
        self._entries: dict[str, _Entry] = {}
        self._guard = threading.Lock()

    def key(self, uri: str, kid: str, *, now: float) -> RSAPublicKey | None:
        """Give the key, or None if the issuer has none of this id.

        ``now``: seconds, of any clock, the same for all calls. Raises ``CognitoError``
        (``timeout``, ``unavailable``) if there are no keys to look in.
        """
        entry = self._entry(uri)
        # Read once: another thread may put a newer set in its place.
        keys, fresh = entry.keys, _within(entry.loaded_at, self._max_age, now)
        if fresh and kid in keys:
            return keys[kid]
        with entry.lock:
            if self._may_fetch(entry, kid, now):
                self._load(entry, uri, now)
            if not _within(entry.loaded_at, self._max_age, now):
                raise entry.failure or CognitoError(Cause.unavailable, "JWKS")
            return entry.keys.get(kid)

    def _entry(self, uri: str) -> _Entry:
        with self._guard:
            # Taken out and put in again: the first of the dict is the longest unused.
            entry = self._entries.pop(uri, None) or _Entry()
            self._entries[uri] = entry
            if len(self._entries) > self._max_uris:
                del self._entries[next(iter(self._entries))]
            return entry

    def _may_fetch(self, entry: _Entry, kid: str, now: float) -> bool:
        stale = not _within(entry.loaded_at, self._max_age, now)
        wait = self._retry_after if entry.failure and stale else self._interval
        return (stale or kid not in entry.keys) and not _within(entry.tried_at, wait, now)

    def _load(self, entry: _Entry, uri: str, now: float) -> None:
        entry.tried_at = now
        try:
            keys = read_keys(self._fetch(uri))
        except CognitoError as error:
            entry.failure = error
        else:
            entry.keys, entry.loaded_at, entry.failure = keys, now, None


def _within(since: float | None, seconds: float, now: float) -> bool:
    # A clock that was set back makes the difference negative: then it is not within.
    return since is not None and 0 <= now - since < seconds


def read_keys(document: Any) -> dict[str, RSAPublicKey]:
    """Take the RS256 keys out of a JWK set (RFC 7517), leaving out what is not one.

    A key id that occurs twice is ambiguous, so neither key counts. Raises
    ``CognitoError(Cause.unavailable)`` if it is not a JWK set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise CognitoError(Cause.unavailable, "JWKS", "MalformedResponse", "not a JWK set")
    found = [item for item in listed if isinstance(item, dict) and _is_for_rs256(item)]
    times = Counter(item["kid"] for item in found)
    parsed = {item["kid"]: _parse(item) for item in found if times[item["kid"]] == 1}
    return {kid: key for kid, key in parsed.items() if key is not None}


def _is_for_rs256(item: Mapping[str, Any]) -> bool:
    return (
        item.get("kty") == "RSA"
        and item.get("use", "sig") == "sig"
        and item.get("alg", "RS256") == "RS256"
        and isinstance(item.get("kid"), str)
    )


def _parse(item: Mapping[str, Any]) -> RSAPublicKey | None:
    try:
        key = RSAAlgorithm.from_jwk(json.dumps(item))
    except (InvalidKeyError, ValueError, TypeError, KeyError, AttributeError):
        return None
    # Not a private key: one that is published is nobody's key any more.
    return key if isinstance(key, RSAPublicKey) and key.key_size >= MIN_BITS else None

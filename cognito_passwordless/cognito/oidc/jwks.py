"""The public keys of an issuer, fetched rarely and never at the caller's whim.

Law of this file: whoever sends tokens decides neither how often we fetch nor from where.
A key id that is not known costs at most one fetch per interval and address, whatever
number of tokens comes with whatever ids.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from ..errors import Cause, CognitoError
from .document_cache import DocumentCache
from .http import fetch_json

MAX_KEYS: Final = 64
MIN_BITS: Final = 2048  # RFC 7518 3.3


class JwksCache(DocumentCache[dict[str, RSAPublicKey]]):
    """Keys by address and key id; safe to share between threads.

    ``interval``: seconds between two fetches of one address for the sake of an unknown key id. ``retry_after``: the
    same while there are no usable keys. ``max_age``: seconds after which keys are fetched again, so that a withdrawn
    key is forgotten. ``max_uris``: addresses kept. ``fetch``: address to parsed JSON.
    """

    def __init__(
        self,
        *,
        interval: float = 60.0,
        retry_after: float = 5.0,
        max_age: float = 6 * 3600.0,
        max_uris: int = 32,
        fetch: Callable[[str], Any] = fetch_json,
    ) -> None:
        super().__init__(interval=interval, retry_after=retry_after, max_age=max_age, max_entries=max_uris)
        self._fetch = fetch

    def key(self, uri: str, kid: str, *, now: float) -> RSAPublicKey | None:
        """Return the key, or None if the issuer has none of this id.

        ``now``: seconds, of any clock, the same for all calls. Raises ``CognitoError`` (``timeout``, ``unavailable``)
        if there are no keys to look in.
        """
        keys = self.get(uri, lambda: read_keys(self._fetch(uri)), now=now, suffices=lambda keys: kid in keys)
        return keys.get(kid)


# The keys of this process.
shared_keys: Final = JwksCache()


def read_keys(document: Any) -> dict[str, RSAPublicKey]:
    """Take the RS256 keys out of a JWK set (RFC 7517), leaving out every other entry.

    A key id that occurs twice is ambiguous, so neither key counts. Raises
    ``CognitoError(Cause.unavailable)`` if it is not a JWK set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise CognitoError(Cause.unavailable, "JWKS", "MalformedResponse", "not a JWK set")
    candidates = [
        item
        for item in listed
        if isinstance(item, dict)
        and item.get("kty") == "RSA"
        and item.get("use", "sig") == "sig"
        and item.get("alg", "RS256") == "RS256"
        and isinstance(item.get("kid"), str)
    ]
    times = Counter(item["kid"] for item in candidates)
    keys = {}
    for item in candidates:
        try:
            key = RSAAlgorithm.from_jwk(json.dumps(item))
        except (InvalidKeyError, ValueError, TypeError, KeyError, AttributeError):
            continue
        # A private key does not count: once it is published, anybody can sign with it.
        if times[item["kid"]] == 1 and isinstance(key, RSAPublicKey) and key.key_size >= MIN_BITS:
            keys[item["kid"]] = key
    return keys

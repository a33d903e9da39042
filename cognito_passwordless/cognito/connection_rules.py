"""What each setting of a connection may be: one row per key.

A rule takes what a site wrote and returns the value to keep, or raises ``ValueError`` with what is allowed. The error
never repeats the value: some values are secrets.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from .values import FrozenMapping

Rule = Callable[[Any], Any]

# Parameters of the authorize request that the sign-in itself sets (OpenID Connect Core 3.1.2.1, RFC 7636 4.3,
# RFC 9101 5): a site that overwrote one would disable its protection.
PROTOCOL_PARAMETERS: Final = frozenset(
    {
        "acr_values", "claims", "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce",
        "redirect_uri", "request", "request_uri", "response_mode", "response_type", "scope", "state",
    }
)  # fmt: skip
# Names of OpenID Connect Discovery 1.0 and RP-Initiated Logout 1.0.
ENDPOINTS: Final = frozenset(
    {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"}
)
_DOMAIN: Final = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def matching(pattern: str, allowed: str) -> Rule:
    def rule(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(allowed)
        return value

    return rule


def flag(value: Any) -> bool:
    # "false" from an environment variable is a true string: refused, not guessed.
    if not isinstance(value, bool):
        raise ValueError("True or False, not a string")  # noqa: TRY004 - all mistakes are one class
    return value


def session_minutes(value: Any) -> int:
    # The bounds of AuthSessionValidity in CreateUserPoolClient.
    if type(value) is not int or not 3 <= value <= 15:
        raise ValueError("a whole number of minutes from 3 to 15: the app client's AuthSessionValidity")
    return value


def choice(*allowed: str) -> Rule:
    def rule(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return str(value)

    return rule


def optional(rule: Rule) -> Rule:
    return lambda value: None if value in (None, "") else rule(value)


def _texts(value: Any, allowed: str) -> tuple[str, ...]:
    texts = tuple(value) if isinstance(value, list | tuple) else ("",)
    if not all(isinstance(item, str) and item for item in texts) or len(set(texts)) < len(texts):
        raise ValueError(allowed)
    return texts


def each(rule: Rule, allowed: str) -> Rule:
    """A list whose items all satisfy ``rule``."""

    def listed(value: Any) -> tuple[str, ...]:
        try:
            return tuple(map(rule, _texts(value, "")))
        except ValueError:
            raise ValueError(f"a list of {allowed}, none twice") from None

    return listed


def routes(value: Any) -> tuple[str, ...]:
    allowed = "a list of otp, oidc, local: at least one, none twice"
    chosen = _texts(value, allowed)
    if not chosen or not {"otp", "oidc", "local"}.issuperset(chosen):
        raise ValueError(allowed)
    return chosen


def after_migration(value: Any) -> tuple[str, ...]:
    allowed = "a list of mark, sign_out, disable, none twice"
    chosen = _texts(value, allowed)
    if not set(AFTER_MIGRATION).issuperset(chosen):
        raise ValueError(allowed)
    # In the order in which the calls are made.
    return tuple(word for word in AFTER_MIGRATION if word in chosen)


AFTER_MIGRATION: Final = ("mark", "sign_out", "disable")


def domains(value: Any) -> tuple[str, ...]:
    allowed = 'a list of e-mail domains like "example.com" (no @; IDNA form), none twice'
    chosen = tuple(item.lower() for item in _texts(value, allowed))
    if len(set(chosen)) < len(chosen) or not all(_DOMAIN.fullmatch(item) for item in chosen):
        raise ValueError(allowed)
    return chosen


def scope(value: Any) -> tuple[str, ...]:
    allowed = 'scopes with "openid" among them, none twice: a list, or one string with spaces between'
    chosen = _texts(value.split() if isinstance(value, str) else value, allowed)
    # RFC 6749 3.3: the characters that a scope token may have.
    if "openid" not in chosen or not all(re.fullmatch(r"[!#-\[\]-~]+", s) for s in chosen):
        raise ValueError(allowed)
    return chosen


def acr_values(value: Any) -> str:
    words = value.split() if isinstance(value, str) else _texts(value, _ACR)
    if not words or not all(re.fullmatch(r"[!-~]+", word) for word in words):
        raise ValueError(_ACR)
    return " ".join(words)


_ACR: Final = "a list of values, or one string with spaces between them"


def claims(value: Any) -> FrozenMapping[Any]:
    allowed = 'a mapping with the keys "userinfo" and "id_token" alone (OpenID Connect Core 5.5)'
    if not isinstance(value, Mapping) or not {"userinfo", "id_token"}.issuperset(value):
        raise ValueError(allowed)
    return FrozenMapping(deepcopy(dict(value)))


def authorize_params(value: Any) -> FrozenMapping[str]:
    allowed = f"a mapping of text to text, without {', '.join(sorted(PROTOCOL_PARAMETERS))}"
    if not isinstance(value, Mapping) or not PROTOCOL_PARAMETERS.isdisjoint(value):
        raise ValueError(allowed)
    if not all(isinstance(part, str) for item in value.items() for part in item):
        raise ValueError(allowed)
    return FrozenMapping(value)


def endpoints(value: Any) -> FrozenMapping[str]:
    allowed = f"a mapping of {', '.join(sorted(ENDPOINTS))} to URLs; a URL must be {_URL}"
    if not isinstance(value, Mapping) or not ENDPOINTS.issuperset(value):
        raise ValueError(allowed)
    try:
        return FrozenMapping({key: url(item) for key, item in value.items()})
    except ValueError:
        raise ValueError(allowed) from None


_URL: Final = "https://host/path (http:// only on this machine or a private network)"


def url(value: Any) -> str:
    if not isinstance(value, str) or re.search(r"[\s\x00-\x1f\\#]", value):
        raise ValueError(_URL)
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_URL) from None
    # Keys and codes over plain http can be swapped on the way, so it is for this machine and private networks:
    # "localhost", a service of a container network, a private address.
    try:
        nearby = ip_address(host).is_private
    except ValueError:
        nearby = not re.search(r"[.:]", host) or host.endswith((".localhost", ".internal"))
    secure = parts.scheme == "https" or (parts.scheme == "http" and nearby)
    if not host or not secure or "@" in parts.netloc:
        raise ValueError(_URL)
    return value


def origin(value: Any) -> str:
    text = url(value).rstrip("/")
    parts = urlsplit(text)
    if parts.path or parts.query:
        raise ValueError("https://host, without a path")
    return text


def base_url(value: Any) -> str:
    if urlsplit(url(value)).query:
        raise ValueError(f"{_URL}, without a query")
    return str(value)


_REGION: Final = "[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}"
REGION: Final = matching(_REGION, 'an AWS region like "eu-west-1"')

SETTINGS: Final[Mapping[str, Rule]] = {
    "enabled": flag,
    "region": REGION,
    "user_pool_id": matching(rf"(?=.{{1,55}}\Z){_REGION}_[0-9a-zA-Z]+", 'the pool\'s id, like "eu-west-1_AbCdEfGhI"'),
    "domain": optional(origin),
    "routes": routes,
    "domains": domains,
    "lookup": choice("try", "imported", "list_users"),
    "otp_flow": choice("USER_AUTH", "CUSTOM_AUTH"),
    # Whether the pool wants the password before its own challenge.
    "first_factor": choice("none", "password"),
    # How long the pool waits for an answer: its app client's AuthSessionValidity.
    "session_minutes": session_minutes,
    # The pool runs this package's triggers, so what they report about a challenge counts.
    "own_triggers": flag,
    "scope": scope,
    # What the site tells the pool's triggers with each call of a sign-in: `callable(connection, operation)`.
    "client_metadata": optional(matching(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", "a dotted path")),
    "response_mode": choice("query", "form_post"),
    "callback_url": optional(url),
    "acr_values": optional(acr_values),
    "claims": optional(claims),
    "authorize_params": authorize_params,
    "on_failure": choice("branch", "abort"),
    "trust_verified": flag,
    # Identity providers of the pool whose addresses count as verified: their names there.
    "trusted_providers": each(matching(r"[^\s,]{1,32}", ""), "names of identity providers of the pool"),
    # Other providers of allauth whose accounts carry the subs of this pool.
    "also_known_as": each(matching(r"[!-~]{1,200}", ""), "ids of allauth providers"),
    "retired": flag,
    # What to change in the pool about migrated users.
    "after_migration": after_migration,
    "migrated_attribute": matching(r"custom:[A-Za-z0-9_-]{1,20}", 'a custom attribute of the pool, "custom:…"'),
    # Signing out of the site also ends the browser's session at the hosted login.
    "global_sign_out": flag,
    "endpoint_url": optional(base_url),
    "issuer": optional(base_url),
    "issuers": each(base_url, f"URLs; each must be {_URL}, without a query"),
    # Where the pool has replicas.
    "regions": each(REGION, 'AWS regions like "eu-west-1"'),
    "endpoints": endpoints,
}

_IDENTITY: Final[Mapping[str, Rule]] = {
    # The alias is part of a URL and of SocialAccount.provider (200 characters).
    "alias": matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", "letters, digits, - _ . (at most 200)"),
    "name": matching(r"[^\x00-\x1f\x7f]{0,200}", "text of at most 200 characters"),
    "client_id": matching(r"[!-~]{1,200}", "the app client's id"),
    "client_secret": optional(matching(r"[!-~]{1,500}", "the app client's secret, or nothing")),
}

# Every field of a connection.
FIELDS: Final[Mapping[str, Rule]] = {**_IDENTITY, **SETTINGS}

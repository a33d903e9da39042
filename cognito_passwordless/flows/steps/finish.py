"""Second half of the steps API: expose the claims that the step's scope allows, and redeem a proof for one sign-in."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from ... import connections
from ...cognito import CognitoProfile, Connection
from ...cognito.values import FrozenMapping
from ...exceptions import MigrationRefused
from ...identifiers import parse
from ...models import ChallengeSession, MigratedUser, Route
from ..challenges import attempts
from ..sign_in import completion
from ..sign_in.verification import Proven, proven_locally

# How long after its beginning a step may still end in a sign-in.
MAX_AGE = timedelta(hours=1)
USED = "step_used"
# The claims about the token and the sign-in, which every scope tells. Not among them is what ties a token to its
# request (``nonce``, ``at_hash``).
_OF_THE_TOKEN: Final = frozenset(
    {"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "auth_time", "acr", "amr", "token_use", "jti", "origin_jti"}
)
_BINDINGS: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
# OpenID Connect Core 5.4. ``profile`` covers the claims of no other scope, a pool's own among them.
_OF_SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "email": frozenset({"email", "email_verified"}),
    "phone": frozenset({"phone_number", "phone_number_verified"}),
    "address": frozenset({"address"}),
}
# A JSON Web Token, which a pool's own trigger may have put into a claim.
_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


@dataclass(frozen=True, slots=True)
class StepIdentity:
    """What a step gives the site of a person."""

    method: MigratedUser.Method
    claims: FrozenMapping[Any]
    user_info: FrozenMapping[Any]
    profile: CognitoProfile


def restrict_scope(connection: Connection, scope: Collection[str] | None) -> Connection | None:
    """The connection with a smaller scope; None for one that the connection does not have. ``openid`` is always in."""
    if scope is None:
        return connection
    wanted = {"openid", *scope}
    if isinstance(scope, str) or not wanted <= set(connection.scope):
        return None
    return replace(connection, scope=tuple(name for name in connection.scope if name in wanted))


def save_scope(challenge: ChallengeSession, scope: Collection[str]) -> None:
    """One statement."""
    ChallengeSession.objects.filter(pk=challenge.pk).update(scope=" ".join(scope))


def identity_of(challenge: ChallengeSession, proven: Proven) -> StepIdentity:
    """The same person, as far as the step's scope goes, and no further than that in the claims either. One statement
    after a hosted login: from now on its challenge is a step's, which `sign_in` may take."""
    if challenge.purpose != attempts.STEP:
        ChallengeSession.objects.filter(pk=challenge.pk).update(purpose=attempts.STEP)
    whole = proven.connection.scope if challenge.purpose == attempts.ROUTED and proven.connection else ()
    scope = challenge.scope.split() or whole
    profile = proven.profile
    if challenge.route != Route.LOCAL:
        profile = CognitoProfile.from_claims(proven.claims, pool=profile.pool, scope=scope, proven=profile.proven)

    def is_allowed(claim: str) -> bool:
        if claim in _BINDINGS or claim in _OF_THE_TOKEN:
            return claim in _OF_THE_TOKEN
        own_scope = next((name for name, claims in _OF_SCOPES.items() if claim in claims), "profile")
        return own_scope in scope

    claims = {
        name: value
        for name, value in proven.claims.items()
        if is_allowed(name) and not _TOKEN.search(json.dumps(value))
    }
    # OpenID Connect Core 5.3.2, with Cognito's own names for user name and groups.
    user_info: dict[str, Any] = {"sub": profile.sub, **profile.attributes}
    if profile.username:
        user_info["username"] = profile.username
    if profile.groups:
        user_info["cognito:groups"] = list(profile.groups)
    if profile.email:
        user_info |= {"email": profile.email, "email_verified": profile.email_verified}
    if profile.phone_number:
        user_info |= {
            "phone_number": profile.phone_number,
            "phone_number_verified": profile.phone_number_verified,
        }
    return StepIdentity(proven.method, FrozenMapping(claims), FrozenMapping(user_info), profile)


def sign_in(
    request: HttpRequest,
    attempt: str,
    *,
    profile: CognitoProfile,
    claims: Mapping[str, Any],
    method: str,
    next_url: str,
    now: datetime,
) -> HttpResponse | None:
    """The end of a sign-in, once: None where this proof has been used, is too old or never was. Raises
    `MigrationRefused`."""
    proofs = ChallengeSession.objects.filter(
        pk=UUID(attempt),
        purpose=attempts.STEP,
        outcome=ChallengeSession.Outcome.VERIFIED,
        created_at__gt=now - MAX_AGE,
    )
    if not proofs.update(purpose=USED):
        return None
    challenge = ChallengeSession.objects.get(pk=UUID(attempt))
    challenge.next_url = next_url
    if challenge.route == Route.LOCAL:
        proven = proven_locally(parse(challenge.recipient))
    elif connection := connections.configured(challenge.connection):
        proven = Proven(profile, MigratedUser.Method(method), connection, claims)
    else:
        raise MigrationRefused("no_connection")
    return completion.complete(request, challenge, proven, now=now)

"""The verifiers, one per route: given a claimed attempt and what was typed, who has been proven?"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from ... import connections, keys
from ...cognito import CognitoError, CognitoProfile, Connection, verify_id_token
from ...identifiers import Identifier, parse
from ...identity import Channel, Proof
from ...models import ChallengeSession, MigratedUser, Route
from ...otp import Code, matches
from ..accounts import pool_records
from ..sending import pool_codes
from ..sending.routing import identifier_of, review_code
from .errors import NotProven

Method = MigratedUser.Method

# botocore's errors before a request is sent. No attacker can bring them about, as they can throttling; a pool that was
# reached may have compared, so all else spends the attempt (law 2).
_UNREACHED = frozenset({"ConnectTimeoutError", "EndpointConnectionError"})


@dataclass(frozen=True, slots=True)
class Proven:
    """A person who has proven themselves, and how."""

    profile: CognitoProfile
    method: MigratedUser.Method
    connection: Connection | None = None
    # What the pool's ID token said, for observers of allauth's signals and for `steps`; no token, and nothing is kept.
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    # Why the code proves no address, for the timeline; empty where it proves one.
    unproven: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For `from_dict`, of what may be kept until the browser goes on: encrypted, for a few minutes."""
        return {
            "profile": self.profile.to_dict(),
            "method": str(self.method),
            "claims": dict(self.claims),
            "of": self.connection.alias if self.connection else "",
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Proven | None":
        """None where the connection is no longer configured."""
        connection = connections.configured(kept["of"]) if kept["of"] else None
        if kept["of"] and connection is None:
            return None
        return cls(CognitoProfile(**kept["profile"]), Method(kept["method"]), connection, kept["claims"])


@sensitive_variables()
def verify(challenge: ChallengeSession, given: Code, now: datetime) -> Proven:
    """Compares, once. The attempt must have been claimed. Raises `NotProven`."""
    if challenge.route == Route.COGNITO_OTP:
        return _verify_pool_code(challenge, given, now)
    if challenge.route != Route.LOCAL:
        with suppress(NotProven):
            compare(challenge, given, now)  # a guess about an unknown person takes as long (law 4)
        raise NotProven(challenge.decoy_reason or "not_sent")
    compare(challenge, given, now)
    return proven_locally(parse(challenge.recipient))


@sensitive_variables()
def compare(challenge: ChallengeSession, given: Code, now: datetime) -> None:
    """With our own code. Raises `NotProven`."""
    # There is exactly one right code: a reviewer's fixed one takes the place of ours.
    expected = review_code(identifier_of(challenge), now) or keys.our_code(challenge)
    if expected is None:
        raise NotProven("key_retired")
    if not matches(expected, given):
        raise NotProven("wrong_code")


def proven_locally(address: Identifier) -> Proven:
    """The facts about a person who proved an address to us: their pool record where there is one, else the address."""
    proven = frozenset({address.value})
    rows = pool_records.carrying(address)
    for row in pool_records.proven(rows, address) if rows else ():
        connection = connections.configured(row.connection)
        if connection is not None and connection.pool == row.pool:
            return Proven(replace(pool_records.profile_of(row), proven=proven), Method.LOCAL_OTP, connection)
    return Proven(bare_profile(address), Method.LOCAL_OTP)


def bare_profile(address: Identifier) -> CognitoProfile:
    """A person of whom only the proven address is known."""
    return CognitoProfile(
        email=address.value if address.channel == Channel.EMAIL else "",
        phone_number=address.value if address.channel == Channel.SMS else "",
        proven=frozenset({address.value}),
    )


@sensitive_variables()
def _verify_pool_code(challenge: ChallengeSession, given: Code, now: datetime) -> Proven:
    # A cut-over ends the open challenges of its connection, so whether there was one need not be asked.
    connection = connections.configured(challenge.connection)
    if connection is None or not connection.active:
        raise NotProven("no_connection", "configuration")
    if not pool_codes.has_session(challenge):
        raise NotProven("no_pool_session")
    try:
        tokens = pool_codes.answer(connection, challenge, given.reveal())
        claims = verify_id_token(connection, tokens.id_token, now=now.timestamp())
    except pool_codes.NextRound:
        raise NotProven("wrong_code") from None
    except CognitoError as error:
        raise NotProven(str(error.cause), error.cause.category, unreached=error.aws_code in _UNREACHED) from None
    judged = pool_codes.judge_address(challenge, claims)
    if judged.proof is Proof.CHANGED:
        # An attacker, or an owner who changed it during the sign-in: the next code goes to the new address.
        raise NotProven(judged.proof)
    # The tokens must be those of the user that was asked for, by sub, username or alias; not by
    # ``preferred_username``, which users write themselves.
    asked = challenge.pool_username.casefold()
    names = (claims.get(name) for name in ("sub", "cognito:username", "email", "phone_number"))
    known = MigratedUser.objects.filter(pool=connection.pool, username=challenge.pool_username)
    is_another = asked not in {name.casefold() for name in names if isinstance(name, str)}
    if is_another or known.exclude(sub=claims["sub"]).exclude(status=MigratedUser.Status.GONE).exists():
        raise NotProven("another_person")
    proven = frozenset(filter(None, [judged.address]))
    profile = CognitoProfile.from_claims(judged.claims, pool=connection.pool, scope=connection.scope, proven=proven)
    return Proven(profile, Method.COGNITO_OTP, connection, judged.claims, judged.proof)

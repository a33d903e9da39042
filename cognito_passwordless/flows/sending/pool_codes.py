"""A pool's own code, whichever flow sends it: start it, answer it, and what of it is kept on the challenge's row."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from ... import connections, keys
from ...cognito import (
    CognitoError,
    Connection,
    CustomChallenge,
    OtpChallenge,
    Password,
    Tokens,
    answer_custom,
    answer_otp,
    is_true,
    resend_custom,
    start_custom,
    start_otp,
    start_with_password,
)
from ...exceptions import InvalidIdentifier
from ...identifiers import Identifier, parse
from ...identity import Channel, Proof, could_have_gone_to, proof_of_code
from ...models import ChallengeSession, MigratedUser, Route
from ..accounts import owners

CUSTOM = "CUSTOM_CHALLENGE"
# Nothing is out yet: the pool waits for the person's password.
WAITS_FOR_PASSWORD = "PASSWORD_VERIFIER"  # noqa: S105
# The claim that holds an address of this channel, and the pool's word for the channel.
_CLAIMS = {Channel.EMAIL: "email", Channel.SMS: "phone_number"}
_CHANNELS = {"EMAIL": Channel.EMAIL, "SMS": Channel.SMS}


class NextRound(Exception):
    """The code was wrong, and the pool goes on: the challenge's row has the new session."""


class PasswordNeeded(Exception):
    """Only the person's password gets this pool to send anything."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the row keeps of a code that the pool has sent; ``session`` is encrypted. ``recipient`` is the address
    that the code went to, as far as the pool tells: only that one can be proven by it (law 13)."""

    username: str
    challenge: str
    session: str = field(repr=False)
    recipient: str = field(default="", repr=False)


def start(
    connection: Connection, username: str, challenge: ChallengeSession, known: MigratedUser | None = None
) -> Kept:
    """Has the pool send its code, or send it again. ``known`` is the person's record, where there is one. Raises
    `CognitoError` and `PasswordNeeded`."""
    if connection.otp_flow != "CUSTOM_AUTH":
        sent = start_otp(connection, username, Channel(challenge.channel))
        return _kept(challenge, sent, known)
    before = _custom(challenge) if connection.own_triggers else None
    if before is not None:
        try:
            return _kept(challenge, resend_custom(connection, before), known)
        except CognitoError as error:
            if error.cause.scope == "pool":
                raise
            # Its session is over: only a new sign-in sends anything.
    if connection.needs_password:
        raise PasswordNeeded
    return _kept(challenge, start_custom(connection, username), known)


@sensitive_variables()
def prove_password(connection: Connection, challenge: ChallengeSession, password: Password, *, now: datetime) -> Kept:
    """Has a pool that wants the password first send its code. Raises `CognitoError`."""
    return _kept(challenge, start_with_password(connection, challenge.pool_username, password, now=now))


def can_send_again(connection: Connection, challenge: ChallengeSession) -> bool:
    """Whether our own triggers may be asked for another message within the same sign-in."""
    return connection.own_triggers and _custom(challenge) is not None


def keep(challenge: ChallengeSession, connection: Connection, kept: Kept) -> None:
    """Writes what the pool waits for now, unless the challenge has ended or gone on meanwhile."""
    before = challenge.pool_session
    fields = {
        "route": Route.COGNITO_OTP,
        "connection": connection.alias,
        "pool_username": kept.username,
        "pool_challenge": kept.challenge,
        "pool_session": kept.session,
        "recipient": kept.recipient,
        "account": challenge.account or owners.account_key("pool", connection.pool, kept.username.lower()),
    }
    for name, value in fields.items():
        setattr(challenge, name, value)
    rows = ChallengeSession.objects.filter(pk=challenge.pk, outcome=ChallengeSession.Outcome.OPEN)
    rows.filter(generation=challenge.generation, pool_session=before).update(**fields)
    if connections.is_retired(connection.alias):
        # A cut-over has ended the open challenges before this one was there to be seen.
        rows.update(outcome=ChallengeSession.Outcome.SUPERSEDED, pool_session="")


@sensitive_variables()
def answer(connection: Connection, challenge: ChallengeSession, code: str) -> Tokens:
    """Gives the person's code to the pool. Raises `CognitoError`, and `NextRound`."""
    custom = _custom(challenge)
    if custom is None:
        asked = OtpChallenge(
            session=_session(challenge),
            challenge="SMS_OTP" if challenge.pool_challenge == "SMS_OTP" else "EMAIL_OTP",
            username=challenge.pool_username,
            medium="",
            masked_destination="",
        )
        return answer_otp(connection, asked, code)
    following = answer_custom(connection, custom, code)
    if isinstance(following, Tokens):
        return following
    # Nothing was sent, so the address that the code went to stays.
    ChallengeSession.objects.filter(
        pk=challenge.pk, outcome=ChallengeSession.Outcome.OPEN, pool_session=challenge.pool_session
    ).update(pool_session=keys.encrypt(following.session), pool_challenge=following.challenge)
    raise NextRound


@dataclass(frozen=True, slots=True)
class Judged:
    """What a right code proves. ``address`` is written as in the token, and empty where none is proven. ``claims`` are
    the token's without an address that nobody vouches for: users write any address into their attributes, and it is of
    no use unless the pool has verified it or it is what this person typed."""

    proof: Proof
    address: str
    claims: dict[str, Any] = field(repr=False)


def judge_address(challenge: ChallengeSession, claims: dict[str, Any]) -> Judged:
    """Holds the token's address against the record of where the code went."""
    sent_to = _parse(challenge.recipient)
    claim = _CLAIMS[sent_to.channel if sent_to else Channel(challenge.channel)]
    written, verified = claims.get(claim) or "", is_true(claims.get(f"{claim}_verified"))
    claimed = str(_parse(written) or written)  # what is no address stays as it is, and equals none
    proof = proof_of_code(sent_to=str(sent_to or ""), claimed=claimed, verified=verified)
    if proof is Proof.PROVEN:
        return Judged(proof, written, claims)
    if not verified and claimed != challenge.identifier:
        claims = {name: value for name, value in claims.items() if name not in {claim, f"{claim}_verified"}}
    return Judged(proof, "", claims)


def has_session(challenge: ChallengeSession) -> bool:
    return bool(_session(challenge))


def _kept(
    challenge: ChallengeSession, sent: OtpChallenge | CustomChallenge, known: MigratedUser | None = None
) -> Kept:
    # The address that the pool's masked destination fits: what was typed, what the last code of this challenge went
    # to, or what the person's record says. Empty where it fits none, or the pool told none.
    channel = _CHANNELS.get(sent.medium)
    written = [challenge.identifier, challenge.recipient]
    written += [known.email, known.phone_number] if known else []
    fitting = (
        address.value
        for address in filter(None, map(_parse, written))
        if address.channel == channel and could_have_gone_to(address.value, sent.masked_destination)
    )
    return Kept(sent.username, sent.challenge, keys.encrypt(sent.session), next(fitting, ""))


def _parse(written: object) -> Identifier | None:
    try:
        return parse(written) if isinstance(written, str) else None
    except InvalidIdentifier:
        return None


def _session(challenge: ChallengeSession) -> str:
    return (keys.decrypt(challenge.pool_session) if challenge.pool_session else None) or ""


def _custom(challenge: ChallengeSession) -> CustomChallenge | None:
    name, _, medium = challenge.pool_challenge.partition("/")
    session = _session(challenge)
    return CustomChallenge(session, challenge.pool_username, medium) if name == CUSTOM and session else None

"""A pool's own code, whichever flow sends it: start it, answer it, and what of it is kept on the challenge's row."""

from dataclasses import dataclass
from datetime import datetime

from django.views.decorators.debug import sensitive_variables

from .. import connections, keys
from ..cognito import (
    CognitoError,
    Connection,
    CustomChallenge,
    OtpChallenge,
    Password,
    Tokens,
    answer_custom,
    answer_otp,
    resend_custom,
    start_custom,
    start_otp,
    start_with_password,
)
from ..models import ChallengeSession, Channel, Route

CUSTOM = "CUSTOM_CHALLENGE"
# Nothing is out yet: the pool waits for the person's password.
WAITS_FOR_PASSWORD = "PASSWORD_VERIFIER"  # noqa: S105
# Which claim names the address that a code went to. After a custom challenge of somebody else's triggers nothing is
# known to be proven: it may have been a riddle.
_CLAIMS = {
    "EMAIL_OTP": "email",
    "SMS_OTP": "phone_number",
    f"{CUSTOM}/EMAIL": "email",
    f"{CUSTOM}/SMS": "phone_number",
}


class NextRound(Exception):
    """The code was wrong, and the pool goes on: the challenge's row has the new session."""


class PasswordNeeded(Exception):
    """Only the person's password gets this pool to send anything."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the row keeps of a code that the pool has sent; ``session`` is encrypted."""

    username: str
    challenge: str
    session: str

    @classmethod
    def of(cls, sent: OtpChallenge | CustomChallenge) -> "Kept":
        name = sent.challenge if isinstance(sent, OtpChallenge) else _name(sent)
        return cls(sent.username, name, keys.encrypt(sent.session))


def start(connection: Connection, username: str, challenge: ChallengeSession) -> Kept:
    """Has the pool send its code, or send it again. Raises `CognitoError` and `PasswordNeeded`."""
    if connection.otp_flow != "CUSTOM_AUTH":
        return Kept.of(start_otp(connection, username, "sms" if challenge.channel == Channel.SMS else "email"))
    before = _custom(challenge) if connection.own_triggers else None
    if before is not None:
        try:
            return Kept.of(resend_custom(connection, before))
        except CognitoError as error:
            if error.cause.scope == "pool":
                raise
            # Its session is over: only a new sign-in sends anything.
    if connection.needs_password:
        raise PasswordNeeded
    return Kept.of(start_custom(connection, username))


@sensitive_variables()
def prove_password(connection: Connection, challenge: ChallengeSession, password: Password, *, now: datetime) -> Kept:
    """Has a pool that wants the password first send its code. Raises `CognitoError`."""
    return Kept.of(start_with_password(connection, challenge.pool_username, password, now=now))


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
        return answer_otp(connection, _otp(challenge), code)
    following = answer_custom(connection, custom, code)
    if isinstance(following, Tokens):
        return following
    kept = Kept.of(following)
    ChallengeSession.objects.filter(
        pk=challenge.pk, outcome=ChallengeSession.Outcome.OPEN, pool_session=challenge.pool_session
    ).update(pool_session=kept.session, pool_challenge=kept.challenge)
    raise NextRound


def claim_of_address(challenge: ChallengeSession) -> str:
    """The claim with the address that this code proves; empty where it proves none."""
    return _CLAIMS.get(challenge.pool_challenge, "")


def has_session(challenge: ChallengeSession) -> bool:
    return bool(_session(challenge))


def _name(sent: CustomChallenge) -> str:
    return f"{CUSTOM}/{sent.medium}" if sent.medium else CUSTOM


def _session(challenge: ChallengeSession) -> str:
    return (keys.decrypt(challenge.pool_session) if challenge.pool_session else None) or ""


def _custom(challenge: ChallengeSession) -> CustomChallenge | None:
    name, _, medium = challenge.pool_challenge.partition("/")
    session = _session(challenge)
    return CustomChallenge(session, challenge.pool_username, medium) if name == CUSTOM and session else None


def _otp(challenge: ChallengeSession) -> OtpChallenge:
    return OtpChallenge(
        session=_session(challenge),
        challenge="SMS_OTP" if challenge.pool_challenge == "SMS_OTP" else "EMAIL_OTP",
        username=challenge.pool_username,
        medium="",
        masked_destination="",
    )

"""Executes a routing decision for one message: our code, the pool's own, or nothing."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from django.views.decorators.debug import sensitive_variables

from ... import connections, keys
from ...cognito import Cause, CognitoError, Connection
from ...conf import conf
from ...delivery import Closed, SendFailed, Sent, code_message, deliver, link_message, unknown_address_message
from ...identity import Channel
from ...models import ChallengeSession, Route
from ..challenges import attempts, links
from ..events import journey
from ..events.journey import Outcome
from ..limits import budgets, guard
from ..limits.budgets import OverLimit
from . import pool_codes, routing
from .deliveries import Gate
from .routing import ByOurCode, ByPool, Decision, Decoy, identifier_of

logger = logging.getLogger(__name__)
PASSWORD_FIRST = "password_first"  # noqa: S105  (the reason of a message that waits for the person's password)
REVIEW = "review_code"  # the reason of a message that is not sent because its code is a fixed one
# botocore's errors after the request was sent: the pool may have acted on it.
_LOST = frozenset(
    {
        "ReadTimeoutError",
        "ConnectionClosedError",
        "HTTPClientError",
        "IncompleteReadError",
        "ResponseStreamingError",
        "ResponseParserError",
        "MalformedResponse",
    }
)


@dataclass(frozen=True, slots=True)
class SendResult:
    """``sent``, or nothing, with the ``reason``, which is in the log and the timeline alone; or a message without a
    code, with both."""

    sent: Sent | None = None
    reason: str = ""


def decide(challenge: ChallengeSession, gate: Gate, now: datetime) -> Decision:
    """The route of the first message holds for the whole challenge. Raises `OverLimit`."""
    if challenge.decoy_reason:
        if challenge.decoy_reason == links.SENT and not gate.paid:
            _spend_link(challenge, OverLimit("sends"), now)
        return Decoy(challenge.decoy_reason)
    by_link = False
    # A message that has been begun before is paid for: a provider that is down must not use up a person's budget.
    if not gate.paid:
        # A browser that has signed in as this person before has a budget of its own, which strangers cannot use up.
        known, identifier = challenge.known_browser, challenge.identifier
        try:
            budgets.spend("sends", f"{known} {identifier}" if known else identifier, now)
        except OverLimit as over:
            _spend_link(challenge, over, now)
            by_link = True
    decision = _route(challenge)
    if isinstance(decision, Decoy):
        return decision
    if not by_link and attempts.is_over_limit(challenge):
        # No code that is sent now would be compared.
        try:
            _spend_link(challenge, OverLimit("failures"), now)
        except OverLimit:
            return Decoy("over_limit")
        by_link = True
    return _with_link(challenge, decision, now) if by_link else decision


def _spend_link(challenge: ChallengeSession, over: OverLimit, now: datetime) -> None:
    """Once in an hour, a message with a link takes the place of one that strangers have used up the budget of. Raises
    ``over`` for all others: the site's own views make no browser known."""
    try:
        if challenge.purpose == attempts.STEP:
            raise over
        budgets.spend(budgets.LINKS, _link_key(challenge), now)
    except OverLimit:
        raise over from None


def _link_key(challenge: ChallengeSession) -> str:
    # By channel: one that reaches nobody must not cost the owner the link that another would bring.
    return f"{challenge.channel} {challenge.identifier}"


def _with_link(challenge: ChallengeSession, decision: ByOurCode | ByPool, now: datetime) -> Decision:
    if isinstance(decision, ByOurCode):
        challenge.recipient = decision.recipient
    elif challenge.channel != identifier_of(challenge).channel:
        return Decoy("no_such_channel")  # only the pool knows where its code goes
    elif not decision.expected and any(connection.lookup == "try" for connection, _ in decision.candidates):
        # That pool tells nobody who exists, so this may be an address of nobody here.
        budgets.spend("unknown_messages_per_day", "", now)
    return Decoy(links.SENT)


def _route(challenge: ChallengeSession) -> Decision:
    if challenge.purpose == attempts.STEP:
        return routing.at_the_named_pool(challenge)
    if challenge.route == Route.LOCAL:
        return ByOurCode(challenge.recipient)
    if challenge.route == Route.COGNITO_OTP:
        connection = connections.find(challenge.connection)
        if connection is None or not connection.active:
            return Decoy("no_connection")
        return ByPool(((connection, challenge.pool_username),), resumed=True)
    return routing.choose(challenge)


def execute(challenge: ChallengeSession, decision: Decision, gate: Gate, now: datetime) -> SendResult:
    match decision:
        case ByPool():
            return _by_pool(challenge, decision, gate, now)
        case ByOurCode():
            return _by_our_code(challenge, decision.recipient, gate, now)
        case Decoy(links.SENT):
            return _by_link(challenge, gate, now)
        case Decoy():
            return _decoy(challenge, decision.reason, gate, now)


def _decoy(challenge: ChallengeSession, reason: str, gate: Gate, now: datetime) -> SendResult:
    """Sends no code. An unknown e-mail address may be told so (`UNKNOWN_ADDRESS_MESSAGE`): it has not been proven,
    so seldom, and never many in a day."""
    _update(challenge, decoy_reason=reason)
    tells = reason == "unknown" and conf.unknown_address_message
    recipient = identifier_of(challenge)
    by_email = recipient.channel == challenge.channel == Channel.EMAIL
    if not tells or not by_email or recipient.is_user_name:
        return SendResult(reason=reason)
    if not gate.paid:
        try:
            budgets.spend("unknown_messages", recipient.value, now)
            budgets.spend("unknown_messages_per_day", "", now)
        except OverLimit as over:
            logger.info("%s is not told that it is unknown: %s", challenge.pk, over.cause)
            return SendResult(reason=reason)
        _spend_budgets(challenge, recipient.value, gate, now)
    message = unknown_address_message(
        recipient=recipient.value, language=challenge.language, reference=f"{challenge.pk}-{challenge.sends}"
    )
    return SendResult(deliver(message, gate), reason)


@sensitive_variables()
def _by_our_code(challenge: ChallengeSession, recipient: str, gate: Gate, now: datetime) -> SendResult:
    code = keys.our_code(challenge)
    if code is None:
        # The web process used a key that this worker does not have. It is so for everybody: see docs/celery.md.
        logger.error("This worker has no key %s: SECRET_KEY differs from the web's", challenge.key_fingerprint)
        raise SendFailed("key_unknown", for_everybody=True)
    if not _update(challenge, route=Route.LOCAL, recipient=recipient, account=challenge.account):
        return SendResult(reason="over")
    if routing.review_code(identifier_of(challenge), now) is not None:
        return SendResult(reason=REVIEW)
    try:
        _spend_budgets(challenge, recipient, gate, now)
    except OverLimit as over:
        # Strangers may reach it by another of this account's identifiers.
        if over.name not in {"sends_per_recipient", "sends_known_browsers"}:
            raise
        _spend_link(challenge, over, now)
        return _by_link(challenge, gate, now)
    message = code_message(
        channel=challenge.channel,
        recipient=recipient,
        code=code,
        seconds_left=(challenge.expires_at - now).total_seconds(),
        language=challenge.language,
        reference=f"{challenge.pk}-{challenge.sends}",
    )
    return SendResult(deliver(message, gate))


def _by_link(challenge: ChallengeSession, gate: Gate, now: datetime) -> SendResult:
    """A message without a code, whose link makes the browser that opens it known (`challenges.links`)."""
    url, typed = links.url_of(challenge), identifier_of(challenge)
    recipient = challenge.recipient or (typed.value if typed.channel == challenge.channel else "")
    if not url or not recipient:
        return _decoy(challenge, "over_limit", gate, now)
    if not _update(challenge, decoy_reason=links.SENT, recipient=challenge.recipient, account=challenge.account):
        budgets.give_back(budgets.LINKS, _link_key(challenge))
        return SendResult(reason="over")
    reference = f"{challenge.pk}-{challenge.sends}"
    try:
        _spend_budgets(challenge, recipient, gate, now, with_link=True)
        message = link_message(challenge.channel, recipient, url=url, language=challenge.language, reference=reference)
        return SendResult(deliver(message, gate), links.SENT)
    except (Closed, SendFailed, OverLimit):
        # A stranger who ends the sign-in at the right moment must not cost the owner the link of this hour.
        budgets.give_back(budgets.LINKS, _link_key(challenge))
        raise


def _by_pool(challenge: ChallengeSession, decision: ByPool, gate: Gate, now: datetime) -> SendResult:
    """Asks the pools in turn; only "I don't know this person" goes on to the next one."""
    for connection, username in decision.candidates:
        challenge.connection, began = connection.alias, time.monotonic()
        if connection.needs_password and not pool_codes.can_send_again(connection, challenge):
            return _wait_for_password(challenge, connection, username, session_is_over=False)
        if challenge.channel == Channel.SMS:  # for e-mail the pool has a quota of its own
            number = decision.known.phone_number if decision.known else ""
            _spend_budgets(challenge, identifier_of(challenge).number or number, gate, now)
        gate.wait_for_slot(f"cognito {connection.region}", conf.limit("cognito_starts"))
        gate.claim()
        try:
            kept = pool_codes.start(connection, username, challenge, decision.known)
        except pool_codes.PasswordNeeded:
            return _wait_for_password(challenge, connection, username, session_is_over=True)
        except CognitoError as error:
            if error.cause in {Cause.timeout, Cause.unavailable} and error.aws_code in _LOST:
                gate.lost()  # no answer came, and the pool may have sent its code
            if error.cause is Cause.unknown_user and not decision.expected:
                continue
            refused = routing.after_pool_refusal(challenge, connection, error, decision.known)
            if isinstance(refused, Decoy) and error.cause.scope == "pool":
                _update(challenge, connection=connection.alias)
                raise
            journey.record(
                challenge,
                "pool_started",
                Outcome.REFUSED,
                now=now,
                cause=error.cause,
                category=error.cause.category,
                duration=time.monotonic() - began,
                output={"aws_code": error.aws_code, "available": list(error.available)},
            )
            return execute(challenge, refused, gate, now)
        pool_codes.keep(challenge, connection, kept)
        return SendResult(Sent("cognito", ""))
    if decision.expected:
        return _decoy(challenge, "unknown_user", gate, now)
    return execute(challenge, routing.unknown(challenge), gate, now)


def _spend_budgets(
    challenge: ChallengeSession, recipient: str, gate: Gate, now: datetime, *, with_link: bool = False
) -> None:
    if not gate.paid:
        known, channel = challenge.known_browser, challenge.channel
        # A browser that has signed in as this person before is no attacker's phone that has never entered a code.
        if channel == Channel.SMS and recipient and not known:
            guard.admit(recipient, now, attempt=challenge.pk)
        budgets.spend_for_message(channel, recipient, now, known_browser=known, with_link=with_link)
        gate.paid = True


def _wait_for_password(
    challenge: ChallengeSession, connection: Connection, username: str, *, session_is_over: bool
) -> SendResult:
    """Nothing goes out before the person has typed the password that this pool wants first
    (`flows.sign_in.pool_password`). It looks as if something had, as for a decoy."""
    if session_is_over or not pool_codes.has_session(challenge):
        pool_codes.keep(challenge, connection, pool_codes.Kept(username, pool_codes.WAITS_FOR_PASSWORD, ""))
    return SendResult(reason=PASSWORD_FIRST)


def _update(challenge: ChallengeSession, **fields: str) -> bool:
    """Writes what the worker chose, unless the challenge has ended or rotated meanwhile."""
    for name, value in fields.items():
        setattr(challenge, name, value)
    return bool(
        ChallengeSession.objects.filter(
            pk=challenge.pk, outcome=ChallengeSession.Outcome.OPEN, generation=challenge.generation
        ).update(**fields)
    )

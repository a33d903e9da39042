"""One person's latest sign-ins, and why the last code did not arrive."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...causes import Words, explain
from ...models import ChallengeSession, Delivery, JourneyEvent, Route
from ..challenges.status import STALLED_AFTER
from .findings import Verdict, moment, ok, problem, warning

SHOWN = 5
Sending, Outcome, Status = ChallengeSession.Sending, ChallengeSession.Outcome, Delivery.Status


@dataclass(frozen=True, slots=True)
class SignIn:
    """One attempt, with its messages and its events, oldest first."""

    challenge: ChallengeSession
    messages: tuple[Delivery, ...]
    events: tuple[JourneyEvent, ...]


def latest_of(identifier: str) -> list[SignIn]:
    """The latest sign-ins that were begun with an address, newest first. Three statements."""
    challenges = list(ChallengeSession.objects.filter(identifier=identifier).order_by("-created_at")[:SHOWN])
    keys = [challenge.pk for challenge in challenges]
    messages = list(Delivery.objects.filter(challenge_id__in=keys).order_by("number"))
    events = list(JourneyEvent.objects.filter(attempt__in=keys).defer("data").order_by("at", "pk")[:200])
    return [
        SignIn(
            challenge,
            tuple(message for message in messages if message.challenge_id == challenge.pk),
            tuple(event for event in events if event.attempt == challenge.pk),
        )
        for challenge in challenges
    ]


def sign_in_findings(signs_in: list[SignIn], now: datetime) -> Iterator[tuple[str, Verdict]]:
    """One finding for each sign-in: its messages, the causes of its events, and what it comes to."""
    for number, sign_in in enumerate(signs_in, start=1):
        challenge = sign_in.challenge
        when, route = moment(challenge.created_at), challenge.route or "none"
        parts = [
            f"{when} on {challenge.channel}: {challenge.outcome}, route {route}",
            f"{challenge.attempts} attempts",
        ]
        for message in sign_in.messages:
            by = f" by {message.sender.rpartition('.')[2]}" if message.sender else ""
            reference = f" ({message.provider_message_id})" if message.provider_message_id else ""
            why = f", because {explain(message.cause).clause}" if message.cause else ""
            parts.append(f"message {message.number} {message.status}{by}{reference}{why}")
        events = [event for event in sign_in.events if event.cause and event.step != "sent"]
        parts += [f"{event.step} {event.outcome}: {explain(event.cause).clause}" for event in events]
        state, _, fix = _judge(sign_in, now)
        yield f"sign-in {number}", Verdict(state, "; ".join(parts), fix)


def conclusion(signs_in: list[SignIn], now: datetime) -> Verdict | None:
    """What the last sign-in says; None where there is none."""
    return _judge(signs_in[0], now) if signs_in else None


def _judge(sign_in: SignIn, now: datetime) -> Verdict:
    challenge = sign_in.challenge
    if challenge.outcome == Outcome.VERIFIED:
        return ok(f"The sign-in of {moment(challenge.created_at)} succeeded.")
    if challenge.route == Route.COGNITO_OIDC:
        return ok("No code came because they were sent to the hosted login, which has its own.")
    message = sign_in.messages[-1] if sign_in.messages else None
    if message is None or message.number < challenge.sends:
        if challenge.decoy_reason:
            return _no_code(explain(challenge.decoy_reason))
        if challenge.expires_at > now and now - challenge.last_sent_at < timedelta(seconds=STALLED_AFTER):
            return warning("No code came yet because it was asked for just now.", "Wait a minute.")
        return problem("No code came because no worker has taken the message.", "Check the workers: cognito_doctor.")
    match message.status:
        case Status.SENT:
            return _sent(challenge, message, now)
        case Status.SENDING | Status.WAITING if challenge.expires_at > now:
            why = explain(message.cause).clause if message.cause else "a worker has it in its hands"
            return warning(f"No code came yet because {why}; it is tried again.", "Wait a minute.")
        case _:
            return _no_code(explain(message.cause or challenge.decoy_reason))


def _sent(challenge: ChallengeSession, message: Delivery, now: datetime) -> Verdict:
    if message.cause:  # a message without a code
        return _no_code(explain(message.cause))
    when = moment(message.finished_at or message.started_at)
    late = f" It expired at {moment(challenge.expires_at)}." if challenge.expires_at <= now else ""
    if challenge.route == Route.COGNITO_OTP:
        return warning(
            f"The pool {challenge.connection!r} said at {when} that it sent its code; a pool that hides who exists "
            f"says so of people it does not know, too.{late}",
            "Look whether the pool knows them (--ask-pool), at their address there, and among their spam.",
        )
    reference = f", reference {message.provider_message_id}" if message.provider_message_id else ""
    by = message.sender.rpartition(".")[2]
    return warning(
        f"A code was handed to {by} at {when}{reference}, and it was taken.{late}",
        "Have them look among their spam and at the address; ask the provider about the reference.",
    )


def _no_code(words: Words) -> Verdict:
    return problem(f"No code came because {words.clause}.", words.remedy)

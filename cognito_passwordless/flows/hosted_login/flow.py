"""Sign-in by Cognito's hosted login: leave for it, keep what comes back, finish. No HTML and no cookies here."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit
from uuid import uuid4

from django.views.decorators.debug import sensitive_variables

from ...causes import LOGIN_ERRORS, explain
from ...cognito import (
    AuthorizationCode,
    CognitoError,
    CognitoProfile,
    Connection,
    authorize_url,
    provider_of,
    redeem,
    with_trusted,
)
from ...identifiers import Identifier
from ...models import ChallengeSession, MigratedUser, Route
from ..challenges import attempts, hosted
from ..challenges.hosted import Answer
from ..events import journey
from ..events.journey import Outcome
from ..limits import budgets
from ..sending import routing
from ..sign_in.context import Visitor, too_many
from ..sign_in.errors import SignInError
from ..sign_in.verification import Proven
from . import fallback


class Refused(SignInError):
    """This answer opens no session; ``cause`` is for the log and the timeline, never for the page. ``unavailable``
    where it is the provider's trouble, the same for everybody; ``has_fallback`` where a code may take its place."""

    def __init__(self, cause: str, *, unavailable: bool = False, has_fallback: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.unavailable = unavailable
        self.has_fallback = has_fallback


class Unavailable(SignInError):
    """No browser can be sent to this hosted login now; its argument is the cause. Nothing was started.
    ``has_fallback`` where a code may take its place."""

    def __init__(self, cause: str, *, has_fallback: bool = False) -> None:
        super().__init__(cause)
        self.has_fallback = has_fallback


@dataclass(frozen=True, slots=True)
class Departure:
    """``handle`` goes to the browser and ``url`` is where it goes; neither is written anywhere."""

    challenge: ChallengeSession
    handle: str = field(repr=False)
    url: str = field(repr=False)


def begin(
    connection: Connection,
    visitor: Visitor,
    *,
    redirect_uri: str,
    now: datetime,
    next_url: str = "",
    identifier: Identifier | None = None,
) -> Departure:
    """Starts one attempt, bound to this browser. Three statements, four with an older attempt of the browser.

    Raises `TooMany`, and `Unavailable` where the provider's endpoints cannot be found.
    """
    try:
        budgets.spend("starts_per_ip", budgets.network_of(visitor.ip), now)
    except budgets.OverLimit as over:
        raise too_many(over, now) from None
    handle = attempts.new_handle()
    challenge = hosted.open_challenge(
        connection, identifier, handle=handle, now=now, next_url=next_url, language=visitor.language
    )
    url = depart(connection, challenge, redirect_uri=redirect_uri, now=now)
    attempts.supersede(visitor.handle)
    return Departure(challenge, handle, url)


def depart(connection: Connection, challenge: ChallengeSession, *, redirect_uri: str, now: datetime) -> str:
    """Where the browser goes to sign in. Raises `Unavailable`."""
    secrets, began = hosted.secrets_of(challenge), time.monotonic()
    try:
        provider = provider_of(connection, now=now.timestamp())
    except CognitoError as error:
        _record(
            challenge,
            "left",
            str(error.cause),
            error.cause.category,
            now,
            detail=error.detail or error.aws_code,
            duration=time.monotonic() - began,
        )
        raise Unavailable(str(error.cause), has_fallback=fallback.from_departure(connection, error)) from None
    if secrets is None:
        raise Unavailable("key_retired")
    url = authorize_url(
        connection,
        provider,
        secrets,
        redirect_uri=redirect_uri,
        login_hint=challenge.identifier,
        language=challenge.language,
    )
    to = {"to": urlsplit(provider.authorization_endpoint).hostname or ""}
    journey.record(challenge, "left", Outcome.OK, now=now, duration=time.monotonic() - began, output=to)
    return url


def waiting(connection: Connection, visitor: Visitor, now: datetime) -> ChallengeSession | None:
    """The attempt that this browser's last form opened for this connection and that has not been answered yet."""
    challenge = attempts.find(visitor.handle)
    if challenge is None or (challenge.route, challenge.connection) != (Route.COGNITO_OIDC, connection.alias):
        return None
    is_open = challenge.outcome == ChallengeSession.Outcome.OPEN and challenge.expires_at > now
    return challenge if is_open else None


def typed_before(visitor: Visitor) -> tuple[Identifier | None, str]:
    """What this browser's present attempt began with: what was typed, and the page to go to afterwards."""
    challenge = attempts.find(visitor.handle)
    if challenge is None:
        return None, ""
    return routing.identifier_of(challenge) if challenge.identifier else None, challenge.next_url


@sensitive_variables()
def keep(connection: Connection, visitor: Visitor, answer: Answer, *, now: datetime) -> None:
    """Keeps an answer that came without the browser's cookie, for `finish`. A second answer changes nothing.

    Raises `Refused`.
    """
    challenge = _expected(connection, hosted.find_by_state(answer.state), visitor, now)
    if not hosted.save_answer(challenge, answer, now) and not hosted.saved_answer(challenge):
        cause = _why_not(challenge, now)
        if cause != "state_used":  # else it came twice, and whoever is signed in by it goes on
            _refuse_untaken(challenge, cause, visitor, now)


@sensitive_variables()
def finish(
    connection: Connection, visitor: Visitor, answer: Answer | None, *, redirect_uri: str, now: datetime
) -> tuple[ChallengeSession, Proven]:
    """Takes the answer (the one that was kept, where none is given), exchanges it, and verifies who came.

    Six statements and one HTTP call. Raises `Refused`, always with an event.
    """
    challenge = attempts.find(visitor.handle)
    if answer is None:
        answer = hosted.saved_answer(challenge) if challenge else None
        if answer is None:
            refuse_stranger(connection, "no_answer", visitor, now)
    if challenge is None or not hosted.has_state(challenge, answer.state):
        other = _expected(connection, hosted.find_by_state(answer.state), visitor, now)
        _refuse_untaken(other, "other_browser", visitor, now)
    _expected(connection, challenge, visitor, now)
    if not hosted.claim(challenge, now):
        _refuse_untaken(challenge, _why_not(challenge, now), visitor, now)
    proven = _prove(connection, challenge, answer, redirect_uri, now)
    budgets.give_back("starts_per_ip", budgets.network_of(visitor.ip))
    return challenge, proven


@sensitive_variables()
def _prove(
    connection: Connection, challenge: ChallengeSession, answer: Answer, redirect_uri: str, now: datetime
) -> Proven:
    started = time.monotonic()
    if answer.error:
        known = answer.error if answer.error in LOGIN_ERRORS else "login_error"
        _refuse(challenge, known, explain(known).category, now)
    try:
        claims = _claims(connection, challenge, answer, redirect_uri, now)
    except CognitoError as error:
        cause, took = str(error.cause), time.monotonic() - started
        detail = error.detail or error.aws_code
        _record(challenge, "answered", cause, error.cause.category, now, detail=detail, duration=took)
        unavailable, goes_on = error.cause.scope == "pool", fallback.from_exchange(connection, error)
        raise Refused(cause, unavailable=unavailable, has_fallback=goes_on) from None
    took = time.monotonic() - started
    # The person signed in there; no code of this sign-in went to any address (law 7).
    claims = dict(with_trusted(claims, connection.trusted_providers))
    profile = CognitoProfile.from_claims(claims, pool=connection.pool, scope=connection.scope)
    hosted.mark_verified(challenge)
    journey.record(challenge, "answered", Outcome.OK, now=now, duration=took, output=profile)
    return Proven(profile, MigratedUser.Method.COGNITO_OIDC, connection, claims)


@sensitive_variables()
def _claims(
    connection: Connection, challenge: ChallengeSession, answer: Answer, redirect_uri: str, now: datetime
) -> dict[str, Any]:
    secrets = hosted.secrets_of(challenge)
    if secrets is None:
        _refuse(challenge, "key_retired", "configuration", now)
    provider = provider_of(connection, now=now.timestamp())
    # RFC 9207: an answer of another provider's, mixed up on the way.
    if answer.issuer not in connection.accepted_issuers and (answer.issuer or provider.names_itself):
        _refuse(challenge, "wrong_issuer", "flow", now)
    if not answer.code:
        _refuse(challenge, "no_code", "flow", now)
    code = AuthorizationCode(answer.code, secrets.verifier, secrets.nonce, redirect_uri)
    return redeem(connection, provider, code, now=now.timestamp())


def _expected(
    connection: Connection, challenge: ChallengeSession | None, visitor: Visitor, now: datetime
) -> ChallengeSession:
    if challenge is None:
        refuse_stranger(connection, "state_unknown", visitor, now)
    if challenge.connection != connection.alias:
        _refuse_untaken(challenge, "other_connection", visitor, now)
    return challenge


def _why_not(challenge: ChallengeSession, now: datetime) -> str:
    if challenge.outcome == ChallengeSession.Outcome.SUPERSEDED:
        return "superseded"
    return "expired" if challenge.expires_at <= now else "state_used"


def refuse_stranger(connection: Connection, cause: str, visitor: Visitor, now: datetime) -> NoReturn:
    """Refuses an answer that belongs to no attempt; its event has an attempt of its own."""
    stray = ChallengeSession(id=uuid4(), route=Route.COGNITO_OIDC, connection=connection.alias)
    _refuse_untaken(stray, cause, visitor, now)


def note_signed_in(connection: Connection, visitor: Visitor, now: datetime) -> bool:
    """Ends this browser's attempt, as a person is signed in there already. False where there was none to end."""
    challenge = attempts.find(visitor.handle)
    if challenge is None or not attempts.supersede(visitor.handle):
        return False
    _record(challenge, "answered", "signed_in_already", "flow", now)
    return True


@sensitive_variables()
def next_page(answer: Answer | None) -> str:
    """The page that the sign-in of this answer asked for, whether or not it is over; empty where there is none."""
    challenge = hosted.find_by_state(answer.state) if answer else None
    return challenge.next_url if challenge else ""


def _refuse_untaken(challenge: ChallengeSession, cause: str, visitor: Visitor, now: datetime) -> NoReturn:
    """Refuses an answer that did not use an attempt up. The event costs the network one of its starts, or a client
    that sends such answers without end would write events without end."""
    with suppress(budgets.OverLimit):
        budgets.spend("starts_per_ip", budgets.network_of(visitor.ip), now)
        _record(challenge, "answered", cause, "flow", now)
    raise Refused(cause) from None


def _refuse(challenge: ChallengeSession, cause: str, category: str, now: datetime) -> NoReturn:
    _record(challenge, "answered", cause, category, now)
    raise Refused(cause, unavailable=category == "system") from None


def _record(
    challenge: ChallengeSession,
    step: str,
    cause: str,
    category: str,
    now: datetime,
    *,
    detail: str = "",
    duration: float | None = None,
) -> None:
    outcome = Outcome.REFUSED if category == "flow" else Outcome.FAILED
    data = {"detail": detail} if detail else None
    journey.record(challenge, step, outcome, now=now, cause=cause, category=category, duration=duration, data=data)

"""The steps of a sign-in at a pool, as functions for sites that write their own views: docs/steps.md.

Each returns an output or a `StepError`, and raises only for mistakes in the caller: `RuntimeError` inside a database
transaction, for an attempt that can be rolled back is none. The laws of the package's own pages hold here too.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_variables

from .. import compat, connections
from ..causes import explain
from ..cognito import Connection
from ..conf import conf
from ..exceptions import DispatchFailed, InvalidIdentifier, MigrationRefused
from ..flows.challenges import attempts, hosted
from ..flows.challenges.attempts import ROUTED, STEP
from ..flows.challenges.status import seconds_to_resend
from ..flows.hosted_login import flow
from ..flows.sign_in import login
from ..flows.sign_in.context import Visitor
from ..flows.sign_in.errors import NoChallenge, NotServed, TooMany, TooSoon, Wrong
from ..flows.steps import finish, request_code
from ..identifiers import Identifier, looks_like_number, typed
from ..identity import Channel
from ..models import ChallengeSession
from ..otp import read_code
from . import messages
from .outputs import Departure, Generated, Identity, StepError

# Waits for the time that is left of a floor; tests give one that does not.
Pause = Callable[[float], object]


def start(
    identifier: str,
    channel: str | None = None,
    *,
    redirect_uri: str = "",
    request: HttpRequest | None = None,
    handle: str = "",
    now: datetime | None = None,
) -> Generated | Departure | StepError:
    """Asks for a code as the package's pages do: the worker chooses the route, and nobody is looked up before.

    With ``redirect_uri``, an identifier whose domain has a hosted login first is led there (`authenticate_callback`
    then takes what comes back); without, it gets a code. The rest is as for `generate`.
    """
    now, who = now or timezone.now(), _identifier(identifier)
    if isinstance(who, StepError):
        return who
    if channel and channel not in set(Channel):
        return messages.error("unknown_channel")
    first = login.offers_for(who).hosted_first if redirect_uri else None
    if first:
        return authenticate_url(
            first.alias, redirect_uri=redirect_uri, identifier=identifier, request=request, handle=handle, now=now
        )
    before = attempts.find(handle, ROUTED)
    if before is not None and before.outcome == before.Outcome.OPEN and seconds_to_resend(before, now):
        return messages.too_soon(seconds_to_resend(before, now))
    try:
        visitor = replace(_visitor(request, handle), purpose=ROUTED)
        started = login.start(who, visitor, now=now, channel=channel, by_code=True)
    except TooMany as error:
        return messages.too_many(error.retry_after)
    except NotServed:
        return messages.error("not_served")
    except DispatchFailed:
        return messages.error("dispatch_failed", "system")
    return _generated(started.challenge, started.handle, now)


@sensitive_variables()
def answer(handle: str, code: str, *, now: datetime | None = None, pause: Pause = time.sleep) -> Identity | StepError:
    """Answers the code of `start`, whoever sent it: as `validate` does for a named pool's."""
    return _answer(Visitor(handle=handle, purpose=ROUTED), code, now or timezone.now(), pause)


def generate(
    connection: str,
    identifier: str,
    channel: str | None = None,
    scope: Collection[str] | None = None,
    *,
    request: HttpRequest | None = None,
    handle: str = "",
    now: datetime | None = None,
    pause: Pause = time.sleep,
) -> Generated | StepError:
    """Has the pool of ``connection`` send a one-time code to the person called ``identifier``.

    ``channel``: ``"email"`` or ``"sms"``, by default what the identifier is. ``scope``: what the profile shall tell,
    of the connection's own scopes; by default all of them. ``request`` says which network asks, whose budget this
    draws on: without one, all callers share one budget. ``handle``: of this browser's step before, if this is another
    try. It waits for the pool, and takes at least ``REFUSAL_FLOOR`` seconds for every person.
    """
    began, now = time.monotonic(), now or timezone.now()
    chosen = _connection(connection, "otp", scope)
    if isinstance(chosen, StepError):
        return chosen
    who = _identifier(identifier)
    if isinstance(who, StepError):
        return who
    channel = channel or who.channel
    if channel not in set(Channel):
        return messages.error("unknown_channel")
    visitor = _visitor(request, handle)
    try:
        asked = request_code.ask_pool(chosen, who, visitor, channel=channel, scope=chosen.scope, now=now)
    except TooMany as error:
        return messages.too_many(error.retry_after)
    except TooSoon as error:
        return messages.too_soon(error.seconds)
    except NotServed:
        return messages.error("not_served")
    attempt = str(asked.challenge.pk)
    if asked.cause and not asked.private:
        return messages.error(asked.cause, asked.category, attempt=attempt)
    output = _generated(asked.challenge, asked.handle, now)
    _wait(pause, began, asked.challenge)
    return messages.private(asked.cause, asked.category, output) if asked.cause else output


@sensitive_variables()
def validate(
    handle: str, code: str, *, now: datetime | None = None, pause: Pause = time.sleep
) -> Identity | StepError:
    """Spends one attempt of the step whose handle this browser holds, and gives the code to the pool.

    Wrong, expired, used up and unknown have one message, released no sooner than ``REFUSAL_FLOOR`` seconds; the
    error's ``code`` tells them apart, for the site alone.
    """
    return _answer(Visitor(handle=handle, purpose=STEP), code, now or timezone.now(), pause)


@sensitive_variables()
def _answer(visitor: Visitor, code: str, now: datetime, pause: Pause) -> Identity | StepError:
    began, given = time.monotonic(), read_code(code)
    if given is None:
        return messages.error("no_code")  # it can never be right: no attempt is spent
    try:
        challenge, proven = login.answer(visitor, given, now=now)
    except NoChallenge:
        return messages.error("no_step")
    except Wrong as wrong:
        _wait(pause, began, wrong.challenge)
        return messages.wrong(wrong.cause, wrong.category, attempt=str(wrong.challenge.pk))
    return _identity(challenge, finish.identity_of(challenge, proven))


def authenticate_url(
    connection: str,
    *,
    redirect_uri: str,
    scope: Collection[str] | None = None,
    identifier: str = "",
    request: HttpRequest | None = None,
    handle: str = "",
    now: datetime | None = None,
) -> Departure | StepError:
    """Begins a hosted login: the browser goes to ``url`` and comes back to ``redirect_uri``, a page of the site's that
    the app client allows. ``identifier`` is offered there as who is signing in."""
    now = now or timezone.now()
    chosen = _connection(connection, "oidc", scope)
    if isinstance(chosen, StepError):
        return chosen
    try:
        who: Identifier | None = typed(identifier) if identifier else None
        left = flow.begin(chosen, _visitor(request, handle), redirect_uri=redirect_uri, now=now, identifier=who)
    except InvalidIdentifier:
        return messages.error("invalid_identifier")
    except TooMany as error:
        return messages.too_many(error.retry_after)
    except flow.Unavailable as error:
        cause = str(error)
        return messages.hosted(cause, explain(cause).category, chosen.name or chosen.alias, unavailable=True)
    finish.save_scope(left.challenge, chosen.scope)
    return Departure(left.handle, left.url, str(left.challenge.pk), chosen.alias, left.challenge.expires_at)


@sensitive_variables()
def authenticate_callback(
    connection: str,
    handle: str,
    parameters: Mapping[str, Any],
    *,
    redirect_uri: str,
    request: HttpRequest | None = None,
    now: datetime | None = None,
) -> Identity | StepError:
    """Takes what came back, once: ``parameters`` is ``request.GET``, or ``request.POST`` where the connection's
    ``response_mode`` is ``form_post``. ``redirect_uri`` as before."""
    now = now or timezone.now()
    chosen = _connection(connection, "oidc", None)
    if isinstance(chosen, StepError):
        return chosen
    visitor = _visitor(request, handle)
    answer, problem = hosted.parse_answer(lambda name: _values(parameters, name))
    try:
        if answer is None:
            flow.refuse_stranger(chosen, problem, visitor, now)
        challenge, proven = flow.finish(chosen, visitor, answer, redirect_uri=redirect_uri, now=now)
    except flow.Refused as refused:
        category = explain(refused.cause).category
        return messages.hosted(refused.cause, category, chosen.name or chosen.alias, unavailable=refused.unavailable)
    return _identity(challenge, finish.identity_of(challenge, proven))


def sign_in(
    request: HttpRequest, identity: Identity, *, next_url: str = "", now: datetime | None = None
) -> HttpResponse | StepError:
    """Migrates the person and signs them in through allauth, as the package's own pages do: once for each identity,
    and within an hour. A person who is signed in already stays who they are. Returns the response to give, a redirect
    as a rule."""
    if request.user.is_authenticated:
        return messages.error("signed_in_already", attempt=identity.attempt)
    now = now or timezone.now()
    safe = next_url if next_url and compat.is_safe_url(request, next_url) else ""
    try:
        response = finish.sign_in(
            request,
            identity.attempt,
            profile=identity.profile,
            claims=identity.claims,
            method=identity.method,
            next_url=safe,
            now=now,
        )
    except MigrationRefused as refusal:
        return messages.refused(refusal.reason, explain(refusal.reason).category, attempt=identity.attempt)
    return messages.error("no_step", attempt=identity.attempt) if response is None else response


def _connection(alias: str, route: str, scope: Collection[str] | None) -> Connection | StepError:
    """The connection, with what is asked of it instead of its own scope."""
    found = connections.find(alias)
    if found is None or not found.active:
        return messages.error("no_connection", explain("no_connection").category)
    # The steps have no place to type a password, so no person would ever get a code by them.
    if route not in found.routes or (route == "otp" and found.needs_password):
        return messages.error("route_not_offered", explain("route_not_offered").category)
    restricted = finish.restrict_scope(found, scope)
    return restricted or messages.error("scope_not_allowed", explain("scope_not_allowed").category)


def _identifier(text: str) -> Identifier | StepError:
    try:
        return typed(text)
    except InvalidIdentifier:
        is_number = not conf.offers_sms and looks_like_number(text)
        return messages.error("not_served" if is_number else "invalid_identifier")


def _generated(challenge: ChallengeSession, handle: str, now: datetime) -> Generated:
    return Generated(
        handle=handle,
        attempt=str(challenge.pk),
        connection=challenge.connection,
        channel=challenge.channel,
        expires_at=challenge.expires_at,
        seconds_to_resend=seconds_to_resend(challenge, now),
    )


def _visitor(request: HttpRequest | None, handle: str) -> Visitor:
    ip = compat.client_ip(request) if request is not None else ""
    return Visitor(handle=handle, ip=ip, language=translation.get_language() or "")


def _values(parameters: Mapping[str, Any], name: str) -> Sequence[str]:
    getlist = getattr(parameters, "getlist", None)
    if getlist is not None:
        return list(getlist(name))
    value = parameters.get(name)
    return [] if value is None else [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def _identity(challenge: ChallengeSession, of: finish.StepIdentity) -> Identity:
    return Identity(
        attempt=str(challenge.pk),
        connection=challenge.connection,
        method=str(of.method),
        claims=of.claims,
        user_info=of.user_info,
        profile=of.profile,
    )


def _wait(pause: Pause, began: float, challenge: ChallengeSession) -> None:
    """Asking a pool and asking none take the same time (law 4)."""
    pause(max(0.0, began + challenge.refusal_floor - time.monotonic()))

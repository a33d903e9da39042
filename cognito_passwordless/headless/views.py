"""A sign-in by code for apps: thin. Flows and laws are those of the pages; only the envelopes differ."""

import time
from dataclasses import asdict
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

from .. import texts
from ..compat import headless as compat
from ..exceptions import DispatchFailed, MigrationRefused
from ..flows.challenges import attempts
from ..flows.challenges.status import status as status_of
from ..flows.sending.routing import identifier_of
from ..flows.sign_in import completion, step_up
from ..flows.sign_in import login as flow
from ..flows.sign_in.errors import NoChallenge, NotServed, TooMany, TooSoon, Wrong
from ..models import ChallengeSession, Route
from ..web import cookies
from ..web.decorators import CaptchaNotPassed, require_captcha
from ..web.forms import ChannelForm, CodeForm, IdentifierForm
from ..web.views import explain, retry_after
from . import binding

SPECIFICATION = Path(__file__).with_name("openapi.json")
# Why no message goes out, as clients have it; the same for every person.
CODES: dict[type[Exception], str] = {
    TooSoon: "too_soon",
    TooMany: "too_many",
    NotServed: "not_served",
    DispatchFailed: "cannot_send",
    CaptchaNotPassed: "captcha",
}
NOT_SENT = tuple(CODES)


class View(compat.CodeView):
    """What all have in common. ``handle`` is what the client holds of a challenge, empty for nothing."""

    def waiting(self, handle: str) -> ChallengeSession | None:
        """The challenge that this client holds and that no code has opened yet."""
        challenge = attempts.find(handle, self.client)
        is_open = challenge is not None and challenge.outcome == ChallengeSession.Outcome.OPEN
        return challenge if is_open else None

    def conflict(self) -> HttpResponse:
        return compat.answer(self.request, status=409)

    def pending(self, started: flow.Started) -> HttpResponse:
        """A challenge has begun: 401, as allauth's specification has it."""
        to_hosted_login = started.challenge.connection if started.challenge.route == Route.COGNITO_OIDC else ""
        token = binding.token_of(self.client, started.handle)
        response = compat.PendingResponse(self.request, provider=to_hosted_login, token=token)
        return binding.hand_over(response, self.client, started.handle)

    def invalid(self, form: Form, param: str) -> HttpResponse:
        first = next(iter(form.errors.as_data().values()))[0]
        return compat.error(self.request, str(first.code), " ".join(first.messages), param=param)

    def not_sent(self, error: Exception, param: str = "") -> HttpResponse:
        message, status, seconds = explain(error)
        if isinstance(error, NotServed):
            status = 400
        response = compat.error(self.request, CODES[type(error)], message, param=param, status=status)
        return retry_after(response, seconds)


class RequestCode(View):
    """POST ``email`` or ``phone`` (and ``channel``, ``by``): starts a challenge."""

    def post(self, request: HttpRequest, handle: str) -> HttpResponse:
        if request.user.is_authenticated:
            return self.conflict()
        param = "phone" if self.data.get("phone") and not self.data.get("email") else "email"
        form, channel = IdentifierForm({"identifier": self.data.get(param)}), ChannelForm(self.data)
        if not form.is_valid():
            return self.invalid(form, param)
        if not channel.is_valid():
            return self.invalid(channel, "channel")
        identifier = form.cleaned_data["identifier"]
        if (identifier.channel == "email") != (param == "email"):
            return compat.error(request, "invalid", texts.no_identifier(), param=param)
        try:
            require_captcha(request, "start")
            started = flow.start(
                identifier,
                binding.visitor(request, self.client, handle, identifier.value),
                now=timezone.now(),
                channel=channel.cleaned_data["channel"] or None,
                by_code=self.data.get("by") == "code",
            )
        except NOT_SENT as error:
            return self.not_sent(error, param if isinstance(error, NotServed) else "")
        return self.pending(started)


class ConfirmCode(View):
    """POST ``code``: answers it."""

    @method_decorator(sensitive_variables())
    def post(self, request: HttpRequest, handle: str) -> HttpResponse:
        began, now, form = time.monotonic(), timezone.now(), CodeForm(self.data)
        visitor = binding.visitor(request, self.client, handle)
        if not form.is_valid():  # it can never be right: no attempt is spent
            return self.invalid(form, "code") if self.waiting(handle) else self.conflict()
        try:
            challenge, proven = flow.answer(visitor, form.cleaned_data["code"], now=now)
        except NoChallenge:
            return self.conflict()
        except Wrong as wrong:
            # Not before the floor, so that asking a pool and asking none take the same time (law 4).
            time.sleep(max(0.0, began + wrong.floor - time.monotonic()))
            return compat.error(request, "incorrect_code", texts.wrong_code(), param="code")
        try:
            # An app is offered no other account to join: pages ask for that.
            response = completion.complete(request, challenge, proven, now=now, alone=True)
            waiting = step_up.find(request, now)
            if waiting is not None and not request.user.is_authenticated:
                response = completion.with_second_factor(request, waiting) or self.conflict()
        except MigrationRefused:
            response = compat.error(request, "refused", texts.refused())
        else:
            response = compat.after_login(request, response)
        if self.client == attempts.BROWSER:
            cookies.delete_handle(response, cookies.API_COOKIE)
            if request.user.is_authenticated:
                cookies.remember(request, response, identifier_of(challenge).whose)
        return response


class ResendCode(View):
    """POST: one more message (by another ``channel``, if asked for). Where only a fresh challenge helps, it starts
    one, and an app has a new session token."""

    def post(self, request: HttpRequest, handle: str) -> HttpResponse:
        now, visitor, channel = timezone.now(), binding.visitor(request, self.client, handle), ChannelForm(self.data)
        if not channel.is_valid():
            return self.invalid(channel, "channel")
        chosen = channel.cleaned_data["channel"]
        try:
            require_captcha(request, "retry" if chosen else "resend")
            resent = flow.Resent(False, over=True) if chosen else flow.resend(visitor, now=now)
            if resent.over:
                started = flow.retry(visitor, now=now, channel=chosen or None)
                token = binding.token_of(self.client, started.handle)
                return binding.hand_over(compat.answer(request, token=token), self.client, started.handle)
            if not resent.sent:
                raise TooSoon(resent.seconds)
        except NoChallenge:
            return self.conflict()
        except NOT_SENT as error:
            return self.not_sent(error)
        return compat.answer(request)


class Status(View):
    """GET: what a waiting person may know, the same for everybody."""

    def get(self, request: HttpRequest, handle: str) -> HttpResponse:
        challenge = attempts.find(handle, self.client)
        if challenge is None:
            return self.conflict()
        return compat.answer(request, data=asdict(status_of(challenge, now=timezone.now())))


class Session(View):
    """allauth's, which also knows the code that is waited for: a client that was closed meanwhile goes on there."""

    def get(self, request: HttpRequest, handle: str) -> HttpResponse:
        challenge = None if request.user.is_authenticated else self.waiting(handle)
        if challenge is None:
            return compat.allauths("session", request, self.client)
        hosted = challenge.connection if challenge.route == Route.COGNITO_OIDC else ""
        return compat.PendingResponse(request, provider=hosted)

    def delete(self, request: HttpRequest, handle: str) -> HttpResponse:
        attempts.supersede(handle)
        return compat.allauths("session", request, self.client)


class Config(View):
    """allauth's, for an app whose session token is a challenge's."""

    def get(self, request: HttpRequest, handle: str) -> HttpResponse:
        return compat.allauths("config", request, self.client)


@login_not_required
@require_GET
def openapi(request: HttpRequest) -> HttpResponse:
    """The specification of these addresses, as OpenAPI 3.1."""
    return HttpResponse(SPECIFICATION.read_bytes(), content_type="application/json")

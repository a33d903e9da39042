"""The pages: thin. They read a request, call a flow, and turn its answer into a response that betrays no person."""

from dataclasses import asdict
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from .. import texts
from ..conf import conf
from ..exceptions import DispatchFailed, MigrationRefused
from ..flows.challenges import attempts
from ..flows.challenges.status import answer_of
from ..flows.challenges.status import status as status_of
from ..flows.hosted_login import fallback
from ..flows.sending.routing import identifier_of
from ..flows.sign_in import completion, pool_password
from ..flows.sign_in import login as flow
from ..flows.sign_in.errors import NoChallenge, NotServed, TooMany, TooSoon, Wrong
from ..flows.sign_in.verification import Proven
from ..models import ChallengeSession, Route
from . import context as pages
from . import cookies
from .decorators import (
    CaptchaNotPassed,
    entrance,
    next_page,
    passes_captcha,
    require_captcha,
    safe_next,
    visitor_of,
    with_next,
)
from .entrances import is_for_staff
from .forms import ChannelForm, CodeForm, IdentifierForm, PasswordForm
from .hosted_views import to_hosted_login
from .signed_in import go_on

LOGIN = "cognito_passwordless:login"
OTP = "cognito_passwordless:otp"
CHECKING = "cognito_passwordless:checking"


# Why a message that was asked for does not go out; the code page says so.
_NOT_SENT = (TooSoon, TooMany, NotServed, DispatchFailed, CaptchaNotPassed)


@entrance
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Asks who is signing in, and starts a challenge."""
    next_url = safe_next(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return go_on(request, next_url)
        if is_for_staff(next_url):
            return HttpResponseRedirect(with_next(reverse("account_login"), next_url))
        return _login_page(request, IdentifierForm(), next_url)
    form, channel = IdentifierForm(request.POST), ChannelForm(request.POST)
    if not form.is_valid() or not channel.is_valid():
        return _login_page(request, form, next_url)
    if not passes_captcha(request, "start"):
        form.add_error(None, texts.not_a_robot())
        return _login_page(request, form, next_url)
    identifier = form.cleaned_data["identifier"]
    visitor = visitor_of(request, identifier.whose)
    try:
        started = flow.start(
            identifier,
            visitor,
            now=timezone.now(),
            channel=channel.cleaned_data["channel"] or None,
            next_url=next_url,
            by_code=request.POST.get("by") == "code",
            instead_of=_instead_of(request),
        )
    except (TooMany, NotServed, DispatchFailed) as error:
        notice, status_code, seconds = explain(error)
        form.add_error("identifier" if isinstance(error, NotServed) else None, notice)
        return retry_after(_login_page(request, form, next_url, status=status_code), seconds)
    if started.challenge.route == Route.COGNITO_OIDC:
        response = to_hosted_login(request, started.challenge.connection)
        cookies.set_handle(response, started.handle)
        return response
    return to_code_page(started)


@entrance
@sensitive_post_parameters("code")
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def otp(request: HttpRequest) -> HttpResponse:
    """Asks for the code, and signs in."""
    if request.method != "POST":
        challenge = attempts.find(cookies.handle(request))
        if challenge is None or challenge.outcome == ChallengeSession.Outcome.VERIFIED:
            return start_again(request)
        if challenge.route == Route.COGNITO_OIDC:
            return start_again(request)
        notice = pages.password_taken() if challenge.password_offered and "password" in request.GET else ""
        return _code_page(request, challenge, CodeForm(), notice=notice)
    form = CodeForm(request.POST)
    if not form.is_valid():
        challenge = attempts.find(cookies.handle(request))
        return _code_page(request, challenge, form) if challenge else start_again(request)
    now = timezone.now()
    try:
        challenge, proven = flow.submit(visitor_of(request), form.cleaned_data["code"], now=now)
    except NoChallenge:
        return start_again(request)
    except Wrong as wrong:
        form.add_error("code", texts.wrong_code())
        return _code_page(request, wrong.challenge, form)
    return _sign_in(request, challenge, proven, now) if proven else redirect(CHECKING)


@entrance
@require_http_methods(["GET", "HEAD", "POST"])
def checking(request: HttpRequest) -> HttpResponse:
    """Waits for the verdict on a code. A right one is finished by a POST from this page: a GET may come from a browser
    that fetches ahead, or by another site's link."""
    now = timezone.now()
    if request.method == "POST":
        try:
            return _sign_in(request, *flow.finish(visitor_of(request), now=now), now)
        except NoChallenge:
            return redirect(CHECKING)
    challenge = attempts.find(cookies.handle(request))
    if challenge is None:
        return start_again(request)
    state = answer_of(challenge, now)
    if not state:
        return redirect(OTP)
    if state not in {"checking", "right"}:
        form = CodeForm({})
        form.errors.clear()  # that nothing was typed
        form.add_error("code", texts.wrong_code() if state == "refused" else texts.not_checked())
        return _code_page(request, challenge, form)
    context = {"app_name": conf.app_name, "state": state}
    return render(request, "cognito_passwordless/checking.html", context)


def _sign_in(request: HttpRequest, challenge: ChallengeSession, proven: Proven, now: datetime) -> HttpResponse:
    try:
        response = completion.complete(request, challenge, proven, now=now)
    except MigrationRefused as refusal:
        response = refused(request, refusal, challenge.next_url)
    else:
        if request.user.is_authenticated:
            cookies.remember(request, response, identifier_of(challenge).whose)
    cookies.delete_handle(response)
    return response


def refused(request: HttpRequest, refusal: MigrationRefused, next_url: str) -> HttpResponse:
    context = {"app_name": conf.app_name, "deleted": refusal.reason == "user_deleted", "next": next_url}
    return render(request, "cognito_passwordless/refused.html", context, status=403)


@entrance
@sensitive_post_parameters("password")
@sensitive_variables()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Takes the password that a pool wants before its code. Everybody gets the same answer, right passwords too: a
    faster answer would confirm the password to someone who knows nothing else."""
    challenge = attempts.find(cookies.handle(request))
    if challenge is None or not challenge.password_offered:
        return start_again(request)
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return _code_page(request, challenge, CodeForm(), password_form=form)
    try:
        pool_password.give(visitor_of(request), form.cleaned_data["password"], now=timezone.now())
    except NoChallenge:
        return start_again(request)
    return HttpResponseRedirect(f"{reverse(OTP)}?password")


@entrance
@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    """One more message for the same challenge; a fresh challenge where this one is over."""
    now = timezone.now()
    try:
        require_captcha(request, "resend")
        resent = flow.resend(visitor_of(request), now=now)
        if resent.over:
            return to_code_page(flow.retry(visitor_of(request), now=now))
    except NoChallenge:
        return start_again(request)
    except _NOT_SENT as error:
        return _not_sent(request, error)
    if not resent.sent:
        return _not_sent(request, TooSoon(resent.seconds))
    return redirect(OTP)


@entrance
@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """A fresh challenge for the same identifier, by another channel if asked for."""
    channel = ChannelForm(request.POST)
    chosen = channel.cleaned_data["channel"] if channel.is_valid() else ""
    try:
        require_captcha(request, "retry")
        return to_code_page(flow.retry(visitor_of(request), now=timezone.now(), channel=chosen or None))
    except NoChallenge:
        return start_again(request)
    except _NOT_SENT as error:
        return _not_sent(request, error)


@entrance
@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """What the code page shows live, as JSON."""
    challenge = attempts.find(cookies.handle(request))
    if challenge is None:
        return JsonResponse({"state": "none"}, status=404)
    return JsonResponse(asdict(status_of(challenge, now=timezone.now())))


def _instead_of(request: HttpRequest) -> str:
    """The alias of the hosted login that failed before this form was shown; empty for all others."""
    token = request.POST.get("instead_of")
    return fallback.attested(token) if token else ""


def _login_page(request: HttpRequest, form: IdentifierForm, next_url: str, status: int = 200) -> HttpResponse:
    context = pages.login_context(
        form,
        next_url=next_url,
        start_again="again" in request.GET,
        instead_of=request.POST["instead_of"] if _instead_of(request) else "",
    )
    return render(request, "cognito_passwordless/login.html", context, status=status)


def _code_page(
    request: HttpRequest,
    challenge: ChallengeSession,
    form: CodeForm,
    *,
    notice: str = "",
    status: int = 200,
    password_form: PasswordForm | None = None,
) -> HttpResponse:
    context = pages.code_context(challenge, form, notice=notice, password_form=password_form)
    return render(request, "cognito_passwordless/code.html", context, status=status)


def to_code_page(started: flow.Started) -> HttpResponse:
    response = redirect(OTP)
    cookies.set_handle(response, started.handle)
    return response


def start_again(request: HttpRequest, next_url: str = "") -> HttpResponse:
    return HttpResponseRedirect(with_next(f"{reverse(LOGIN)}?again", next_url or next_page(request)))


def _not_sent(request: HttpRequest, error: Exception) -> HttpResponse:
    """The code page, saying why no message went out: the same for everybody."""
    challenge = attempts.find(cookies.handle(request))
    if challenge is None:
        return start_again(request)
    notice, status_code, seconds = explain(error)
    if isinstance(error, NotServed):
        status_code = 503
    return retry_after(_code_page(request, challenge, CodeForm(), notice=notice, status=status_code), seconds)


def explain(error: Exception) -> tuple[str, int, int]:
    """Why no message goes out: the text, the status of the page, and in how many seconds another try may help (0 where
    that is unknown)."""
    match error:
        case TooSoon():
            return texts.wait(error.seconds), 429, error.seconds
        case TooMany():
            return texts.too_many(error.retry_after), 429, error.retry_after
        case CaptchaNotPassed():
            return texts.not_a_robot(), 400, 0
        case NotServed():
            return texts.not_served(), 200, 0
    return texts.cannot_send(), 503, 0


def retry_after(response: HttpResponse, seconds: int) -> HttpResponse:
    if seconds:
        response["Retry-After"] = str(seconds)
    return response

"""The pages between a proof and an account that is there: its second factor, or one more proof that would open it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from ..conf import conf
from ..exceptions import DispatchFailed, MigrationRefused
from ..flows.sign_in import completion, step_up
from ..flows.sign_in import login as flow
from ..flows.sign_in.errors import NotServed, TooMany
from ..identifiers import parse
from .decorators import CaptchaNotPassed, entrance, require_captcha, visitor_of
from .hosted_views import to_hosted_login
from .views import explain, refused, retry_after, start_again, to_code_page


@entrance
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Before an account whose address was proven for the first time: it has a second factor, which comes first."""
    waiting = step_up.find(request, timezone.now())
    if waiting is None or not waiting.user or request.user.is_authenticated:
        return start_again(request, step_up.next_page(request))
    if request.method != "POST":
        return render(request, "cognito_passwordless/second_factor.html", {"app_name": conf.app_name})
    if request.POST.get("have") == "no":
        return _without_it(request, waiting)
    response = completion.with_second_factor(request, waiting)
    return response or start_again(request, step_up.next_page(request))


@entrance
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Before a person gets a new account: one more proof would open one that is there."""
    waiting = step_up.find(request, timezone.now())
    if waiting is None or waiting.user or request.user.is_authenticated:
        return start_again(request, step_up.next_page(request))
    if request.method != "POST":
        return _join_page(request, waiting)
    if request.POST.get("join") == "no":
        return _without_it(request, waiting)
    if waiting.connection:
        step_up.choose_proof(request, f"oidc {waiting.connection}")
        return to_hosted_login(request, waiting.connection, waiting.challenge.next_url)
    identifier = parse(waiting.address)
    try:
        require_captcha(request, "start")
        started = flow.start(
            identifier,
            visitor_of(request, identifier.value),
            now=timezone.now(),
            next_url=waiting.challenge.next_url,
            by_code=True,
        )
    except (TooMany, NotServed, DispatchFailed, CaptchaNotPassed) as error:
        notice, status, seconds = explain(error)
        return retry_after(_join_page(request, waiting, notice, status), seconds)
    step_up.choose_proof(request, str(started.challenge.pk))
    return to_code_page(started)


def _join_page(
    request: HttpRequest, waiting: step_up.WaitingSignIn, notice: str = "", status: int = 200
) -> HttpResponse:
    context = {"app_name": conf.app_name, "identifier": waiting.address, "notice": notice}
    return render(request, "cognito_passwordless/join.html", context, status=status)


def _without_it(request: HttpRequest, waiting: step_up.WaitingSignIn) -> HttpResponse:
    try:
        return completion.without_it(request, waiting, now=timezone.now())
    except MigrationRefused as refusal:
        return refused(request, refusal, waiting.challenge.next_url)

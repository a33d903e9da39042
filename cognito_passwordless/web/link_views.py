"""The link that makes a browser known to a person (`flows.challenges.links`)."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from ..conf import conf
from ..exceptions import DispatchFailed
from ..flows.challenges import links
from ..flows.sending.routing import identifier_of
from ..flows.sign_in import login as flow
from ..flows.sign_in.errors import NotServed, TooMany
from . import cookies
from .decorators import entrance, visitor_of
from .views import explain, retry_after, to_code_page


@entrance
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Takes the token out of the address, so that no page that is shown, no script on it and no other site learns it.
    Opening does nothing: mail scanners open links."""
    response = redirect("cognito_passwordless:opened_link")
    cookies.set_link(response, token)
    response["Referrer-Policy"] = "no-referrer"
    return response


@entrance
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Asks before anything is done; then this browser is known to the person, and its own budgets send a code."""
    now = timezone.now()
    challenge, browser = links.find(cookies.link(request), now), cookies.known_browser(request)
    if request.method != "POST" or challenge is None or not links.use(challenge, browser.id, now):
        identifier = challenge.identifier if challenge and request.method != "POST" else ""
        return _page(request, identifier=identifier, status=200 if identifier else 410)
    visitor = replace(visitor_of(request), known_browser=browser.id)
    try:
        started = flow.start(identifier_of(challenge), visitor, now=now, channel=challenge.channel, by_code=True)
    except (TooMany, NotServed, DispatchFailed) as error:
        notice, status, seconds = explain(error)
        response = retry_after(_page(request, notice=notice, status=status), seconds)
    else:
        response = to_code_page(started)
    cookies.remember(request, response, identifier_of(challenge).whose, browser)
    cookies.delete_link(response)
    return response


def _page(request: HttpRequest, *, identifier: str = "", notice: str = "", status: int) -> HttpResponse:
    context = {"app_name": conf.app_name, "identifier": identifier, "notice": notice}
    return render(request, "cognito_passwordless/link.html", context, status=status)

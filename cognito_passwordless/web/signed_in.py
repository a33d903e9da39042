"""A person who arrives at an entrance and is signed in already.

Sites send people to the login page who are signed in but may not see a page (`permission_required` and its like).
Sending such a person back would go on for ever; sending everybody else on is right. So a person is sent on once, and
whoever is back at once is shown who they are and how to go on as somebody else.
"""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from .. import compat
from ..conf import conf
from ..flows.challenges import attempts
from . import cookies
from .decorators import entrance, is_prefetch, safe_next, with_next

KEY: Final = "cognito_passwordless_sent_on"
AT_ONCE: Final = 30  # seconds: longer than a slow page takes to send somebody back
TARGETS: Final = 5  # of so many tabs at once


def go_on(request: HttpRequest, next_url: str) -> HttpResponse:
    """To the page that was asked for, once."""
    target = next_url or compat.login_redirect_url(request)
    page, now = _page_of(target), timezone.now().timestamp()
    sent = {to: at for to, at in request.session.get(KEY, {}).items() if 0 <= now - at < AT_ONCE}
    if page in sent or not getattr(settings, "ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS", True):
        return signed_in_page(request, next_url)
    if not is_prefetch(request):
        request.session[KEY] = dict([*sent.items(), (page, now)][-TARGETS:])
    return HttpResponseRedirect(target)


def signed_in_page(request: HttpRequest, next_url: str, *, status: int = 200) -> HttpResponse:
    home = compat.login_redirect_url(request)
    context = {
        "app_name": conf.app_name,
        "user": request.user,
        "next": next_url,
        # Where that is the page that sends people back, it is no way on.
        "home": "" if next_url and _page_of(home) == _page_of(next_url) else home,
    }
    return render(request, "cognito_passwordless/signed_in.html", context, status=status)


@entrance
@require_POST
def other_account(request: HttpRequest) -> HttpResponse:
    """Signs out, and asks anew who is signing in."""
    next_url = safe_next(request)
    compat.account_adapter(request).logout(request)
    return HttpResponseRedirect(with_next(reverse("cognito_passwordless:login"), next_url))


def end_challenge(sender: object, request: HttpRequest | None, **kwargs: object) -> None:
    """For the signal ``user_logged_out``: no code is left that still opens this browser (law 3)."""
    del sender, kwargs
    if request is not None:
        attempts.supersede(cookies.handle(request))


def _page_of(url: str) -> str:
    """Without its query, which may be another one each time."""
    return urlsplit(url).path[:200]

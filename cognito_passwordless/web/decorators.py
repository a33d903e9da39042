"""What all pages have in common: whom they are open to, and what they read and ask before anything is proven."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, transaction
from django.db import connections as databases
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from .. import compat
from ..cognito import is_storable
from ..conf import conf
from ..flows.challenges import attempts
from ..flows.sign_in.context import Visitor
from . import cookies

logger = logging.getLogger(__name__)
RETRY_AFTER: Final = 60  # seconds
View = TypeVar("View", bound=Callable[..., HttpResponse])


def entrance(view: View) -> View:
    """Open to people who are not signed in, never cached, and outside of `ATOMIC_REQUESTS`, for a claimed attempt must
    outlive whatever the request ends in (law 2)."""
    return csrf_protect(_open(view))


def entrance_from_elsewhere(view: View) -> View:
    """The same for a form on another site's page, or an app. The view has to know by other means who sent it."""
    return csrf_exempt(_open(view))


def _open(view: View) -> View:
    opened: View = cast("View", _says_when_the_database_is_down(view))
    for alias in databases:
        opened = transaction.non_atomic_requests(using=alias)(opened)
    return login_not_required(never_cache(opened))


def _says_when_the_database_is_down(view: View) -> Callable[..., HttpResponse]:
    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (InterfaceError, OperationalError):
            logger.exception("The database does not answer")
        if request.resolver_match and request.resolver_match.url_name == "status":
            response: HttpResponse = JsonResponse({"state": "unavailable"}, status=503)
        else:
            # Without the request: what a site's context processors read may be in the database.
            page = render_to_string("cognito_passwordless/unavailable.html", {"app_name": conf.app_name})
            response = HttpResponse(page, status=503)
        response["Retry-After"] = str(RETRY_AFTER)
        return response

    return answer


def visitor_of(request: HttpRequest, identifier: str = "") -> Visitor:
    """Who asks. With an identifier, also whether this browser has signed in as that person before."""
    return Visitor(
        handle=cookies.handle(request),
        known_browser=cookies.known_browser(request).id_for(identifier) if identifier else "",
        ip=compat.client_ip(request),
        language=translation.get_language() or "",
    )


class CaptchaNotPassed(Exception):
    """The site's own check says no."""


def passes_captcha(request: HttpRequest, step: str) -> bool:
    """Asks the callable of `CAPTCHA`; ``step`` is ``"start"``, ``"resend"`` or ``"retry"``. Only True is a yes.

    The answer may depend on the request alone, never on whether a person exists (law 4).
    """
    path = conf.captcha
    return path is None or import_string(path)(request, step) is True


def require_captcha(request: HttpRequest, step: str) -> None:
    """Raises `CaptchaNotPassed`."""
    if not passes_captcha(request, step):
        raise CaptchaNotPassed


def safe_next(request: HttpRequest) -> str:
    """The page to go to afterwards; empty for one that is not on the site's own hosts (law 12)."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    return url if url and is_storable(url) and compat.is_safe_url(request, url) else ""


def next_page(request: HttpRequest) -> str:
    """The same, or what this browser's sign-in began with."""
    url = safe_next(request)
    challenge = None if url else attempts.find(cookies.handle(request))
    return challenge.next_url if challenge else url


def with_next(url: str, next_url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'next': next_url})}" if next_url else url


def is_prefetch(request: HttpRequest) -> bool:
    """Whether a browser fetches this page ahead of time. The person may never open it, so nothing may come of it."""
    purposes = (request.headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return any(word in purpose for purpose in purposes for word in ("prefetch", "prerender", "preview"))

"""allauth's own ways in lead to our pages, unless the site says otherwise (`ALLAUTH_PAGES`)."""

import functools
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from allauth.account import urls as allauths
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse

from .. import compat
from ..conf import conf
from .decorators import safe_next, with_next

View = Callable[..., HttpResponse]
LOGIN, CODE, CONFIRM = "account_login", "account_request_login_code", "account_confirm_login_code"
ENTRANCES: Final = (LOGIN, CODE, CONFIRM, "account_signup", "account_signup_by_passkey")


def lead_here() -> None:
    """Pages of a site's own under the same names are left alone: only allauth's patterns are changed."""
    for pattern in allauths.urlpatterns:
        if pattern.name in ENTRANCES:
            pattern.callback = _led(pattern.name, pattern.callback)


def _led(name: str, view: View) -> View:
    @functools.wraps(view)
    def entrance(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        next_url = safe_next(request)
        if conf.allauth_pages or (name == LOGIN and is_for_staff(next_url)):
            return view(request, *args, **kwargs)
        # One more code may be asked for in a sign-in that is under way; without one, allauth leads to its entrances.
        response = view(request, *args, **kwargs) if name == CONFIRM else None
        asking = {reverse(pattern.name) for pattern in allauths.urlpatterns if pattern.name in (LOGIN, CODE)}
        if response and response.get("Location") not in asking:
            return response
        return HttpResponseRedirect(with_next(reverse("cognito_passwordless:login"), next_url))

    return entrance


def is_for_staff(next_url: str) -> bool:
    """Whether a page of Django's admin was asked for, where staff have a password and no code: allauth's
    `secure_admin_login` sends them to the login page."""
    if conf.staff_sign_in or compat.is_headless_only() or not compat.has_password_login():
        return False
    try:
        return "admin" in resolve(urlsplit(next_url).path).app_names
    except Resolver404:
        return False

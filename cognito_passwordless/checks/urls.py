"""Our pages, allauth's pages, and who leads people to them."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, URLResolver, get_resolver, resolve, reverse

from .. import compat
from .problems import Messages, error, warning

NAMESPACE = "cognito_passwordless"
LOGIN = f"{NAMESPACE}:login"
API = "cognito_passwordless_api"
_INCLUDE_ALLAUTHS = "Add path('_allauth/', include('allauth.headless.urls')) after the include of this package."


def included_once(**kwargs: Any) -> Messages:
    times = sum(1 for resolver in _resolvers() if resolver.app_name == NAMESPACE)
    if times == 1:
        return []
    if not times:
        text = "The URLs of this package are not included."
        hint = "Add path('login/', include('cognito_passwordless.urls')) to the ROOT_URLCONF."
        return [error("E301", text, hint=hint)]
    text = f"The URLs of this package are included {times} times."
    hint = (
        "Keep one include('cognito_passwordless.urls'). A code page that is not the one people were sent to "
        "does not know them."
    )
    return [error("E302", text, hint=hint)]


def reachable(**kwargs: Any) -> Messages:
    """Another pattern that comes first takes the request, whatever the name says."""
    try:
        url = reverse(LOGIN)
        taken = resolve(url).view_name
    except (NoReverseMatch, Resolver404):
        return []  # Told by `included_once`.
    if taken == LOGIN:
        return []
    text = f"{url} is answered by {taken or 'another view'}, not by the login page of this package."
    hint = "Put the include of this package before that pattern, or under a path of its own."
    return [error("E303", text, hint=hint)]


def allauth_pages(**kwargs: Any) -> Messages:
    if compat.is_headless_only():
        return []
    needed = ["account_login", "account_logout", "account_email", "socialaccount_connections"]
    if apps.is_installed("allauth.mfa"):
        needed.append("mfa_authenticate")
    missing = [name for name in needed if not _exists(name)]
    if not missing:
        return []
    text = f"allauth's pages are not all there: {', '.join(missing)}."
    hint = (
        "Add path('accounts/', include('allauth.urls')) to the ROOT_URLCONF: its stages and its refusals lead there."
    )
    return [error("E304", text, hint=hint)]


def login_url(**kwargs: Any) -> Messages:
    try:
        ours, theirs = reverse(LOGIN), resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        ours, theirs = "", ""
    if ours and ours == theirs:
        return []
    text = f"LOGIN_URL is {str(settings.LOGIN_URL)!r}, which is not the login page of this package."
    hint = f"Set LOGIN_URL = '{LOGIN}', or link that page from yours."
    return [warning("W305", text, hint=hint)]


def api(**kwargs: Any) -> Messages:
    """allauth's JSON API without ours before it, or ours without allauth's."""
    ours = any(resolver.app_name == API for resolver in _resolvers())
    if ours and not apps.is_installed("allauth.headless"):
        hint = "Add allauth.headless to INSTALLED_APPS, or remove the include of cognito_passwordless.headless.urls."
        return [error("E306", "The JSON API of this package stands on allauth.headless, which is missing.", hint=hint)]
    if not apps.is_installed("allauth.headless"):
        return []
    found = []
    for client in ("browser", "app"):
        try:
            address = reverse(f"headless:{client}:account:confirm_login_code")
        except NoReverseMatch:
            if ours:
                text, hint = f"allauth's JSON API for {client} is missing: apps find no session.", _INCLUDE_ALLAUTHS
                found.append(error("E307", text, hint=hint))
            continue
        if resolve(address).app_name != API:
            text = f"{address} is answered by allauth, which sends codes past our failure counts."
            hint = "Add path('_allauth/', include('cognito_passwordless.headless.urls')) before allauth's own include."
            found.append(warning("W507", text, hint=hint))
    return found


def _exists(name: str) -> bool:
    try:
        reverse(name)
    except NoReverseMatch:
        return False
    return True


def _resolvers(of: URLResolver | None = None) -> Iterator[URLResolver]:
    for pattern in (of or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield pattern
            yield from _resolvers(pattern)

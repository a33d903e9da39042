"""A strict content security policy: nothing inline, nothing from elsewhere."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Puts the policy on every response."""
    # Browsers hold the redirect that answers a form to form-action too, and a form may lead to a hosted login.
    policy = " ".join([POLICY, *hosted_logins()])

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    return middleware


def hosted_logins() -> list[str]:
    """The origins of the connections' hosted logins; those of the settings alone, for they are known at the start."""
    chosen = [app["settings"] for app in settings.SOCIALACCOUNT_PROVIDERS.get("cognito", {}).get("APPS", [])]
    urls = [url for one in chosen for url in (one.get("domain"), *one.get("endpoints", {}).values()) if url]
    parts = [urlsplit(url) for url in urls]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts})

"""What binds a challenge to the client that asked (law 5): a cookie of its own for browsers; for apps, the session
token until the sign-in is done.

The token holds the random handle and the database only its hash, so no session exists before proof, and neither the
session table nor the challenge's row holds what opens a sign-in.
"""

from collections.abc import Callable
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from ..compat import headless as compat
from ..flows.challenges.attempts import APP, BROWSER
from ..flows.sign_in.context import Visitor
from ..web import cookies
from ..web.decorators import entrance, entrance_from_elsewhere, visitor_of

PREFIX = "code."


def open_to(client: str, view: type[compat.CodeView]) -> Callable[..., HttpResponse]:
    """The view at its address for one client. It is called with ``handle``, what the client holds of a challenge."""
    inner = compat.view_for(view, client)

    @sensitive_variables()
    def bound(request: HttpRequest) -> HttpResponse:
        taken = compat.take_token(request, PREFIX)[:100]
        handle = taken if client == APP else cookies.handle(request, cookies.API_COOKIE)
        return inner(request, handle=handle)

    # An app has no cookie that another site's page could send along.
    return entrance_from_elsewhere(bound) if client == APP else entrance(bound)


def visitor(request: HttpRequest, client: str, handle: str, identifier: str = "") -> Visitor:
    """Who asks. A page's challenge is answered by pages alone, a browser's by this browser, an app's by this app."""
    asking = visitor_of(request, identifier if client == BROWSER else "")
    return replace(asking, handle=handle, purpose=client)


def hand_over(response: HttpResponse, client: str, handle: str) -> HttpResponse:
    """Gives a new handle to a browser; an app has it as its session token (`token_of`)."""
    if client == BROWSER:
        cookies.set_handle(response, handle, cookies.API_COOKIE)
    return response


def token_of(client: str, handle: str) -> str:
    return f"{PREFIX}{handle}" if client == APP else ""

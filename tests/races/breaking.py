"""A site whose code breaks after the sign-in views have done their work."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from cognito_passwordless.web import views
from example_project.urls import urlpatterns as example_urls

BREAK = "X-Break"


class Broken(Exception):
    """What a site's own code might raise."""


def break_after_the_view(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that raises, after the view, where the request asks for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if BREAK in request.headers:
            raise Broken
        return response

    return middleware


@login_not_required
def inside_a_transaction(request: HttpRequest) -> HttpResponse:
    """What a site may write without thinking of `ATOMIC_REQUESTS`: a view around ours, in a transaction."""
    return views.otp(request)


urlpatterns = [path("wrapped/", inside_a_transaction), *example_urls]

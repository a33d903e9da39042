"""A page for people who are signed in, and the inbox of a site that nobody real uses."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .inbox import read

SHOWN = 50


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Who is signed in; `LoginRequiredMiddleware` sends everybody else to the login page."""
    return render(request, "example_project/home.html")


@never_cache
@login_not_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The messages that were "sent", codes and all, to anybody who asks: only where `INBOX_DIR` is set on purpose."""
    if not settings.INBOX_DIR:
        raise Http404
    messages = read(Path(settings.INBOX_DIR))[:SHOWN]
    return render(request, "example_project/inbox.html", {"inbox": messages})

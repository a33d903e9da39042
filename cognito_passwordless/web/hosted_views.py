"""The pages around a hosted login: the way there, the way back, and a stop between for browsers that send no cookie
along with a visit from another site.

The way back has up to three steps, because neither a cross-site POST (``form_post``) nor, under ``SameSite=Strict``,
any cross-site visit carries our cookie, and the site's session cookie would not go along with the redirect after it:

1. the answer arrives. With our cookie and a cookie policy that allows it, the sign-in is finished at once. Otherwise
   the answer is kept, encrypted, on its attempt, and the browser is redirected to
2. ``?wait``: a page of our own, without anything in its address, that moves on by itself (no script is needed) to
3. ``?done``: a visit from our own page, so that our cookie comes along and says whose answer it is.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from .. import connections
from ..cognito import Connection
from ..conf import conf
from ..exceptions import MigrationRefused
from ..flows.challenges import hosted
from ..flows.challenges.hosted import Answer
from ..flows.hosted_login import fallback, flow
from ..flows.sign_in import completion
from ..flows.sign_in.errors import TooMany
from . import cookies
from .decorators import entrance, entrance_from_elsewhere, is_prefetch, next_page, safe_next, visitor_of, with_next
from .forms import IdentifierForm
from .signed_in import go_on, signed_in_page


@entrance
@require_http_methods(["GET", "POST"])
def oidc_login(request: HttpRequest, connection: str) -> HttpResponse:
    """Sends the browser to Cognito's authorize endpoint."""
    chosen, next_url = _connection(connection), safe_next(request)
    if chosen is None:
        return _closed(request)
    if is_prefetch(request):
        return _failed(request, chosen, status=503)  # which browsers throw away, and ask again when it is opened
    if request.user.is_authenticated:
        # A person who is signed in stays who they are: nothing is connected, and no session changes hands.
        if (request.POST.get("process") or request.GET.get("process")) == "connect":
            return signed_in_page(request, next_url, status=403)
        return go_on(request, next_url)
    now, visitor = timezone.now(), visitor_of(request)
    try:
        challenge = None if next_url else flow.waiting(chosen, visitor, now)
        if challenge is not None:
            url = flow.depart(chosen, challenge, redirect_uri=_callback_url(request, chosen), now=now)
            return HttpResponseRedirect(url)
        identifier, before = flow.typed_before(visitor)
        departure = flow.begin(
            chosen,
            visitor,
            redirect_uri=_callback_url(request, chosen),
            now=now,
            next_url=next_url or before,
            identifier=identifier,
        )
    except TooMany as error:
        response = _failed(request, chosen, status=429)
        response["Retry-After"] = str(error.retry_after)
        return response
    except flow.Unavailable as gone:
        if gone.has_fallback:
            return _code_instead(request, chosen)
        return _failed(request, chosen, status=503)
    response = HttpResponseRedirect(departure.url)
    cookies.set_handle(response, departure.handle)
    return response


# The provider's form cannot know our CSRF token. What stands in for it is the state: only the attempt for which it was
# made takes the answer, and only the browser that started it, from a page of ours, may finish
# (`flows.hosted_login.flow`).
@entrance_from_elsewhere
@sensitive_post_parameters("code", "state")
@sensitive_variables()
@require_http_methods(["GET", "POST"])
def oidc_callback(request: HttpRequest, connection: str) -> HttpResponse:
    """Where Cognito sends people back to."""
    chosen = _connection(connection)
    if chosen is None:
        response = _closed(request)
    else:
        response = _failed(request, chosen, status=503) if is_prefetch(request) else _step(request, chosen)
    # The address may hold a code: no page that is opened from here shall see it.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _step(request: HttpRequest, connection: Connection) -> HttpResponse:
    if request.method == "GET" and request.META.get("QUERY_STRING") == "wait":
        return _wait_page(request, connection, f"{request.path}?done")
    if request.method == "GET" and request.META.get("QUERY_STRING") == "done":
        return _finish(request, connection, None)
    visitor, now = visitor_of(request), timezone.now()
    given = request.POST if request.method == "POST" else request.GET
    # Taken out of the request, so that no error report shows the answer.
    request.GET, request.META["QUERY_STRING"] = QueryDict(), ""
    answer, problem = hosted.parse_answer(given.getlist)
    if request.user.is_authenticated:
        return _signed_in_already(request, connection, answer)
    try:
        if answer is None:
            flow.refuse_stranger(connection, problem, visitor, now)
        if cookies.comes_back_with_cookies(request):
            return _finish(request, connection, answer)
        flow.keep(connection, visitor, answer, now=now)
    except flow.Refused as refused:
        return _refused(request, connection, refused)
    # 303: whatever came, the next is a GET, without anything of the answer in its address.
    response = HttpResponseRedirect(f"{request.path}?wait")
    response.status_code = 303
    return response


@sensitive_variables()
def _finish(request: HttpRequest, connection: Connection, answer: Answer | None) -> HttpResponse:
    visitor, now = visitor_of(request), timezone.now()
    if request.user.is_authenticated:
        return _signed_in_already(request, connection, answer)
    try:
        challenge, proven = flow.finish(
            connection, visitor, answer, redirect_uri=_callback_url(request, connection), now=now
        )
    except flow.Refused as refused:
        return _refused(request, connection, refused)
    try:
        response = completion.complete(request, challenge, proven, now=now)
    except MigrationRefused as refusal:
        deleted = refusal.reason == "user_deleted"
        response = _page(request, "hosted_refused.html", connection, status=403, deleted=deleted)
    cookies.delete_handle(response)
    return response


@sensitive_variables()
def _signed_in_already(request: HttpRequest, connection: Connection, answer: Answer | None) -> HttpResponse:
    """A person who began another sign-in stays who they are, and is told so. Everybody else has been here before:
    an answer comes twice, by a reload or the back button."""
    next_url = next_page(request) or flow.next_page(answer)
    if flow.note_signed_in(connection, visitor_of(request), timezone.now()):
        return signed_in_page(request, next_url, status=403)
    return go_on(request, next_url)


def _connection(alias: str) -> Connection | None:
    """None for one without a hosted login, or without one any more."""
    found = connections.find(alias)
    return found if found is not None and found.active and "oidc" in found.routes else None


def _closed(request: HttpRequest) -> HttpResponse:
    """A cut-over may come while a person is at the hosted login: the page has the other way on."""
    return _page(request, "hosted_failed.html", None, status=404, unavailable=False)


def _callback_url(request: HttpRequest, connection: Connection) -> str:
    """The connection's own, else ours below ``PUBLIC_URL`` (law 12); the request's host only where neither is set."""
    path = reverse("cognito_passwordless:oidc_callback", args=[connection.alias])
    if connection.callback_url:
        return connection.callback_url
    return f"{conf.public_url}{path}" if conf.public_url else request.build_absolute_uri(path)


def to_hosted_login(request: HttpRequest, alias: str, next_url: str = "") -> HttpResponse:
    """From our form to the hosted login of a connection.

    A browser gets a page that moves on by itself: the content security policy ``form-action 'self'`` also binds what a
    form's answer redirects to, and Chromium would stop at the other site without a word. Only browsers send
    ``Sec-Fetch-Dest``; everybody else is redirected at once.
    """
    url = with_next(reverse("cognito_passwordless:oidc_login", args=[alias]), next_url)
    connection = _connection(alias)
    if connection is None or request.headers.get("Sec-Fetch-Dest") != "document":
        return HttpResponseRedirect(url)
    return _wait_page(request, connection, url)


def _wait_page(request: HttpRequest, connection: Connection, url: str) -> HttpResponse:
    return _page(request, "hosted_wait.html", connection, url=url)


def _refused(request: HttpRequest, connection: Connection, refused: flow.Refused) -> HttpResponse:
    if refused.has_fallback:
        return _code_instead(request, connection)
    return _failed(request, connection, status=503 if refused.unavailable else 403)


def _failed(request: HttpRequest, connection: Connection, *, status: int) -> HttpResponse:
    return _page(request, "hosted_failed.html", connection, status=status, unavailable=status == 503)


def _code_instead(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The way on by a code, one press away: a visit that another site can bring about sends no message, and the site's
    captcha is asked as before any other."""
    identifier, _ = flow.typed_before(visitor_of(request))
    form = IdentifierForm(initial={"identifier": identifier.value if identifier else ""})
    context = {"form": form, "instead_of": fallback.attest(connection.alias)}
    return _page(request, "hosted_failed.html", connection, status=503, unavailable=True, **context)


def _page(
    request: HttpRequest, template: str, connection: Connection | None, *, status: int = 200, **context: object
) -> HttpResponse:
    context |= {
        "app_name": conf.app_name,
        "next": next_page(request),
        "hosted_login": connection.alias if connection else "",
        "hosted_login_name": (connection.name or connection.alias) if connection else "",
    }
    return render(request, f"cognito_passwordless/{template}", context, status=status)

"""allauth's JSON API as far as ours stands on it: its envelopes, clients and sessions.

Only `cognito_passwordless.headless` imports this, for a site need not have ``allauth.headless`` installed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless import app_settings
from allauth.headless.account.views import SessionView
from allauth.headless.base.response import AuthenticationResponse
from allauth.headless.base.views import APIView, ConfigView
from allauth.headless.constants import Client, Flow
from allauth.headless.internal.restkit.response import APIResponse
from django.http import HttpRequest, HttpResponse

ALLAUTHS = {"session": SessionView, "config": ConfigView}
TOKEN_HEADER = "HTTP_X_SESSION_TOKEN"  # noqa: S105  (a name)


def clients() -> tuple[str, ...]:
    """The clients that the site serves (``HEADLESS_CLIENTS``)."""
    return tuple(app_settings.CLIENTS)


def view_for(view: type[APIView], client: str) -> Callable[..., HttpResponse]:
    """The view as that client reaches it: by its session cookie, or by ``X-Session-Token`` and no cookie at all."""
    made: Callable[..., HttpResponse] = view.as_api_view(client=Client(client))
    return made


def take_token(request: HttpRequest, prefix: str) -> str:
    """Takes a session token of ours out of the request, which allauth would call an expired one (410). Empty for any
    other, which stays."""
    if not request.META.get(TOKEN_HEADER, "").startswith(prefix):
        return ""
    token: str = request.META.pop(TOKEN_HEADER)
    vars(request).pop("headers", None)  # read before, by a middleware
    return token.removeprefix(prefix)


class CodeView(APIView):
    """A view whose JSON body is ``self.data``. Its errors are JSON too, where allauth's have an empty body."""

    data: Mapping[str, Any]
    client: str

    def _parse_json(self, request: HttpRequest) -> Mapping[str, Any]:
        try:
            return super()._parse_json(request) or {}
        except ImmediateHttpResponse:
            raise ImmediateHttpResponse(error(request, "invalid_json", "A JSON object is expected.")) from None


def allauths(name: str, request: HttpRequest, client: str) -> HttpResponse:
    """What allauth's own view of this name answers."""
    response: HttpResponse = ALLAUTHS[name].as_view(client=Client(client))(request)
    return response


def answer(
    request: HttpRequest, *, data: Mapping[str, Any] | None = None, token: str = "", status: int = 200
) -> HttpResponse:
    """allauth's plain envelope, with a new session token for an app."""
    meta = {"session_token": token} if token else None
    response: HttpResponse = APIResponse(request, data=data, meta=meta, status=status)
    return response


def error(request: HttpRequest, code: str, message: str, *, param: str = "", status: int = 400) -> HttpResponse:
    """allauth's envelope of an error."""
    one = {"message": message, "code": code} | ({"param": param} if param else {})
    response: HttpResponse = APIResponse(request, errors=[one], status=status)
    return response


class PendingResponse(AuthenticationResponse):
    """Not signed in, and what goes on: the code that is waited for or, with ``provider``, its hosted login. ``token``:
    what the client shall send as its session token from now on."""

    def __init__(self, request: HttpRequest, *, provider: str = "", token: str = "") -> None:
        self.provider, self.token = provider, token
        super().__init__(request)

    def _get_flows(self, request: HttpRequest, user: Any) -> list[dict[str, Any]]:
        flows: list[dict[str, Any]] = super()._get_flows(request, user)
        pending = {"id": str(Flow.LOGIN_BY_CODE.value), "is_pending": True}
        if self.provider:
            pending |= {"id": str(Flow.PROVIDER_REDIRECT.value), "providers": [self.provider]}
        self._upsert_pending_flow(flows, pending)
        return flows

    def _add_session_meta(self, request: HttpRequest, meta: dict[str, Any] | None) -> dict[str, Any] | None:
        added: dict[str, Any] | None = super()._add_session_meta(request, meta)
        return {**(added or {}), "session_token": self.token} if self.token else added


def after_login(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The person's session, or the stage that allauth wants first, whatever page it would lead to."""
    answer: HttpResponse = AuthenticationResponse.from_response(request, response)
    return answer

"""The endpoints, thin over `flows`: believe the request, find the pool, ask the flow, answer in JSON."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from .. import connections
from ..cognito import Connection
from ..flows.pool_sync import trigger_events, trigger_queries
from .signing import Unsigned, read_signed

logger = logging.getLogger(__name__)
Payload = Mapping[str, Any]
Answer = Callable[[Connection, Payload], dict[str, Any]]


def endpoint(answer: Answer) -> Callable[[HttpRequest], HttpResponse]:
    """A view that only our triggers can call, about a pool that is one of ours."""

    @wraps(answer)
    @sensitive_variables()
    def view(request: HttpRequest) -> HttpResponse:
        try:
            payload = read_signed(request)
        except Unsigned as error:
            logger.warning("A call to %s was not believed: %s", answer.__name__, error)
            return JsonResponse({"error": "forbidden"}, status=403)
        pool = payload.get("pool")
        found = [connection for connection in connections.every() if connection.user_pool_id == pool]
        if not found:
            logger.warning("%s was asked about a pool that no connection has", answer.__name__)
            return JsonResponse({"error": "unknown pool"}, status=404)
        return JsonResponse(answer(found[0], payload))

    return login_not_required(csrf_exempt(never_cache(require_POST(view))))


@endpoint
def pre_authentication(connection: Connection, payload: Payload) -> dict[str, Any]:
    return {"allow": trigger_queries.may_sign_in(connection, _attributes(payload).get("sub", ""))}


@endpoint
def user_migration(connection: Connection, payload: Payload) -> dict[str, Any]:
    password = payload.get("password")
    given = password if isinstance(password, str) else None
    about = {name: value for name, value in payload.items() if name != "password"}
    return trigger_queries.user_for_pool(connection, _text(payload.get("username")), given, about)


@endpoint
def pre_token_generation(connection: Connection, payload: Payload) -> dict[str, Any]:
    return trigger_queries.token_rules(connection, payload)


@endpoint
def post_confirmation(connection: Connection, payload: Payload) -> dict[str, Any]:
    trigger_events.confirmed(
        connection,
        _attributes(payload),
        username=_text(payload.get("username")),
        now=timezone.now(),
        said=_strings(payload, "client_metadata"),
    )
    return {}


@endpoint
def post_authentication(connection: Connection, payload: Payload) -> dict[str, Any]:
    new_device = payload.get("new_device") is True
    said = _strings(payload, "client_metadata")
    trigger_events.signed_in(connection, _attributes(payload), new_device=new_device, now=timezone.now(), said=said)
    return {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _attributes(payload: Payload) -> dict[str, str]:
    return _strings(payload, "attributes")


def _strings(payload: Payload, key: str) -> dict[str, str]:
    found = payload.get(key)
    rows = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in rows if isinstance(value, str)}

"""The connections: allauth's SocialApps with provider ``cognito``, from settings or from the admin."""

import json
import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from allauth.socialaccount.models import SocialApp
from django.db import connections as databases
from django.db import router
from django.db.models import JSONField, Value

from . import compat
from .cognito import Connection, ConnectionConfigError
from .conf import conf
from .identifiers import Identifier
from .models import ConnectionState

PROVIDER = "cognito"
logger = logging.getLogger(__name__)


def every() -> list[Connection]:
    """All valid connections, retired and disabled ones too. A misconfigured one is logged and left out, so that the
    others still work. One statement."""
    in_table, retired = _stored()
    apps = [*in_table, *compat.social_apps_of_settings(PROVIDER)]
    return [_marked(connection, retired) for connection in _read(apps)]


def active() -> list[Connection]:
    """The connections that may be called: enabled and not retired."""
    return [connection for connection in every() if connection.active]


def find(alias: str) -> Connection | None:
    """The connection called ``alias``, or None. Settings come before the table; if two rows of the table share an
    alias, neither is used. One statement."""
    in_table, retired = _stored()
    named = _named(alias, compat.social_apps_of_settings(PROVIDER)) or _named(alias, in_table)
    return _marked(named[0], retired) if len(named) == 1 else None


def configured(alias: str) -> Connection | None:
    """As `find`, without asking whether a cut-over has retired it: for what ends at a cut-over by itself, such as an
    open challenge. No statement for one from settings."""
    named = _named(alias, compat.social_apps_of_settings(PROVIDER)) or _named(alias, compat.social_apps(PROVIDER))
    return named[0] if len(named) == 1 else None


def is_retired(alias: str) -> bool:
    """Whether a cut-over has retired the connection; its configuration may say so too. One statement."""
    return ConnectionState.objects.filter(alias=alias, retired_at__isnull=False).exists()


def _stored() -> tuple[list[SocialApp], set[str]]:
    """The apps of the table, and the aliases that a cut-over has retired. One statement, because every start of a
    sign-in waits for it."""
    using = router.db_for_read(SocialApp)
    with databases[using].cursor() as cursor:
        cursor.execute(*_statement(using))
        rows = cursor.fetchall()
    found, aliases = [], set()
    for provider_id, name, client_id, secret, settings, is_mark in rows:
        if is_mark:
            aliases.add(provider_id)
        else:
            columns = {"provider_id": provider_id, "name": name, "client_id": client_id, "secret": secret}
            found.append(SocialApp(provider=PROVIDER, settings=json.loads(settings), **columns))
    return found, aliases


@cache
def _statement(using: str) -> tuple[str, tuple[Any, ...]]:
    """Cached: to compile the query takes longer than to run it."""
    apps = SocialApp.objects.filter(provider=PROVIDER)
    retired = ConnectionState.objects.filter(retired_at__isnull=False)
    nothing = Value({}, output_field=JSONField())
    both = apps.values_list("provider_id", "name", "client_id", "secret", "settings", Value(0)).union(
        retired.order_by().values_list("alias", Value(""), Value(""), Value(""), nothing, Value(1)), all=True
    )
    sql, parameters = both.query.get_compiler(using).as_sql()
    return sql, tuple(parameters)


def _marked(connection: Connection, retired: set[str]) -> Connection:
    return replace(connection, retired=True) if connection.alias in retired else connection


def _named(alias: str, apps: Iterable[Any]) -> list[Connection]:
    return _read(app for app in apps if app.provider_id == alias)


def name_of(alias: str) -> str:
    """The name of a connection that pages show; its alias if only the table has one. No statement."""
    names = [app.name for app in compat.social_apps_of_settings(PROVIDER) if app.provider_id == alias]
    return names[0] if len(names) == 1 and names[0] else alias


def _read(apps: Iterable[Any]) -> list[Connection]:
    found = []
    for app in apps:
        try:
            found.append(Connection.from_settings(app.provider_id, app.name, app.client_id, app.secret, app.settings))
        except ConnectionConfigError as error:
            logger.error("%s", error)
    return found


def answering_for(identifier: Identifier, among: Iterable[Connection]) -> list[Connection]:
    """The connections that may know this identifier, by configuration alone: those with a rule for its e-mail domain,
    else those without any rule; for a user name, those of ``USERNAMES`` in their order."""
    candidates = list(among)
    if identifier.is_user_name:
        named = [connection for connection in candidates if connection.alias in conf.usernames]
        return sorted(named, key=lambda connection: conf.usernames.index(connection.alias))
    ruled = [connection for connection in candidates if identifier.domain and identifier.domain in connection.domains]
    return ruled or [connection for connection in candidates if not connection.domains]

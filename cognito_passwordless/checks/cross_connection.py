"""Checks across connections: unique aliases, overlapping lookups, one connection for each pool."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from allauth.socialaccount.models import SocialApp

from .. import compat
from ..cognito import Connection
from ..conf import conf
from ..models import MigratedUser
from .connections import advice, apps_of_settings, connections_of, moved, rows_of_table
from .problems import SETTING, Messages, error, usable, warning

Apps = Sequence[SocialApp]


def in_settings(**kwargs: Any) -> Messages:
    """The connections of the settings, without asking a database."""
    return _judge(apps_of_settings())


def with_the_admins(*, databases: Any = None, **kwargs: Any) -> Messages:
    """What is wrong only since there are rows in the admin as well."""
    told, rows = in_settings(), rows_of_table(databases)
    return [message for message in _judge([*apps_of_settings(), *rows]) if message not in told] if rows else []


def everywhere(*, databases: Any) -> Messages:
    """Those of the settings and of the admin at once: for a page that shows both."""
    return _judge([*apps_of_settings(), *rows_of_table(databases)])


def because_of(app: SocialApp, others: Apps) -> Messages:
    """What this connection, which can be read, makes wrong by itself or beside the others: for the form that saves
    it."""
    before = _judge(others)
    news = [message for message in _judge([*others, app]) if message not in before]
    own = [message for connection in connections_of([app]) for message in advice(connection)]
    return [*news, *moved([app], MigratedUser.objects.all()), *own]


def _judge(apps: Apps) -> Messages:
    checks = (aliases, sign_up, rival_lookups, refusal_floor, one_pool_once)
    return [message for check in checks for message in check(apps)]


def aliases(apps: Apps) -> Messages:
    """An alias is part of URLs and of every linked account, so it must name one thing."""
    found = []
    for alias, times in Counter(app.provider_id for app in apps).items():
        if not alias:
            text = f"{times} of the connections to Cognito have no provider_id."
            hint = "Give each a provider_id of its own, such as 'main': it is the connection's name."
            found.append(error("E602", text, hint=hint))
            continue
        if times > 1:
            text = f"{times} connections to Cognito are called {alias!r}."
            hint = "Give each a provider_id of its own; look in the settings and in the admin."
            found.append(error("E603", text, hint=hint))
        if compat.is_provider(alias):
            text = f"A connection to Cognito is called {alias!r}, which is the id of a provider of allauth."
            hint = "Choose another provider_id: the accounts of both would be mixed up."
            found.append(error("E604", text, hint=hint))
    return found


def _tried(apps: Apps) -> list[Connection]:
    """Pools that are tried for an address without knowing who is in them. A pool that hides who exists answers "yes"
    for every address, so whatever would come after it is never asked."""
    active = (connection for connection in connections_of(apps) if connection.active)
    return [connection for connection in active if connection.lookup == "try" and "otp" in connection.routes]


def sign_up(apps: Apps) -> Messages:
    open_to_all = [repr(connection.alias) for connection in _tried(apps) if not connection.domains]
    if not open_to_all or not usable(lambda: conf.signup, False):
        return []
    text = f"{SETTING}['SIGNUP'] is open, and {', '.join(open_to_all)} is tried for every address: no new person "
    hint = "Give the connection 'domains', or set its 'lookup' to 'list_users' or 'imported'."
    return [error("E611", f"{text}would ever get a code.", hint=hint)]


def rival_lookups(apps: Apps) -> Messages:
    claims: dict[str, list[str]] = defaultdict(list)
    for connection in _tried(apps):
        for domain in connection.domains or ("every other address",):
            claims[domain].append(connection.alias)
    hint = "Give each 'domains' of its own, or set 'lookup' to 'list_users' or 'imported'."
    return [
        error(
            "E612",
            f"Several connections are tried for {domain}: {', '.join(map(repr, names))}. People of all but the first "
            "would never get a code.",
            hint=hint,
        )
        for domain, names in claims.items()
        if len(names) > 1
    ]


def refusal_floor(apps: Apps) -> Messages:
    active = [connection for connection in connections_of(apps) if connection.active and "otp" in connection.routes]
    if not active or usable(lambda: conf.refusal_floor, 1.0):
        return []
    text = f"{SETTING}['REFUSAL_FLOOR'] is 0 while a pool answers codes: the time of a refusal tells who is in it."
    hint = "Remove the setting (1 second), or set it to what the pool takes to refuse a wrong code."
    return [warning("W613", text, hint=hint)]


def one_pool_once(apps: Apps) -> Messages:
    names: dict[str, list[str]] = defaultdict(list)
    for connection in connections_of(apps):
        names[connection.pool].append(connection.alias)
    hint = "Keep one. People are counted once per pool, under the connection that they came by last."
    return [
        warning("W614", f"The connections {', '.join(map(repr, each))} lead to one pool.", hint=hint)
        for each in names.values()
        if len(each) > 1
    ]

"""Several connections together: what they are called, and who may be in which pool."""

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
    """What would be wrong, or worth knowing, only because of this one beside the others: for the form that writes it.
    It can be read; whether it can, is told by its own mistakes."""
    before = _judge(others)
    news = [message for message in _judge([*others, app]) if message not in before]
    return [
        *news,
        *moved([app], MigratedUser.objects.all()),
        *(m for one in connections_of([app]) for m in advice(one)),
    ]


def _judge(apps: Apps) -> Messages:
    return [*aliases(apps), *lookups(apps), *refusal_floor(apps), *one_pool_once(apps)]


def aliases(apps: Apps) -> Messages:
    """An alias is part of URLs and of every linked account, so it must name one thing."""
    found, names = [], Counter(app.provider_id for app in apps)
    for alias, times in names.items():
        if not alias:
            found.append(
                error(
                    "E602",
                    f"{times} of the connections to Cognito have no provider_id.",
                    hint="Give each a provider_id of its own, such as 'main': it is the connection's name.",
                )
            )
            continue
        if times > 1:
            found.append(
                error(
                    "E603",
                    f"{times} connections to Cognito are called {alias!r}.",
                    hint="Give each a provider_id of its own; look in the settings and in the admin.",
                )
            )
        if compat.is_provider(alias):
            found.append(
                error(
                    "E604",
                    f"A connection to Cognito is called {alias!r}, which is the id of a provider of allauth.",
                    hint="Choose another provider_id: the accounts of both would be mixed up.",
                )
            )
    return found


def lookups(apps: Apps) -> Messages:
    """A pool that hides who exists answers "yes" for everybody, so nobody is ever unknown to it: whoever would come
    after it is never asked."""
    trying = [
        connection
        for connection in connections_of(apps)
        if connection.active and connection.lookup == "try" and "otp" in connection.routes
    ]
    return [*_signup(trying), *_rivals(trying)]


def _signup(trying: list[Connection]) -> Messages:
    open_to_all = [repr(connection.alias) for connection in trying if not connection.domains]
    if not open_to_all or not usable(lambda: conf.signup, False):
        return []
    return [
        error(
            "E611",
            f"{SETTING}['SIGNUP'] is open, and {', '.join(open_to_all)} is tried for everybody: nobody new would ever "
            "get a code.",
            hint="Give the connection 'domains', or set its 'lookup' to 'list_users' or 'imported'.",
        )
    ]


def _rivals(trying: list[Connection]) -> Messages:
    claims: dict[str, list[str]] = defaultdict(list)
    for connection in trying:
        for domain in connection.domains or ("every other address",):
            claims[domain].append(connection.alias)
    return [
        error(
            "E612",
            f"Several connections are tried for {domain}: {', '.join(map(repr, names))}. People of all but the first "
            "would never get a code.",
            hint="Give each 'domains' of its own, or set 'lookup' to 'list_users' or 'imported'.",
        )
        for domain, names in claims.items()
        if len(names) > 1
    ]


def refusal_floor(apps: Apps) -> Messages:
    active = [connection for connection in connections_of(apps) if connection.active and "otp" in connection.routes]
    if not active or usable(lambda: conf.refusal_floor, 1.0):
        return []
    return [
        warning(
            "W613",
            f"{SETTING}['REFUSAL_FLOOR'] is 0 while a pool answers codes: the time of a refusal tells who is in it.",
            hint="Remove the setting (1 second), or set it to what the pool takes to refuse a wrong code.",
        )
    ]


def one_pool_once(apps: Apps) -> Messages:
    names: dict[str, list[str]] = defaultdict(list)
    for connection in connections_of(apps):
        names[connection.pool].append(connection.alias)
    return [
        warning(
            "W614",
            f"The connections {', '.join(map(repr, aliases))} lead to one pool.",
            hint="Keep one. People are counted once per pool, under the connection that they came by last.",
        )
        for aliases in names.values()
        if len(aliases) > 1
    ]

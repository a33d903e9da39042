"""The connections: those of the settings always, those of the admin's table when the database may be asked."""

from collections.abc import Iterable
from typing import Any

from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.db.models import QuerySet

from .. import compat
from ..cognito import Connection, ConnectionConfigError, can_prove_passwords
from ..conf import conf
from ..connections import PROVIDER
from ..models import MigratedUser
from .problems import SETTING, Messages, error, usable, warning
from .tables import rows_of

PLACE = "SOCIALACCOUNT_PROVIDERS['cognito']['APPS']"


def settings_can_be_read(**kwargs: Any) -> Messages:
    return _unreadable() or [
        message for app in apps_of_settings() for message in _mistakes(app, f"in {PLACE}") if app.provider_id
    ]


def rows_can_be_read(*, databases: Any = None, **kwargs: Any) -> Messages:
    rows = rows_of_table(databases)
    return [message for app in rows for message in _mistakes(app, "in the admin") if app.provider_id]


def unchanged_pools(*, databases: Any = None, **kwargs: Any) -> Messages:
    """A pool person is (pool, sub), and their linked account is (alias, sub): law 7."""
    migrated = rows_of(MigratedUser, databases)
    return [] if migrated is None else moved((*apps_of_settings(), *rows_of_table(databases)), migrated)


def moved(apps: Iterable[SocialApp], migrated: "QuerySet[MigratedUser]") -> Messages:
    """The connections whose people came from another pool."""
    return [
        error(
            "E605",
            f"The connection {connection.alias!r} was another pool's: there are migrated users of that pool under "
            "its name.",
            hint="Give the new pool a provider_id of its own, and keep this one for the old pool, 'retired' when "
            "that is gone.",
        )
        for connection in connections_of(apps)
        if migrated.filter(connection=connection.alias).exclude(pool=connection.pool).exists()
    ]


def connections_of(apps: Iterable[SocialApp]) -> list[Connection]:
    """Those that can be read; the others are told by a check of their own."""
    found = []
    for app in apps:
        try:
            found.append(Connection.from_settings(app.provider_id, app.name, app.client_id, app.secret, app.settings))
        except ConnectionConfigError:
            continue
    return found


def apps_of_settings() -> list[SocialApp]:
    """The apps of the settings; none where they are not even a list of dicts."""
    return [] if _unreadable() else compat.social_apps_of_settings(PROVIDER)


def rows_of_table(databases: Any) -> list[SocialApp]:
    """The apps of the admin, if that database may be asked and has been migrated."""
    rows = rows_of(SocialApp, databases)
    return [] if rows is None else list(rows.filter(provider=PROVIDER))


def _unreadable() -> Messages:
    provider = getattr(settings, "SOCIALACCOUNT_PROVIDERS", {}).get(PROVIDER, {})
    apps = provider.get("APPS", []) if isinstance(provider, dict) else None
    if isinstance(apps, list | tuple) and all(isinstance(app, dict) for app in apps):
        return []
    return [
        error(
            "E601",
            f"{PLACE} is not a list of dicts.",
            hint="Write one dict per connection, with provider_id, name, client_id, secret and settings.",
        )
    ]


def _mistakes(app: SocialApp, place: str) -> Messages:
    try:
        connection = Connection.from_settings(app.provider_id, app.name, app.client_id, app.secret, app.settings)
    except ConnectionConfigError as mistakes:
        hint = f"Mend it {place}. Until then nobody signs in by this connection."
        return [error("E606", f"{mistakes}.", hint=hint)]
    return advice(connection)


def advice(connection: Connection) -> Messages:
    """What works, and a site would want to know of."""
    if not connection.active:
        return []
    found = []
    if connection.needs_password and not can_prove_passwords():
        found.append(
            error(
                "E615",
                f"The connection {connection.alias!r} wants a password first, and the package pycognito is missing.",
                hint="Install the extra: pip install 'django-cognito-passwordless[srp]'. Until then nobody signs in "
                "by it.",
            )
        )
    if connection.needs_password and usable(lambda: conf.otp.max_attempts, 3) < 2:
        found.append(
            error(
                "E616",
                f"The connection {connection.alias!r} wants a password first, and {SETTING}['OTP']['MAX_ATTEMPTS'] is "
                "1: the password spends it, and no code could be entered.",
                hint="Set MAX_ATTEMPTS to 3: a password, a code, and one mistake.",
            )
        )
    # Another OpenID provider says in its discovery document where its login is.
    hosted = connection.domain or "authorization_endpoint" in connection.endpoints or not connection.is_cognito
    if "oidc" in connection.routes and not hosted:
        found.append(
            warning(
                "W607",
                f"The connection {connection.alias!r} offers hosted login and has no domain.",
                hint="Set 'domain' to the pool's, or take 'oidc' out of 'routes'.",
            )
        )
    countries: list[str] = usable(lambda: conf.sms_countries, [])
    at_the_pool = not {"otp", "oidc"}.isdisjoint(connection.routes)
    if at_the_pool and countries and "phone" not in connection.scope:
        found.append(
            warning(
                "W608",
                f"The connection {connection.alias!r} does not read phone numbers, which people may sign in with.",
                hint="Add 'phone' to its 'scope', so that people who came by e-mail can use their number too.",
            )
        )
    if "disable" in connection.after_migration and connection.routes[0] == "oidc":
        found.append(
            warning(
                "W609",
                f"The connection {connection.alias!r} sends people to hosted login first, and disables them in the "
                "pool after their migration: who comes back is refused there.",
                hint="Take 'disable' out of 'after_migration', or begin 'routes' with 'otp'.",
            )
        )
    return found

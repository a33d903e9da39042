"""Each connection by itself: those of the settings always, those of the admin when the database may be asked."""

from collections.abc import Iterable
from typing import Any, Final

from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.db.models import QuerySet

from .. import compat
from ..cognito import Connection, ConnectionConfigError, can_prove_passwords
from ..conf import conf
from ..connections import PROVIDER
from ..flows.importing.rows import MFA
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


def people_left_out(*, databases: Any = None, **kwargs: Any) -> Messages:
    """Whom a connection that offers only codes never lets in, as the last import tells. The pool sends its own code
    neither to a person with MFA nor to one who has a password to set; the hosted login takes both, and our own code
    (``local``) the second. What a pool's own triggers do is theirs to say."""
    imported = rows_of(MigratedUser, databases)
    if imported is None:
        return []
    found = []
    for connection in connections_of((*apps_of_settings(), *rows_of_table(databases))):
        if not connection.active or connection.routes[0] != "otp" or connection.otp_flow != "USER_AUTH":
            continue
        if "oidc" in connection.routes:
            continue
        people = imported.filter(connection=connection.alias, status=MigratedUser.Status.PENDING, pool_enabled=True)
        with_mfa = people.filter(**{f"attributes__{MFA}": "true"})
        # A person with both is named once, as it is the second factor that no other route takes away.
        to_set = people.filter(pool_status__in=TO_SET).exclude(pk__in=with_mfa)
        factors, passwords = with_mfa.count(), 0 if connection.route_after("otp") == "local" else to_set.count()
        if factors or passwords:
            text = f"The connection {connection.alias!r} offers only codes, and the last import has {factors} pending "
            text += f"people with MFA and {passwords} who must set a password: the pool sends them no code."
            hint = "Add 'oidc' to its 'routes'; for a password to set, 'local' after 'otp' will do (docs/routes.md)."
            found.append(warning("W617", text, hint=hint))
    return found


TO_SET: Final = ("FORCE_CHANGE_PASSWORD", "RESET_REQUIRED")


def connections_of(apps: Iterable[SocialApp]) -> list[Connection]:
    """Those that can be read; `settings_can_be_read` and `rows_can_be_read` report the others."""
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
    hint = "Write one dict per connection, with provider_id, name, client_id, secret and settings."
    return [error("E601", f"{PLACE} is not a list of dicts.", hint=hint)]


def _mistakes(app: SocialApp, place: str) -> Messages:
    try:
        connection = Connection.from_settings(app.provider_id, app.name, app.client_id, app.secret, app.settings)
    except ConnectionConfigError as mistakes:
        hint = f"Fix it {place}. Until then nobody can sign in by this connection."
        return [error("E606", f"{mistakes}.", hint=hint)]
    return advice(connection)


def advice(connection: Connection) -> Messages:
    """What a site wants to know about a connection that can be read."""
    return [message for check in ADVICE for message in check(connection)] if connection.active else []


def srp_installed(connection: Connection) -> Messages:
    if not connection.needs_password or can_prove_passwords():
        return []
    text = f"The connection {connection.alias!r} asks for a password first, and the package pycognito is missing."
    hint = "Install the extra: pip install 'django-cognito-passwordless[srp]'. Until then nobody can sign in by it."
    return [error("E615", text, hint=hint)]


def attempts_for_a_password(connection: Connection) -> Messages:
    if not connection.needs_password or usable(lambda: conf.otp.max_attempts, 3) > 1:
        return []
    text = f"The connection {connection.alias!r} asks for a password first, and {SETTING}['OTP']['MAX_ATTEMPTS'] is "
    text += "1: the password uses it up, and no code can be entered."
    return [error("E616", text, hint="Set MAX_ATTEMPTS to 3: a password, a code, and one mistake.")]


def hosted_domain(connection: Connection) -> Messages:
    # Another OpenID provider says in its discovery document where its login is.
    hosted = connection.domain or "authorization_endpoint" in connection.endpoints or not connection.is_cognito
    if "oidc" not in connection.routes or hosted:
        return []
    text = f"The connection {connection.alias!r} offers hosted login and has no domain."
    return [warning("W607", text, hint="Set 'domain' to the pool's, or remove 'oidc' from 'routes'.")]


def phone_scope(connection: Connection) -> Messages:
    countries: list[str] = usable(lambda: conf.sms_countries, [])
    if not countries or "phone" in connection.scope or {"otp", "oidc"}.isdisjoint(connection.routes):
        return []
    text = f"The connection {connection.alias!r} does not read phone numbers, which people may sign in with."
    hint = "Add 'phone' to its 'scope', so that people who came by e-mail can use their number too."
    return [warning("W608", text, hint=hint)]


def disabled_after_hosted_login(connection: Connection) -> Messages:
    if "disable" not in connection.after_migration or connection.routes[0] != "oidc":
        return []
    text = f"The connection {connection.alias!r} sends people to hosted login first, and disables them in the pool "
    text += "after their migration: hosted login refuses them when they return."
    return [warning("W609", text, hint="Remove 'disable' from 'after_migration', or begin 'routes' with 'otp'.")]


ADVICE: Final = (srp_installed, attempts_for_a_password, hosted_domain, phone_scope, disabled_after_hosted_login)

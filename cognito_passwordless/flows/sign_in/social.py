"""A hosted sign-in as allauth's observers know one: `pre_social_login`, with a `SocialLogin` that says who came."""

from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import pre_social_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from ... import compat
from ...exceptions import MigrationRefused
from ...models import SUB_LENGTH, MigratedUser
from .verification import Proven


def social_login(request: HttpRequest, proven: Proven, next_url: str) -> SocialLogin | None:
    """The sign-in, with the account where there is one; nothing is saved. None for a sign-in by code. One statement
    for a connection from settings.

    allauth's own ``lookup`` is not used: it would store the claims, and look for users by e-mail address. Raises
    `MigrationRefused` for a sub that no table has room for, and where the connection's app has just gone.
    """
    if proven.method != MigratedUser.Method.COGNITO_OIDC or proven.connection is None:
        return None
    if len(proven.profile.sub) > SUB_LENGTH:
        raise MigrationRefused("sub_too_long")
    app = compat.social_app("cognito", proven.connection.alias)
    if app is None:
        raise MigrationRefused("no_connection")
    try:
        login: SocialLogin = app.get_provider(request).sociallogin_from_response(request, proven.claims)
    except ValidationError as error:  # of the site's `new_user` or `populate_user`
        raise MigrationRefused("value_refused") from error
    accounts = SocialAccount.objects.filter(provider=proven.connection.alias, uid=proven.profile.sub)
    account = accounts.select_related("user").first()
    if account is not None:
        account.extra_data = login.account.extra_data
        login.account, login.user = account, account.user
    login.state = {"process": "login", "next": next_url}
    return login


def announce(request: HttpRequest, login: SocialLogin) -> None:
    """Sends `pre_social_login`. A receiver or an adapter may stop the sign-in with a response of its own
    (`ImmediateHttpResponse`)."""
    compat.social_adapter().pre_social_login(request, login)
    pre_social_login.send(sender=SocialLogin, request=request, sociallogin=login)

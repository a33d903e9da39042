"""A connection that is gone, while people who came by it are still linked to it in allauth's table."""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..models import MigratedUser
from . import CognitoProvider


def was_a_connection(alias: str) -> bool:
    """Whether a person has signed in by a connection of this name. Two statements at most."""
    return (
        SocialAccount.objects.filter(provider=alias).exists()
        and MigratedUser.objects.filter(connection=alias).exists()
    )


def stand_in(request: HttpRequest, alias: str) -> Any:
    """A provider that says what it is, for allauth's pages. It opens no session: the login page decides that."""
    name = _("%(name)s (no longer used)") % {"name": alias}
    return CognitoProvider(request, app=SocialApp(provider=CognitoProvider.id, provider_id=alias, name=name))

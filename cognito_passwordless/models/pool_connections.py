"""The connections that are configured in the admin: allauth's rows as a proxy model.

The proxy has permissions of its own: staff who may edit a connection need not see the apps of other providers.
"""

from typing import ClassVar

from allauth.socialaccount.models import SocialApp
from django.utils.translation import gettext_lazy as _


class PoolConnection(SocialApp):
    """A `SocialApp` with provider ``cognito``; queries have to filter by it."""

    class Meta:
        proxy = True
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering: ClassVar = ["provider_id", "pk"]

    def __str__(self) -> str:
        return str(self.provider_id or self.name)

"""allauth's own page of apps shows every secret in clear. The connections have a page that does not, so they are taken
off that one; the apps of other providers stay there as they were.

Where the site has replaced allauth's page before ours are loaded, its own is kept, without the connections. One that
it registers later, or on another admin site, can do the same by `WithoutConnections`.
"""

from typing import Any

from allauth.socialaccount import admin as allauths  # noqa: F401  (its page has to be registered by now)
from allauth.socialaccount.models import SocialApp
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ..connections import PROVIDER
from .base import ModelAdmin


class WithoutConnections(ModelAdmin):
    """A page of `SocialApp`s that neither lists nor makes those of our provider."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.exclude(provider=PROVIDER)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)

        class WithoutOurs(form):  # type: ignore[misc]  # a class that is known only now
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                field: Any = self.fields.get("provider")
                if hasattr(field, "choices"):
                    field.choices = [choice for choice in field.choices if choice[0] != PROVIDER]

        return WithoutOurs


def hide(site: admin.AdminSite) -> None:
    """Takes the connections off the page of this admin site, where it has one."""
    if not site.is_registered(SocialApp):
        return
    page = type(site.get_model_admin(SocialApp))
    if not issubclass(page, WithoutConnections):
        site.unregister(SocialApp)
        site.register(SocialApp, type(page.__name__, (WithoutConnections, page), {}))


hide(admin.site)

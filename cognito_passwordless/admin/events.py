"""The timeline of all sign-ins, and the figures of each connection."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as now_translated
from django.utils.translation import gettext_lazy as _

from ..flows.progress import connections as connection_figures
from ..models import JourneyEvent
from .base import ReadOnlyAdmin
from .lists import ConnectionFilter, days_filter
from .words import sentence

NAME = "cognito_passwordless_journeyevent"


@admin.register(JourneyEvent)
class JourneyEventAdmin(ReadOnlyAdmin):
    """One step of one sign-in. ``data`` may hold anything the site chose to record."""

    list_display = ("at", "whole", "step", "outcome", "because", "route", "who", "duration_ms", "connection")
    list_filter = ("at", "outcome", "route", ConnectionFilter, days_filter("at"))
    sortable_by = ("at",)
    figures = "events"
    list_select_related = ("user",)
    search_fields = ("attempt", "cause")
    linked_by = ("attempt", "user", "step", "cause", "category")
    private = ("data",)
    because = sentence("cause", _("cause"))
    fields = (
        "at",
        "step",
        "outcome",
        "because",
        "category",
        "connection",
        "route",
        "duration_ms",
        "who",
        "attempt",
        "whole",
        "data",
    )

    def get_urls(self) -> list[URLPattern]:
        return [
            path("connections/", self.guarded(self.connections), name=f"{NAME}_connections"),
            path("connections.json", self.guarded(self.connections_json), name=f"{NAME}_connections_json"),
            *super().get_urls(),
        ]

    def connections(self, request: HttpRequest) -> HttpResponse:
        """What each connection was asked, how long it took, and how it went."""
        context = {
            **self.admin_site.each_context(request),
            "title": now_translated("Connections"),
            "opts": self.opts,
            "figures": connection_figures.read_connections(timezone.now()),
        }
        return TemplateResponse(request, "admin/cognito_passwordless/connections.html", context)

    def connections_json(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(
            connection_figures.read_connections(timezone.now()).as_json(), json_dumps_params={"indent": 2}
        )

    @admin.display(description=_("user"))
    def who(self, event: JourneyEvent) -> str:
        return self.person(event.user)

    @admin.display(description=_("whole sign-in"))
    def whole(self, event: JourneyEvent) -> Any:
        return self.link(str(event.attempt)[:8], f"{NAME}_changelist", attempt__exact=event.attempt)

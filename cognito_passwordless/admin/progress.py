"""How far the migration is: a page to look at every morning, and its figures as JSON and CSV."""

import csv
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from ..flows.progress import report
from ..flows.progress.types import Figures
from ..models import Progress
from . import charts
from .base import ModelAdmin
from .export import rows_of

View = Callable[[HttpRequest, Figures], HttpResponse]


@admin.register(Progress)
class ProgressAdmin(ModelAdmin):
    """The page stands where other models have their list, so the admin's index and menus link to it. It needs the
    permission ``cognito_passwordless.view_progress``."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """No page of a single row."""
        return [
            path("", self._guarded(self.page), name="cognito_passwordless_progress_changelist"),
            path("figures.json", self._guarded(self.as_json), name="cognito_passwordless_progress_json"),
            path("figures.csv", self._guarded(self.as_csv), name="cognito_passwordless_progress_csv"),
        ]

    def _guarded(self, view: View) -> Callable[..., HttpResponse]:
        def guarded(request: HttpRequest) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            figures = report.read_report(timezone.now(), request.GET.get("connection", ""))
            if not figures.known:
                raise Http404
            return view(request, figures)

        wrapped: Callable[..., HttpResponse] = self.admin_site.admin_view(guarded)
        return wrapped

    def page(self, request: HttpRequest, figures: Figures) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name_plural,
            "opts": self.opts,
            "figures": figures,
            "segments": charts.segments(figures.statuses),
            "chart": charts.per_day(figures.days),
            "is_open": not all(target.reached for target in figures.forecast.targets),
            "query": f"?{request.GET.urlencode()}" if figures.connection else "",
        }
        return TemplateResponse(request, "admin/cognito_passwordless/progress.html", context)

    def as_json(self, request: HttpRequest, figures: Figures) -> HttpResponse:
        return _to_save(JsonResponse(figures.as_json(), json_dumps_params={"indent": 2}), "json")

    def as_csv(self, request: HttpRequest, figures: Figures) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        csv.writer(response).writerows(rows_of(figures))
        return _to_save(response, "csv")


def _to_save(response: HttpResponse, kind: str) -> HttpResponse:
    response.headers["Content-Disposition"] = f'attachment; filename="migration-progress.{kind}"'
    return response

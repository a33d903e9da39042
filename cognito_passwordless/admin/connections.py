"""The connections: those of the settings to look at, those of the table to edit, and all of them to be tried out.

No page shows a secret. A user who may view and not edit gets a page of our own: Django's would show the row's columns.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from allauth.socialaccount.models import SocialApp
from django.contrib import admin, messages
from django.core.checks import CheckMessage
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from ..checks import connections as checks
from ..checks import cross_connection
from ..cognito import Connection, ConnectionConfigError
from ..cognito.connection_rules import SETTINGS
from ..connections import PROVIDER, is_retired
from ..flows.doctor import diagnose_connection
from ..flows.lifecycle import cutover
from ..models import ConnectionState, PoolConnection
from .base import VIEW_EVENTS, ModelAdmin
from .connection_form import PoolConnectionForm
from .words import STATES

NAME = "cognito_passwordless_poolconnection"
TEMPLATES = "admin/cognito_passwordless"
SECONDS = 5.0  # for each of the two rounds of a test: the operator waits for the page


@dataclass(frozen=True, slots=True)
class Entry:
    """One connection of the list. ``key`` is the row's, None for one of the settings; ``connection`` None where it
    cannot be read, and then ``trouble`` says why."""

    app: SocialApp
    key: Any
    connection: Connection | None
    trouble: str = ""


@admin.register(PoolConnection)
class PoolConnectionAdmin(ModelAdmin):
    form = PoolConnectionForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[PoolConnection]:
        rows: QuerySet[PoolConnection] = super().get_queryset(request)
        return rows.filter(provider=PROVIDER)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        form = self.form(instance=obj)
        first = ("provider_id", "name", "enabled", "retired", "region", "user_pool_id", "client_id", "new_secret")
        ways = (
            "clear_secret",
            "routes",
            "otp_flow",
            "first_factor",
            "session_minutes",
            "own_triggers",
            "lookup",
            "domains",
            "on_failure",
        )
        shown = [name for name in (*first, *ways) if name in form.fields]
        return [
            (None, {"fields": shown}),
            (_("More"), {"fields": [name for name in form.fields if name not in shown]}),
        ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("settings/<str:alias>/", view(self.of_settings), name=f"{NAME}_settings"),
            path("settings/<str:alias>/test/", view(self.test_of_settings), name=f"{NAME}_settings_test"),
            path("<int:key>/test/", view(self.test), name=f"{NAME}_test"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._must(self.has_view_or_change_permission(request))
        alias = router.db_for_read(PoolConnection)
        retired = {*ConnectionState.objects.filter(retired_at__isnull=False).values_list("alias", flat=True)}
        problems: list[CheckMessage] = [
            *checks.settings_can_be_read(),
            *checks.rows_can_be_read(databases=[alias]),
            *cross_connection.everywhere(databases=[alias]),
            *checks.unchanged_pools(databases=[alias]),
        ]
        return self._page(
            request,
            "connection_list.html",
            title=capfirst(self.opts.verbose_name_plural),
            entries=[_entry(app, retired) for app in (*checks.apps_of_settings(), *self.get_queryset(request))],
            told=problems,
            may_add=self.has_add_permission(request),
            may_see_figures=request.user.has_perm(VIEW_EVENTS),
        )

    @method_decorator(sensitive_post_parameters("new_secret"))
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        if object_id is None or self.has_change_permission(request):
            return super().changeform_view(request, object_id, form_url, extra_context)
        self._must(self.has_view_permission(request) and request.method in {"GET", "HEAD"})
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return self._detail(request, _entry(found, _retired_of(found)), from_settings=False)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for message in form.warnings:
            self.message_user(request, f"{message.msg} {message.hint}", messages.WARNING)
        if "retired" in form.changed_data:
            # A retirement is a transaction of its own: others must see it before it ends what they have begun.
            act = cutover.retire if form.cleaned_data["retired"] else cutover.unretire
            does = partial(act, form.connection, now=timezone.now(), by=str(request.user.pk))
            transaction.on_commit(does, using=router.db_for_write(PoolConnection))

    def of_settings(self, request: HttpRequest, alias: str) -> HttpResponse:
        self._must(self.has_view_or_change_permission(request))
        return self._detail(request, self._named(alias), from_settings=True)

    def test_of_settings(self, request: HttpRequest, alias: str) -> HttpResponse:
        self._must(self.has_change_permission(request))
        return self._test(request, self._named(alias))

    def test(self, request: HttpRequest, key: int) -> HttpResponse:
        self._must(self.has_change_permission(request))
        found = self.get_object(request, str(key))
        if found is None:
            raise Http404
        return self._test(request, _entry(found, _retired_of(found)))

    def _test(self, request: HttpRequest, entry: Entry) -> HttpResponse:
        """Asks the pool what a diagnosis asks: nothing is written there, and no one is signed in."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        found = [] if entry.connection is None else diagnose_connection(entry.connection, seconds=SECONDS)
        rows = [(STATES[finding.state], finding) for finding in found]
        return self._page(request, "connection_test.html", title=_("Connection test"), entry=entry, findings=rows)

    def _detail(self, request: HttpRequest, entry: Entry, *, from_settings: bool) -> HttpResponse:

        def written(value: Any) -> str:
            if isinstance(value, Mapping):
                return json.dumps(dict(value)) if value else ""
            return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)

        # Every setting by its name; of the secret, whether there is one.
        values: list[tuple[str, str]] = []
        if entry.connection is not None:
            names = ["alias", "name", "client_id", *SETTINGS]
            values = [(name, written(getattr(entry.connection, name))) for name in names]
            values.append(("secret", str(_("stored, never shown") if entry.app.secret else _("none"))))
        return self._page(
            request,
            "connection_detail.html",
            title=str(entry.app.provider_id or entry.app.name),
            entry=entry,
            values=values,
            from_settings=from_settings,
            may_test=self.has_change_permission(request),
        )

    def _named(self, alias: str) -> Entry:
        for app in checks.apps_of_settings():
            if app.provider_id == alias:
                return _entry(app, _retired_of(app))
        raise Http404

    def _page(self, request: HttpRequest, template: str, **more: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **more}
        return TemplateResponse(request, f"{TEMPLATES}/{template}", context)

    def _must(self, allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied


def _entry(app: SocialApp, retired: Iterable[str]) -> Entry:
    try:
        connection = Connection.from_settings(app.provider_id, app.name, app.client_id, app.secret, app.settings)
    except ConnectionConfigError as error:
        return Entry(app, app.pk, None, str(error))
    return Entry(app, app.pk, replace(connection, retired=True) if connection.alias in retired else connection)


def _retired_of(app: SocialApp) -> list[str]:
    return [app.provider_id] if is_retired(app.provider_id) else []

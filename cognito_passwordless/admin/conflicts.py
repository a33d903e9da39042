"""The queue of conflicts: both sides, the choices, a preview, a confirmation."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows.accounts.decisions import Decision
from ..flows.accounts.errors import ActionRefused
from ..flows.conflicts import cases, resolve
from ..flows.events.audit import attempt_of
from ..models import ConflictCase, MigratedUser
from .base import VIEW_EVENTS, ReadOnlyAdmin, hide, masked, may_see_addresses
from .lists import ConnectionFilter
from .timeline import attempts_for, events_of
from .words import CHOICES, EFFECTS, reason

RESOLVE = "cognito_passwordless.resolve_conflicts"


class DecidedFilter(admin.SimpleListFilter):
    """Undecided cases, or decided ones that await the person's proof."""

    title = _("decision")
    parameter_name = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Decided; awaiting the person's proof"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": _("Needs review")}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "yes":
            return queryset.filter(decision__isnull=False)
        return cases.undecided(queryset.filter(decision__isnull=True))


class ReasonFilter(admin.SimpleListFilter):
    """The reasons of the present cases."""

    title = _("reason")
    parameter_name = "last_error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        waiting = MigratedUser.objects.exclude(last_error="").order_by("last_error")
        found = waiting.filter(status__in=["conflict", "failed"]).values_list("last_error", flat=True).distinct()
        return [(word, reason(word)) for word in found]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(last_error=self.value()) if self.value() else queryset


@admin.register(ConflictCase)
class ConflictAdmin(ReadOnlyAdmin):
    """One case. What is decided here waits on the record until the person proves themselves."""

    list_display = ("short_sub", "why", "email", "phone_number", "decided", "connection", "imported_at")
    list_filter = (DecidedFilter, ConnectionFilter, ReasonFilter)
    search_fields = ("sub", "username", "email_key", "phone_key")
    addresses = ("username", "email", "phone_number")
    ordering = ("-pk",)
    masked_email = masked("email", _("e-mail address"))
    masked_phone_number = masked("phone_number", _("phone number"))

    class Media:
        css: ClassVar = {"all": ["cognito_passwordless/people.css"]}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(RESOLVE))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(RESOLVE))

    @admin.display(description=_("sub"), ordering="sub")
    def short_sub(self, row: MigratedUser) -> str:
        return row.sub[:8]

    @admin.display(description=_("reason"))
    def why(self, row: MigratedUser) -> Any:
        return reason(cases.reason_of(row)) or "-"

    @admin.display(description=_("decision"))
    def decided(self, row: MigratedUser) -> Any:
        decision = Decision.of(row)
        return CHOICES[decision.choice] if decision else "-"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        pk = unquote(object_id)
        rows: QuerySet[MigratedUser] = MigratedUser.objects.select_related("user")
        record = rows.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() else None
        if record is None:
            raise Http404
        if request.method != "POST":
            return self._page(request, record)
        key, now, by, url = request.POST.get("choice", ""), timezone.now(), str(request.user.pk), request.path
        if "withdraw" in request.POST:
            act = partial(resolve.withdraw, record.pk, now=now, by=by)
            if self._carried_out(request, record, act, "Decision withdrawn."):
                self.message_user(request, gettext("The decision was withdrawn."), messages.SUCCESS)
        elif "confirmed" in request.POST:
            decide = partial(resolve.decide, record.pk, key, now=now, by=by)
            if self._carried_out(request, record, decide, f"Decided: {key}."):
                decided = gettext("Decided: %(choice)s") % {"choice": CHOICES[key.partition(":")[0]]}
                self.message_user(request, decided, messages.SUCCESS)
                page = "admin:cognito_passwordless_conflictcase_changelist"
                url = reverse(page, current_app=self.admin_site.name)
        else:
            return self._page(request, record, key)
        return HttpResponseRedirect(url)

    def _page(self, request: HttpRequest, record: MigratedUser, key: str = "") -> HttpResponse:
        """The case; with a key, what that choice would do, to be confirmed."""
        case = cases.case_of(record)
        chosen = case.option(key)
        if key and chosen is None:
            self.message_user(request, reason("not_offered"), messages.ERROR)
        decision, timeline = Decision.of(record), ""
        if request.user.has_perm(VIEW_EVENTS):
            addresses = [address for address in (record.email, record.phone_number) if address]
            attempts = [attempt_of(record), *attempts_for(addresses)]
            timeline = events_of(self, attempts=attempts, user_id=record.user_id)
        shown = None
        if chosen:
            subs = {row.pk: row.sub[:8] for row in (record, *case.twins)}
            shown = {
                **self._option(chosen, request),
                "rows": [subs[pk] for pk in chosen.rows or (record.pk,)],
                "aside": [subs[pk] for pk in chosen.set_aside],
            }
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Conflict"),
            "subtitle": record.sub[:8],
            "opts": self.opts,
            "record": record,
            "reason": reason(case.reason),
            "settled": not case.reason and decision is None,
            "decision": CHOICES[decision.choice] if decision else "",
            "pool_facts": self._pool_facts(case, request),
            "sides": [
                {
                    "who": self.person(side.user),
                    "pk": side.user.pk,
                    "addresses": [self._address(each, verified, request) for each, verified in side.addresses.items()],
                    "carries_sub": side.carries_sub,
                    "obstacle": reason(side.obstacle),
                    "last_login": side.user.last_login,
                }
                for side in case.sides
            ],
            "twins": [
                {
                    "link": self.link(twin.sub[:8], "cognito_passwordless_conflictcase_change", twin.pk),
                    "connection": twin.connection,
                    "email": _shown(twin.email, request) or "-",
                    "phone_number": _shown(twin.phone_number, request) or "-",
                    "pool_status": twin.pool_status or "-",
                }
                for twin in case.twins
            ],
            "open": [self._option(option, request) for option in case.options if not option.why_not],
            "closed": [self._option(option, request) for option in case.options if option.why_not],
            "chosen": shown,
            "timeline": timeline,
        }
        return TemplateResponse(request, "admin/cognito_passwordless/conflict.html", context)

    def _pool_facts(self, case: cases.Case, request: HttpRequest) -> list[tuple[Any, Any]]:
        record = case.record
        return [
            (_("connection"), record.connection),
            (_("sub"), record.sub),
            (_("pool username"), _shown(record.username, request)),
            (_("e-mail address"), self._address(record.email, record.email in case.verified, request)),
            (_("phone number"), self._address(record.phone_number, record.phone_number in case.verified, request)),
            (_("status in the pool"), record.pool_status or "-"),
            (_("enabled in the pool"), _("yes") if record.pool_enabled else _("no")),
            (_("status"), record.get_status_display()),
        ]

    def _address(self, address: str, verified: bool, request: HttpRequest) -> Any:
        if not address:
            return "-"
        words = gettext("%(address)s (verified)") if verified else gettext("%(address)s (not verified)")
        return words % {"address": _shown(address, request)}

    def _option(self, option: cases.Option, request: HttpRequest) -> dict[str, Any]:
        return {
            "key": option.key,
            "label": CHOICES[option.choice],
            "user": f"{hide(str(option.user))} ({option.user.pk})" if option.user is not None else "",
            "address": _shown(option.address, request),
            "effects": [EFFECTS[effect] for effect in option.effects],
            "why_not": reason(option.why_not),
        }

    def _carried_out(self, request: HttpRequest, record: MigratedUser, act: Callable[[], object], log: str) -> bool:
        try:
            act()
        except ActionRefused as error:
            self.message_user(request, reason(error.reason), messages.ERROR)
            return False
        self.log_change(request, record, log)
        return True


def _shown(text: str, request: HttpRequest) -> str:
    return text if may_see_addresses(request) else hide(text)

"""The people of the pools, and how far they have come."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..flows.events.audit import attempt_of
from ..models import MigratedUser
from .base import ReadOnlyAdmin, masked
from .lists import CohortFilter, ConnectionFilter, SeenFilter, days_filter
from .people_actions import PeopleActions
from .timeline import attempts_for, events_of
from .words import sentence

ORDERS = {
    "days": ("-migrated_at", "-pk"),
    "seen": ("-active_at", "-pk"),
    "cohort": ("-status", "-imported_at", "-pk"),
}


@admin.register(MigratedUser)
class MigratedUserAdmin(PeopleActions, ReadOnlyAdmin):
    """One pool user. Undoing and erasing begin here; conflicts have a page of their own."""

    list_display = (
        "email",
        "phone_number",
        "status",
        "because",
        "method",
        "migrated_at",
        "who",
        "connection",
        "short_sub",
    )
    list_filter = (
        ConnectionFilter,
        "status",
        "method",
        SeenFilter,
        "pool_enabled",
        "migrated_at",
        CohortFilter,
        days_filter("migrated_at"),
    )
    list_select_related = ("user",)
    sortable_by = ("migrated_at",)  # the others have no index
    figures = "people"
    search_fields = ("sub", "username", "email_key", "phone_key")
    linked_by = ("user", "last_error")
    addresses = ("username", "email", "phone_number")
    private = ("attributes",)
    fields = (
        "connection",
        "pool",
        "sub",
        "username",
        "email",
        "phone_number",
        "attributes",
        "pool_status",
        "pool_enabled",
        "status",
        "method",
        "who",
        "imported_at",
        "migrated_at",
        "active_at",
        "because",
        "why_no_code",
        "timeline",
    )
    because = sentence("last_error", _("last error"))
    masked_username = masked("username", _("pool username"))
    masked_email = masked("email", _("e-mail address"))
    masked_phone_number = masked("phone_number", _("phone number"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The order of the index that the filter reads: another one would read everybody."""
        for parameter, order in ORDERS.items():
            if parameter in request.GET:
                return order
        if "connection" in request.GET and not request.GET.keys() & {"status__exact", "status__in"}:
            return ("-status", "-pk")
        return ("-pk",)

    @admin.display(description=_("Why no code?"))
    def why_no_code(self, row: MigratedUser) -> str:
        return self.link(_("See what happened"), "cognito_passwordless_challengesession_why", person=row.pk)

    @admin.display(description=_("sub"))
    def short_sub(self, row: MigratedUser) -> str:
        return row.sub[:8]

    @admin.display(description=_("user"))
    def who(self, row: MigratedUser) -> str:
        return self.person(row.user)

    @admin.display(description=_("timeline"))
    def timeline(self, row: MigratedUser) -> str:
        """What this user did, what was begun with their addresses, and what was done about them here."""
        addresses = [address for address in (row.email, row.phone_number) if address]
        attempts = [attempt_of(row), *attempts_for(addresses)]
        return events_of(self, attempts=attempts, user_id=row.user_id)

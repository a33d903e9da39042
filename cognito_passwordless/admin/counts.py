"""What is counted against guessing and flooding."""

import logging
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..flows.limits.conversion import LIMITS
from ..models import FailureCount, NumberBlock, SendCount
from ..otp.masking import mask
from .base import ModelAdmin, ReadOnlyAdmin, hide, masked

logger = logging.getLogger(__name__)


@admin.register(FailureCount)
class FailureCountAdmin(ReadOnlyAdmin):
    """Wrong codes per person. Clearing a count lets the person try again at once."""

    list_display = ("identifier", "counted_for", "count", "known", "failed_at")
    list_filter = ("failed_at",)
    search_fields = ("identifier",)
    addresses = ("identifier",)
    fields = ("identifier", "counted_for", "count", "known", "failed_at")
    ordering = ("-failed_at",)
    actions = ("clear",)
    masked_identifier = masked("identifier", _("identifier"))

    @admin.display(description=_("counted for"))
    def counted_for(self, row: FailureCount) -> str:
        """A browser that has signed in as this person before has a budget of its own (law 3)."""
        return gettext("their own browser") if row.browser else gettext("everybody")

    def has_clear_permission(self, request: HttpRequest) -> bool:
        """Who may change failure counts may clear them."""
        return bool(request.user.has_perm("cognito_passwordless.change_failurecount"))

    @admin.action(description=_("Clear the selected counts"), permissions=["clear"])
    def clear(self, request: HttpRequest, queryset: QuerySet[FailureCount]) -> None:
        rows = list(queryset.filter(Q(count__gt=0) | Q(known__gt=0)))
        queryset.filter(pk__in=[row.pk for row in rows]).update(count=0, known=0)
        for row in rows:
            count = row.count + row.known
            self.log_change(request, row, f"Cleared {count} failures.")
            logger.warning("User %s cleared %d failures of %s", request.user.pk, count, mask(row.identifier))
        told = ngettext("%(count)d count was cleared.", "%(count)d counts were cleared.", len(rows))
        self.message_user(request, told % {"count": len(rows)}, messages.SUCCESS)


@admin.register(SendCount)
class SendCountAdmin(ReadOnlyAdmin):
    """Messages and starts per person or network."""

    list_display = ("scope", "key", "count", "window_started_at")
    list_filter = ("window_started_at",)
    search_fields = ("key",)
    linked_by = ("scope",)
    addresses = ("key",)
    fields = ("scope", "key", "count", "window_started_at")
    ordering = ("-window_started_at",)

    @admin.display(description=_("key"))
    def masked_key(self, row: SendCount) -> str:
        """The key is an address, a network, or an address and the browser of its owner."""
        return hide(row.key.partition(" ")[0])


@admin.register(NumberBlock)
class NumberBlockAdmin(ReadOnlyAdmin):
    """Where codes are entered and where they are not. Deleting a row forgets it: a closed block is open then."""

    list_display = ("key", "closed_at", "next_probe", "share", "suspicion", "seen_at")
    list_filter = (("closed_at", admin.EmptyFieldListFilter),)
    search_fields = ("key",)
    linked_by = ("closed_at",)
    fields = ("key", "closed_at", "next_probe", "hits", "wait", "share", "suspicion", "seen_at")
    ordering = ("-closed_at", "key")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return ModelAdmin.has_delete_permission(self, request, obj)

    @admin.display(description=_("next probe"))
    def next_probe(self, row: NumberBlock) -> Any:
        return row.probe_at or "-"

    @admin.display(description=_("entered"))
    def share(self, row: NumberBlock) -> str:
        return f"{row.entered:.0f} / {row.sent:.0f}"

    @admin.display(description=_("suspicion"))
    def suspicion(self, row: NumberBlock) -> str:
        limit = LIMITS.get(row.key.partition(" ")[0])
        return f"{row.score / limit:.0%}" if limit else "-"

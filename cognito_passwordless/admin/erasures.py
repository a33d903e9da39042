"""Tombstones of erased people, without their identity. One can be lifted when the person asks to return."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .. import keys
from ..flows.accounts import tombstones
from ..models import Erasure
from .base import ReadOnlyAdmin
from .people_actions import ERASE
from .timeline import events_of


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """When an erased person tries to sign in, the attempt is on the timeline of their tombstone."""

    list_display = ("erased_at", "id", "connection", "has_key")
    list_filter = ("erased_at",)
    search_fields = ("id",)
    fields = ("id", "connection", "erased_at", "has_key", "timeline")
    actions = ("lift",)

    @admin.display(description=_("key is there"), boolean=True)
    def has_key(self, erasure: Erasure) -> bool:
        """Without its key, a tombstone has no effect."""
        return keys.keyring().find(erasure.key_fingerprint) is not None

    @admin.display(description=_("timeline"))
    def timeline(self, erasure: Erasure) -> str:
        return events_of(self, attempts=[erasure.pk])

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ERASE))

    @admin.action(description=_("Let the selected people come back"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Erasure]) -> None:
        rows = list(queryset)
        for erasure in rows:
            self.log_change(request, erasure, "Lifted.")
            tombstones.remove(erasure, now=timezone.now(), by=str(request.user.pk))
        told = ngettext("%(count)d tombstone was lifted.", "%(count)d tombstones were lifted.", len(rows))
        self.message_user(request, told % {"count": len(rows)}, messages.SUCCESS)

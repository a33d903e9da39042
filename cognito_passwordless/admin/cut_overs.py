"""What a cut-over has done to each connection, and who did it.

Leaving a pool, and coming back, is a command's business: its checklist counts everybody.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..flows.lifecycle import cutover
from ..models import ConnectionState
from .base import ReadOnlyAdmin
from .timeline import events_of


@admin.register(ConnectionState)
class CutOverAdmin(ReadOnlyAdmin):
    list_display = ("alias", "is_retired", "retired_at", "exported_at", "exported_rows")
    fields = ("alias", "is_retired", "retired_at", "exported_at", "exported_rows", "exported_digest", "timeline")
    search_fields = ("alias",)
    ordering = ("alias",)

    @admin.display(description=_("retired"), boolean=True)
    def is_retired(self, state: ConnectionState) -> bool:
        return state.retired_at is not None

    @admin.display(description=_("timeline"))
    def timeline(self, state: ConnectionState) -> str:
        return events_of(self, attempts=[cutover.attempt_of(state.alias)])

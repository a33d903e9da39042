"""The imports: when a pool was read, how far that came, and which of its rows could not be used."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..models import ImportProblem, ImportRun
from .base import ReadOnlyAdmin, hide
from .lists import ConnectionFilter

PROBLEMS = "cognito_passwordless_importproblem_changelist"


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """One walk through a directory, or one bulk activation. There are few of them, and problems by the thousand."""

    list_display = (
        "started_at",
        "id",
        "connection",
        "source",
        "state",
        "seen",
        "created",
        "updated",
        "unchanged",
        "skipped",
        "conflicts",
        "gone",
        "problem_list",
        "finished_at",
    )
    list_filter = (ConnectionFilter, "source", "state", "started_at")
    search_fields = ("id",)
    sortable_by = ("started_at",)
    fields = (
        "id",
        "connection",
        "source",
        "state",
        "started_at",
        "updated_at",
        "finished_at",
        "position",
        "expected",
        "seen",
        "created",
        "updated",
        "unchanged",
        "skipped",
        "conflicts",
        "gone",
        "problem_list",
        "last_error",
    )

    @admin.display(description=_("problems"))
    def problem_list(self, run: ImportRun) -> str:
        """Their number, and a link to them."""
        return self.link(run.problems, PROBLEMS, run__id__exact=run.pk) if run.problems else "0"


@admin.register(ImportProblem)
class ImportProblemAdmin(ReadOnlyAdmin):
    """One row that could not be used."""

    list_display = ("position", "whose", "reason", "detail", "run")
    list_filter = ("reason",)
    list_select_related = ("run",)
    search_fields = ("sub",)
    sortable_by = ("position",)
    linked_by = ("run",)
    fields = ("run", "position", "whose", "reason", "detail")

    @admin.display(description=_("sub"))
    def whose(self, problem: ImportProblem) -> str:
        return hide(problem.sub) or "-"

    def has_module_permission(self, request: HttpRequest) -> bool:
        """It is reached from its run, and is no page of the index."""
        return False

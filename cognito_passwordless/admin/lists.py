"""Lists of millions of rows: what they are filtered by, and how many there are without counting them.

The progress page links to them; `parameters` and `where` are the two directions of that link.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..connections import every
from ..flows.progress import lookup
from ..flows.progress.queries import STAGES, reached, within
from ..flows.progress.rollup import ACTIVE
from ..models import MigratedUser, Progress

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator  # which takes no parameters at run time

# What is counted in the table itself: every row up to here, and no row beyond it. FEW is what a page shows.
FEW = 100
MANY = 10_000
# The name in `flows.progress.lookup` to the parameter of the list's URL; those of `SEVERAL` end in `__in` where
# several are meant.
PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "people": {
        "status": "status__exact",
        "method": "method__exact",
        "reason": "last_error__exact",
        "connection": "connection",
        "cohort": "cohort",
        "active": "seen",
        "deleted": "user__isnull",
        "days": "days",
    },
    "events": {
        "step": "step__exact",
        "outcome": "outcome__exact",
        "cause": "cause__exact",
        "category": "category__exact",
        "connection": "connection",
        "days": "days",
    },
    "attempts": {"reached": "reached", "connection": "connection", "days": "days"},
    "budgets": {"name": "scope__exact"},
}
# Parameters of a list that do not choose rows.
ASIDE = frozenset({"o", "p", "all", "e"})


def parameters(rows: str, where: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the list that shows these rows."""
    return {
        PARAMETERS[rows][name].replace("__exact", "__in" if "," in value and name in lookup.SEVERAL else "__exact"): (
            value or NONE if name == "cohort" else value
        )
        for name, value in where.items()
    }


def where(rows: str, parameters: Mapping[str, str]) -> dict[str, str] | None:
    """What these parameters choose, or None where the roll-up does not know."""
    names = {parameter: name for name, parameter in PARAMETERS.get(rows, {}).items()}
    found = {}
    for parameter, value in parameters.items():
        if parameter in ASIDE:
            continue
        name = names.get(parameter.replace("__in", "__exact"))
        if name is None or (parameter.endswith("__in") and name not in lookup.SEVERAL):
            return None
        found[name] = "" if (name, value) == ("cohort", NONE) else value
    return found


NONE = "none"


class KnownCountPaginator(AnyPaginator):
    """Counts few rows itself, and takes the roll-up's count for more. ``beyond``: how many more is unknown."""

    beyond = False

    def __init__(self, *arguments: Any, known: Callable[[], int | None] = lambda: None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._known = known

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        known = self._known()
        most = MANY if known is None else FEW
        found = int(rows.order_by()[: most + 1].count())
        if found <= most:
            return found
        if known is None:
            self.beyond = True
            return most
        return max(known, found)


def known_count(rows: str, request: HttpRequest) -> int | None:
    """What the roll-up says of the list that a request asks for. At most one statement."""
    chosen = where(rows, request.GET.dict())
    try:
        return None if chosen is None else lookup.total(rows, chosen)
    except ValueError:
        return None


class ChosenFilter(SimpleListFilter):
    """A filter that others link to: it shows what was chosen, and offers nothing else."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.value()
        return [(chosen, chosen)] if chosen else []


class ConnectionFilter(ChosenFilter):
    """By connection: the configured ones, for asking the table which there are would read all of it."""

    title = _("connection")
    parameter_name = "connection"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = {connection.alias: connection.name or connection.alias for connection in every()}
        return list((dict(super().lookups(request, model_admin)) | known).items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(connection=self.value()) if self.value() else queryset


def days_filter(field: str) -> type[SimpleListFilter]:
    """By days in a row, of the site's time zone: ``2026-01-01..2026-01-07``."""

    class DaysFilter(ChosenFilter):
        title = _("days")
        parameter_name = "days"

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = self.value()
            if not chosen:
                return queryset
            try:
                return queryset.filter(within(field, *lookup.days_of(chosen)))
            except (ValueError, OverflowError):
                raise IncorrectLookupParameters from None

    return DaysFilter


class CohortFilter(ChosenFilter):
    """By the month in which people were imported."""

    title = _("cohort")
    parameter_name = "cohort"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        # Every status, by name: the index of cohorts begins with it.
        queryset = queryset.filter(status__in=MigratedUser.Status.values)
        if chosen == NONE:
            return queryset.filter(imported_at__isnull=True)
        try:
            first, _last = lookup.days_of(f"{chosen}-01..{chosen}-01")
        except ValueError:
            raise IncorrectLookupParameters from None
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return queryset.filter(within("imported_at", first, last))


class SeenFilter(SimpleListFilter):
    """By the last time a person was seen, as the roll-up counts it."""

    title = _("last seen")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("In the last %(days)d days") % {"days": ACTIVE.days})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "yes":
            return queryset
        since = Progress.objects.filter(pk=1).values_list("active_since", flat=True).first()
        return queryset.filter(active_at__gte=since or timezone.now() - ACTIVE)


class ReachedFilter(SimpleListFilter):
    """By how far a sign-in came, at least."""

    title = _("reached")
    parameter_name = "reached"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STAGE_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reached(self.value() or "")) if self.value() in STAGES else queryset


STAGE_NAMES = {
    "started": _("Started"),
    "sent": _("Sent"),
    "verified": _("Verified"),
    "signed_in": _("Signed in"),
    "migrated": _("Newly migrated"),
}

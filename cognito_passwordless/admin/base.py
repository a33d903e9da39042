"""What the pages have in common: nothing is changed, and addresses are masked."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet, UUIDField
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from ..cognito import is_storable
from ..exceptions import InvalidIdentifier
from ..identifiers import looks_like_address, looks_like_number, parse
from ..otp.masking import mask
from .lists import KnownCountPaginator, known_count

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # which takes no parameters at run time

VIEW_ADDRESSES = "cognito_passwordless.view_addresses"
VIEW_EVENTS = "cognito_passwordless.view_journeyevent"
MASKED = "masked_"


def may_see_addresses(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(VIEW_ADDRESSES))


def hide(text: str) -> str:
    """Masks what may be an address, and leaves everything else as it is. Many user names are addresses, or a number
    without its plus."""
    return mask(text) if looks_like_address(text) or looks_like_number(text) else text


class ReadOnlyAdmin(ModelAdmin):
    """A page of rows that cannot be added, changed or deleted here.

    ``addresses`` are fields with an address in them and ``private`` those that are not shown at all without the
    permission. ``search_fields`` are compared as a whole, and what is typed is normalised first. ``figures`` is what
    `flows.progress.lookup` calls these rows: lists count few rows themselves, and ask it for more.
    """

    figures: ClassVar[str] = ""

    addresses: ClassVar[Sequence[str]] = ()
    private: ClassVar[Sequence[str]] = ()
    linked_by: ClassVar[Sequence[str]] = ()
    search_help_text = _("Enter the whole value: partial values find nothing.")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> KnownCountPaginator:
        known = partial(known_count, self.figures, request)
        return KnownCountPaginator(queryset, per_page, orphans, allow_empty_first_page, known=known)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A filter that no database takes leads to the list without it, as Django's own mistakes in an address do."""
        if not all(is_storable(value) for _, values in request.GET.lists() for value in values):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def guarded(self, view: Callable[[HttpRequest], HttpResponse], *permissions: str) -> Callable[..., HttpResponse]:
        """A page of its own beside the list, for those who may view the rows and have these permissions too."""

        def seen(request: HttpRequest) -> HttpResponse:
            if not (self.has_view_permission(request) and request.user.has_perms(permissions)):
                raise PermissionDenied
            request.current_app = self.admin_site.name
            return view(request)

        wrapped: Callable[..., HttpResponse] = self.admin_site.admin_view(seen)
        return wrapped

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._visible(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = self._visible(request, super().get_fields(request, obj))
        # Without the permission to view events, the timeline is hidden here too.
        return [name for name in names if name != "timeline" or request.user.has_perm(VIEW_EVENTS)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Whole values only: by parts of them, a masked address could be spelled out letter by letter."""
        if not search_term:
            return queryset, False
        wanted = {search_term.strip()}
        with suppress(InvalidIdentifier):
            wanted.add(parse(search_term).value)
        found = Q(pk__in=[])
        for name in self.search_fields:
            if not isinstance(self.opts.get_field(name), UUIDField):
                found |= Q(**{f"{name}__in": wanted})
            else:
                with suppress(ValueError):
                    found |= Q(**{name: UUID(search_term.strip())})
        return queryset.filter(found), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The same for filters in the URL: Django would let ``?identifier__startswith=a`` through."""
        filters = (each if isinstance(each, str) else getattr(each, "parameter_name", "") for each in self.list_filter)
        allowed = {*self.linked_by, *filters, self.date_hierarchy or ""}
        return lookup.partition("__")[0] in allowed and super().lookup_allowed(lookup, value, request)

    def _visible(self, request: HttpRequest, names: Iterable[Any]) -> list[str]:
        if may_see_addresses(request):
            return list(names)
        return [f"{MASKED}{name}" if name in self.addresses else name for name in names if name not in self.private]

    def person(self, user: Any) -> str:
        """A link to a user's own page, where there is one. Many user models call people by their address."""
        if user is None:
            return "-"
        return self.link(hide(str(user)), f"{user._meta.app_label}_{user._meta.model_name}_change", user.pk)

    def link(self, text: object, page: str, *arguments: object, **query: object) -> str:
        """A link to a page of this admin; plain text where the site has no such page."""
        try:
            url = reverse(f"admin:{page}", args=arguments, current_app=self.admin_site.name)
        except NoReverseMatch:
            return str(text)
        wanted = {name: str(value) for name, value in query.items()}
        return format_html('<a href="{}{}">{}</a>', url, f"?{urlencode(wanted)}" if wanted else "", text)


def masked(name: str, description: Any) -> Any:
    """The column that stands for an address. It cannot be sorted by: the order would tell."""

    @admin.display(description=description)
    def column(self: ReadOnlyAdmin, row: Model) -> str:
        return hide(getattr(row, name)) or "-"

    return column

"""The phone numbers that people sign in with."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..models import PhoneNumber
from .base import ModelAdmin, ReadOnlyAdmin, masked


@admin.register(PhoneNumber)
class PhoneNumberAdmin(ReadOnlyAdmin):
    """A verified number signs its user in, so none can be added here. One that is no longer theirs can be deleted."""

    list_display = ("number", "verified", "who")
    list_filter = ("verified",)
    list_select_related = ("user",)
    search_fields = ("number",)
    linked_by = ("user",)
    addresses = ("number",)
    fields = ("number", "verified", "who")
    ordering = ("-pk",)
    masked_number = masked("number", _("number"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return ModelAdmin.has_delete_permission(self, request, obj)

    @admin.display(description=_("user"))
    def who(self, row: PhoneNumber) -> str:
        return self.person(row.user)

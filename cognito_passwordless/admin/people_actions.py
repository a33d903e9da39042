"""Undoing and erasing from the list of people: a preview for each person, a choice, a confirmation. And letting in
who is gone from the pool."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..flows.accounts.errors import ActionRefused
from ..flows.conflicts import resolve
from ..flows.lifecycle import erase, undo
from ..models import MigratedUser
from .base import ModelAdmin, hide, may_see_addresses
from .words import OUTCOMES, reason

UNDO = "cognito_passwordless.undo_migrations"
DECIDE = "cognito_passwordless.resolve_conflicts"
ERASE = "cognito_passwordless.erase_people"
MOST = 100  # people at a time; `cognito_undo` takes whole runs


class PeopleActions(ModelAdmin):
    """For the page of the pool users."""

    actions: Any = ("undo_migrations", "let_in", "erase_people")

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(UNDO))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(DECIDE))

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ERASE))

    @admin.action(description=_("Undo the selected migrations"), permissions=["undo"])
    def undo_migrations(self, request: HttpRequest, queryset: QuerySet[MigratedUser]) -> HttpResponse | None:
        rows = self._few(request, queryset)
        choice: Any = request.POST.get("choice")
        if rows is None:
            return None
        if choice in {"keep", "remove", "default"}:

            def act(row: MigratedUser) -> None:
                chosen, by = None if choice == "default" else choice, str(request.user.pk)
                outcome = undo.undo(row.pk, choice=chosen, now=timezone.now(), by=by).outcome
                self.log_change(request, row, f"Undone: {outcome}.")

            self._each(request, rows, act)
            return None
        people = [
            {
                **self._whom(request, found.record),
                "refusal": reason(found.refusal),
                "effect": OUTCOMES[found.outcome(found.default)],
                "gained": found.gained.items(),
                "blocked": reason(found.blocked),
            }
            for found in map(undo.preview, rows)
        ]
        choices = [
            ("default", _("As shown in the preview")),
            ("keep", _("Keep every Django user")),
            ("remove", _("Remove users made by the migration, with everything added since")),
        ]
        return self._confirm(
            request, _("Undo migrations"), action="undo_migrations", rows=rows, people=people, choices=choices
        )

    @admin.action(
        description=_("Let the selected people who are gone from the pool sign in anyway"), permissions=["decide"]
    )
    def let_in(self, request: HttpRequest, queryset: QuerySet[MigratedUser]) -> None:
        self._each(request, self._few(request, queryset) or (), lambda row: self._let_in(request, row))

    @admin.action(description=_("Erase the selected people"), permissions=["erase"])
    def erase_people(self, request: HttpRequest, queryset: QuerySet[MigratedUser]) -> HttpResponse | None:
        rows = self._few(request, queryset)
        choice = request.POST.get("choice")
        if rows is None:
            return None
        if choice in {"default", "keep", "remove"}:
            removes = {"default": None, "keep": False, "remove": True}[choice]

            def act(row: MigratedUser) -> None:
                done = erase.erase(row.pk, remove_user=removes, now=timezone.now(), by=str(request.user.pk))
                for tombstone in done.tombstones:
                    self.log_addition(
                        request, tombstone, f"Erased; user {'removed' if done.removed_user else 'kept'}."
                    )

            self._each(request, rows, act)
            return None
        people = []
        for row in rows:
            found = erase.preview(row)
            if row.user is None:
                effect = _("Forgotten; there is no Django user.")
            elif found.removes_user:
                effect = _("Forgotten; the Django user that the migration made is removed.")
            else:
                effect = _("Forgotten as a pool user; the Django user is kept.")
            others = ngettext(
                "%(count)d other record carries an address of theirs, and stays.",
                "%(count)d other records carry an address of theirs, and stay.",
                found.others,
            )
            shown = {
                **self._whom(request, row),
                "refusal": reason(found.refusal),
                "effect": effect,
                "gained": found.gained.items(),
                "blocked": reason(found.blocked),
                "others": others % {"count": found.others} if found.others else "",
            }
            people.append(shown)
        choices = [
            ("default", _("As shown in the preview")),
            ("keep", _("Keep every Django user")),
            ("remove", _("Remove the Django users, with all that belongs to them")),
        ]
        return self._confirm(
            request, _("Erase people"), action="erase_people", rows=rows, people=people, choices=choices
        )

    def _few(self, request: HttpRequest, queryset: QuerySet[MigratedUser]) -> list[MigratedUser] | None:
        rows = list(queryset.select_related("user").order_by("pk")[: MOST + 1])
        if len(rows) > MOST:
            told_limit = gettext("At most %(most)d people at a time. For a whole run, use cognito_undo.")
            self.message_user(request, told_limit % {"most": MOST}, messages.ERROR)
            return None
        return rows

    def _each(self, request: HttpRequest, rows: Iterable[MigratedUser], act: Callable[[MigratedUser], None]) -> None:
        done = 0
        for row in rows:
            try:
                act(row)
            except ActionRefused as error:
                # A person who was erased together with an earlier one of these is no failure.
                if error.reason != "no_such_person":
                    text = f"{row.sub[:8]}: {reason(error.reason)}"
                    self.message_user(request, text, messages.ERROR)
            else:
                done += 1
        if done:
            text = ngettext("%(count)d person: done.", "%(count)d people: done.", done)
            self.message_user(request, text % {"count": done}, messages.SUCCESS)

    def _let_in(self, request: HttpRequest, row: MigratedUser) -> None:
        resolve.let_in(row.pk, now=timezone.now(), by=str(request.user.pk))
        self.log_change(request, row, "Gone from the pool; may sign in anyway.")

    def _whom(self, request: HttpRequest, row: MigratedUser) -> dict[str, Any]:
        address = row.email or row.phone_number
        shown = address if may_see_addresses(request) else hide(address)
        return {"sub": row.sub[:8], "address": shown or "-", "user": hide(str(row.user)) if row.user else "-"}

    def _confirm(
        self,
        request: HttpRequest,
        title: Any,
        *,
        action: str,
        rows: list[MigratedUser],
        people: list[dict[str, Any]],
        choices: list[tuple[str, Any]],
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "action": action,
            "keys": [row.pk for row in rows],
            "people": people,
            "choices": choices,
        }
        return TemplateResponse(request, "admin/cognito_passwordless/people_action.html", context)

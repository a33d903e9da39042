"""Sign-ins and the messages that were sent for them."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from ..flows.doctor import diagnose_person
from ..identifiers import MAX_LENGTH
from ..models import ChallengeSession, Delivery, MigratedUser
from .base import VIEW_EVENTS, ReadOnlyAdmin, hide, masked, may_see_addresses
from .lists import ConnectionFilter, ReachedFilter, days_filter
from .timeline import events_of
from .words import STATES, sentence

NAME = "cognito_passwordless_challengesession"
ASK_POOL = "cognito_passwordless.change_poolconnection"


class WhyForm(forms.Form):
    """Whose code did not come. It is sent by POST: an address is in no link and no log of a server."""

    address = forms.CharField(label=_("E-mail address or phone number"), max_length=MAX_LENGTH)
    ip = forms.GenericIPAddressField(label=_("IP address they ask from"), required=False)
    ask_pool = forms.BooleanField(
        label=_("Ask the pool too"), help_text=_("They then count as active there this month."), required=False
    )


def _linked(request: HttpRequest) -> str:
    """The address of the row that a link to this page names by its key."""
    try:
        if person := MigratedUser.objects.filter(pk=request.GET.get("person") or 0).first():
            return person.email or person.phone_number
        sign_in = ChallengeSession.objects.filter(pk=request.GET.get("challenge") or UUID(int=0)).first()
    except (ValueError, ValidationError):
        return ""
    return sign_in.identifier if sign_in else ""


@admin.register(ChallengeSession)
class ChallengeSessionAdmin(ReadOnlyAdmin):
    """One attempt to sign in. What opens it (handle, pool session, key) is not even loaded."""

    list_display = (
        "created_at",
        "identifier",
        "channel",
        "route",
        "outcome",
        "attempts",
        "sends",
        "because",
        "connection",
    )
    list_filter = (
        "created_at",
        "outcome",
        ReachedFilter,
        "route",
        "channel",
        "sending",
        ConnectionFilter,
        days_filter("created_at"),
    )
    sortable_by = ("created_at",)
    figures = "attempts"
    search_fields = ("identifier", "id")
    addresses = ("identifier", "recipient", "pool_username")
    fields = (
        "id",
        "identifier",
        "channel",
        "route",
        "connection",
        "recipient",
        "pool_username",
        "because",
        "why_no_code",
        "outcome",
        "attempts",
        "generation",
        "sends",
        "sending",
        "answered_at",
        "verdict",
        "language",
        "hosted_login",
        "refusal_floor",
        "created_at",
        "last_sent_at",
        "expires_at",
        "messages",
        "timeline",
    )
    masked_identifier = masked("identifier", _("identifier"))
    masked_recipient = masked("recipient", _("recipient"))
    masked_pool_username = masked("pool_username", _("pool username"))
    because = sentence("decoy_reason", _("nothing was sent because"))

    def get_urls(self) -> list[URLPattern]:
        why = self.guarded(self.why, VIEW_EVENTS)
        return [path("why/", why, name=f"{NAME}_why"), *super().get_urls()]

    @method_decorator(sensitive_post_parameters("address"))
    def why(self, request: HttpRequest) -> HttpResponse:
        """Why one person got no code: the doctor's answer. Nothing is sent, counted or stored."""
        form = WhyForm(request.POST or None)
        if not request.user.has_perm(ASK_POOL):
            form.fields.pop("ask_pool")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Why no code?"),
            "opts": self.opts,
            "form": form,
        }
        asked: dict[str, Any] = form.cleaned_data if form.is_valid() else {"address": _linked(request)}
        if asked["address"]:
            context["case"] = case = diagnose_person(
                asked["address"],
                now=timezone.now(),
                ask_pool=asked.get("ask_pool", False),
                unmasked=may_see_addresses(request),
                ip=asked.get("ip", ""),
            )
            context["findings"] = [(STATES[finding.state], finding) for finding in case.findings]
        return TemplateResponse(request, "admin/cognito_passwordless/why.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChallengeSession]:
        rows: QuerySet[ChallengeSession] = super().get_queryset(request)
        return rows.defer("handle_hash", "pool_session", "key_fingerprint", "next_url")

    @admin.display(description=_("Why no code?"))
    def why_no_code(self, challenge: ChallengeSession) -> str:
        return self.link(_("See what happened"), f"{NAME}_why", challenge=challenge.pk)

    @admin.display(description=_("messages"))
    def messages(self, challenge: ChallengeSession) -> str:
        page = "cognito_passwordless_delivery_changelist"
        return self.link(challenge.deliveries.count(), page, challenge__id__exact=challenge.pk)

    @admin.display(description=_("timeline"))
    def timeline(self, challenge: ChallengeSession) -> str:
        return events_of(self, attempts=[challenge.pk])


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """One message, and what became of it."""

    list_display = (
        "started_at",
        "address",
        "channel",
        "status",
        "because",
        "copies",
        "finished_at",
        "provider_message_id",
    )
    list_filter = ("started_at", "status", "channel", "provider_down")
    search_fields = ("provider_message_id",)
    linked_by = ("challenge",)
    ordering = ("-pk",)
    because = sentence("cause", _("cause"))
    fields = (
        "attempt",
        "number",
        "generation",
        "channel",
        "status",
        "copies",
        "sender",
        "provider_message_id",
        "because",
        "provider_down",
        "for_everybody",
        "started_at",
        "finished_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = super().get_queryset(request)
        return rows.select_related("challenge")

    @admin.display(description=_("identifier"))
    def address(self, delivery: Delivery) -> Any:
        page = "cognito_passwordless_challengesession_change"
        return self.link(hide(delivery.challenge.identifier), page, delivery.challenge_id)

    @admin.display(description=_("challenge session"))
    def attempt(self, delivery: Delivery) -> Any:
        page = "cognito_passwordless_challengesession_change"
        return self.link(delivery.challenge, page, delivery.challenge_id)

"""Sign-ins and the messages that were sent for them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..models import ChallengeSession, Delivery
from .base import ReadOnlyAdmin, hide, masked
from .lists import ConnectionFilter, ReachedFilter, days_filter
from .timeline import events_of


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
        "decoy_reason",
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
        "decoy_reason",
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChallengeSession]:
        rows: QuerySet[ChallengeSession] = super().get_queryset(request)
        return rows.defer("handle_hash", "pool_session", "key_fingerprint", "next_url")

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
        "cause",
        "copies",
        "finished_at",
        "provider_message_id",
    )
    list_filter = ("started_at", "status", "channel", "provider_down")
    search_fields = ("provider_message_id",)
    linked_by = ("challenge",)
    ordering = ("-pk",)
    fields = (
        "attempt",
        "number",
        "generation",
        "channel",
        "status",
        "copies",
        "sender",
        "provider_message_id",
        "cause",
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

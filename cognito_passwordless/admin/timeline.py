"""The steps of a sign-in, in the order in which they happened, for the pages of challenges and people."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from ..models import ChallengeSession, JourneyEvent
from .base import ReadOnlyAdmin
from .words import reason

SHOWN = 50
EVENTS = "cognito_passwordless_journeyevent"


def _moment(at: datetime) -> str:
    return date_format(localtime(at) if is_aware(at) else at, "Y-m-d H:i:s")


def events_of(page: ReadOnlyAdmin, *, attempts: Collection[UUID] = (), user_id: Any = None) -> str:
    """The latest events of these attempts or of this user, in the order in which they happened. One statement."""
    about = Q(attempt__in=attempts)
    if user_id is not None:
        about |= Q(user_id=user_id)
    events = JourneyEvent.objects.filter(about).defer("data").order_by("-at", "-pk")[:SHOWN]
    rows = format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        (
            (
                page.link(_moment(event.at), f"{EVENTS}_change", event.pk),
                event.step,
                event.get_outcome_display(),
                reason(event.cause) or "-",
                event.get_route_display() or "-",
                event.connection or "-",
                "-" if event.duration_ms is None else f"{event.duration_ms} ms",
                page.link(_("whole sign-in"), f"{EVENTS}_changelist", attempt__exact=event.attempt),
            )
            for event in reversed(events)
        ),
    )
    return format_html("<table>{}</table>", rows) if rows else "-"


def attempts_for(addresses: Collection[str]) -> list[UUID]:
    """The latest sign-ins that were begun with one of these addresses. One statement."""
    begun = ChallengeSession.objects.filter(identifier__in=addresses).order_by("-created_at")
    return list(begun.values_list("pk", flat=True)[:SHOWN])

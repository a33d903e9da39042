"""Numbers with links, names for people, and bars: for the progress page in the admin."""

from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from ..admin.lists import STAGE_NAMES, parameters
from ..admin.words import reason
from ..flows.progress.types import Number
from ..models import MigratedUser

register = template.Library()
register.filter(reason)

LISTS = {
    "people": "migrateduser",
    "events": "journeyevent",
    "attempts": "challengesession",
    "budgets": "sendcount",
}


@register.filter
def grouped(value: int) -> str:
    """A number as people write it: 1,234,567."""
    return str(number_format(value, force_grouping=True))


@register.filter
def one_place(value: float) -> str:
    """63.4, without a place where there is nothing in it."""
    return str(number_format(value, 0 if value == int(value) else 1, force_grouping=True))


@register.simple_tag(takes_context=True)
def number(context: RequestContext, counted: Number) -> Any:
    """A number, which leads to the rows behind it where the reader may see them."""
    request, page = context["request"], LISTS[counted.rows]
    text = grouped(counted.value)
    if not request.user.has_perm(f"cognito_passwordless.view_{page}"):
        return text
    try:
        url = reverse(f"admin:cognito_passwordless_{page}_changelist", current_app=request.current_app)
    except NoReverseMatch:
        return text
    # Nothing behind it: it steps back, so that the others are seen.
    kind = "number" if counted.value else "zero"
    where = urlencode(parameters(counted.rows, counted.where))
    return format_html('<a class="cpwp-{}" href="{}?{}">{}</a>', kind, url, where, text)


@register.simple_tag
def bar(percent: float, kind: str = "migrated") -> Any:
    """A bar of 0 to 100; the number stands beside it."""
    return format_html(
        '<svg class="cpwp-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="cpwp-track" width="100" height="8"/>'
        '<rect class="cpwp-{}" width="{}" height="8"/></svg>',
        kind,
        f"{min(100.0, max(0.0, percent)):.1f}",
    )


@register.filter
def status_name(status: str) -> str:
    return str(MigratedUser.Status(status).label)


@register.filter
def method_name(method: str) -> str:
    return str(MigratedUser.Method(method).label)


@register.filter
def stage_name(stage: str) -> str:
    return str(STAGE_NAMES[stage])


@register.filter
def budget_name(name: str) -> str:
    """A key of ``LIMITS`` in words."""
    return {
        "emails_per_day": _("E-mails"),
        "sms_per_day": _("SMS"),
        "sms_per_country": _("SMS to one country"),
        "unknown_messages_per_day": _("Messages to unknown addresses"),
    }.get(name, name)


@register.filter
def hours(seconds: int) -> str:
    """A window of a limit."""
    if seconds % 3600:
        return _("%(count)s minutes") % {"count": grouped(max(1, seconds // 60))}
    return _("%(count)s hours") % {"count": grouped(seconds // 3600)}

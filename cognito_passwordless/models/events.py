"""The timeline: each step of a sign-in, for diagnosis."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import ALIAS_LENGTH, Route


class JourneyEvent(models.Model):
    """One step of one sign-in with its outcome, for diagnosis. ``attempt`` ties the steps of a sign-in together."""

    class Outcome(models.TextChoices):
        OK = "ok", _("OK")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    attempt = models.UUIDField(_("attempt"), db_index=True)
    at = models.DateTimeField(_("at"), db_index=True)
    step = models.CharField(_("step"), max_length=20)
    outcome = models.CharField(_("outcome"), max_length=7, choices=Outcome)
    cause = models.CharField(_("cause"), max_length=60, blank=True)
    category = models.CharField(_("category"), max_length=13, blank=True)
    connection = models.CharField(_("connection"), max_length=ALIAS_LENGTH, blank=True)
    route = models.CharField(_("route"), max_length=12, choices=Route, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("user")
    )
    data = models.JSONField(_("data"), null=True, blank=True)

    class Meta:
        verbose_name = _("journey event")
        verbose_name_plural = _("journey events")
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["step", "outcome", "at"], name="cpw_event_step"),
            models.Index(fields=["cause", "at"], condition=~models.Q(cause=""), name="cpw_event_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}"

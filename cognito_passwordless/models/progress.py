"""The migration's progress, counted ahead of time so that no page counts millions of rows.

`flows.progress.rollup` writes these tables."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import ALIAS_LENGTH, Route


class Progress(models.Model):
    """The scope of the figures; one row. The permission ``view_progress`` shows them.

    ``events_kept_since`` and ``attempts_kept_since``: what is older has been purged, so those days are not counted
    again. ``forecasts`` holds one forecast for each connection and, under the empty name, one for all.
    """

    as_of = models.DateTimeField(_("as of"), null=True, blank=True)
    active_since = models.DateTimeField(_("active since"), null=True, blank=True)
    time_zone = models.CharField(_("time zone of the days"), max_length=64, blank=True)
    events_kept_since = models.DateTimeField(_("events kept since"), null=True, blank=True)
    attempts_kept_since = models.DateTimeField(_("challenge sessions kept since"), null=True, blank=True)
    forecasts = models.JSONField(_("forecasts"), default=dict, blank=True)

    class Meta:
        verbose_name = _("migration progress")
        verbose_name_plural = _("Migration progress")
        default_permissions: ClassVar = ["view"]

    def __str__(self) -> str:
        return str(self.as_of or "-")


class PeopleFigure(models.Model):
    """How many pool users have these values. ``cohort`` is a month such as ``2026-01``, empty if they were never
    imported; ``active``: seen since `Progress.active_since`; ``deleted``: migrated, and the Django user is deleted."""

    connection = models.CharField(_("connection"), max_length=ALIAS_LENGTH)
    status = models.CharField(_("status"), max_length=8)
    method = models.CharField(_("method"), max_length=12, blank=True)
    last_error = models.CharField(_("last error"), max_length=60, blank=True)
    cohort = models.CharField(_("cohort"), max_length=7, blank=True)
    active = models.BooleanField(_("active"), default=False)
    deleted = models.BooleanField(_("Django user deleted"), default=False)
    count = models.PositiveBigIntegerField(_("count"))

    class Meta:
        verbose_name = _("figure of people")
        verbose_name_plural = _("figures of people")
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "status", "method", "last_error", "cohort", "active", "deleted"],
                name="cpw_people_figure_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.status}: {self.count}"


class DailyFigure(models.Model):
    """Counts of one day, which outlive the rows that they count.

    Of people: those who were migrated; ``route`` is the method. Of events: each step with its outcome, how often and,
    where a pool was asked, for how long: ``within_ms`` is the upper end of the bucket, 0 where nothing was timed. Of
    attempts (challenge sessions): those begun on this day, ``step`` being the last one reached.
    """

    class Kind(models.TextChoices):
        PEOPLE = "people", _("People")
        EVENTS = "events", _("Events")
        ATTEMPTS = "attempts", _("Attempts")

    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    connection = models.CharField(_("connection"), max_length=ALIAS_LENGTH, blank=True)
    step = models.CharField(_("step"), max_length=20, blank=True)
    outcome = models.CharField(_("outcome"), max_length=7, blank=True)
    cause = models.CharField(_("cause"), max_length=60, blank=True)
    category = models.CharField(_("category"), max_length=13, blank=True)
    route = models.CharField(_("route"), max_length=12, choices=Route, blank=True)
    within_ms = models.PositiveIntegerField(_("within (ms)"), default=0)
    count = models.PositiveBigIntegerField(_("count"))
    total_ms = models.PositiveBigIntegerField(_("duration of all (ms)"), default=0)

    class Meta:
        verbose_name = _("daily figure")
        verbose_name_plural = _("daily figures")
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "kind",
                    "day",
                    "connection",
                    "step",
                    "outcome",
                    "cause",
                    "category",
                    "route",
                    "within_ms",
                ],
                name="cpw_daily_figure_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.step}: {self.count}"

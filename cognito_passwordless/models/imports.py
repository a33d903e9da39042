"""Imports of a pool's directory: the runs, and the rows that could not be used."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .base import ALIAS_LENGTH, SUB_LENGTH

# One run at a time for each connection: a second one violates this constraint.
ONE_AT_A_TIME = "cpw_import_run_one_at_a_time"


class ImportRun(models.Model):
    """One pass through a directory. ``position`` rows are done, and ``page_token`` says where to go on.

    Every row that was seen is in exactly one of ``created``, ``updated``, ``unchanged`` and ``skipped``. ``conflicts``
    are those of the written rows that an operator now has to decide.
    """

    class Source(models.TextChoices):
        POOL = "pool", _("The pool")
        CSV = "csv", _("CSV file")
        ACTIVATION = "activation", _("Bulk activation")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Finished")
        FAILED = "failed", _("Failed")
        INTERRUPTED = "interrupted", _("Interrupted")

    connection = models.CharField(_("connection"), max_length=ALIAS_LENGTH)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.POOL)
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.RUNNING)
    # The process that works on it, the only one that may write to it; empty while none does.
    holder = models.CharField(max_length=150, blank=True, editable=False)
    page_token = models.TextField(blank=True, editable=False)
    # Of the file that is read: a run is never continued with another file.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    position = models.PositiveBigIntegerField(_("position"), default=0)
    expected = models.PositiveBigIntegerField(_("rows expected"), null=True, blank=True)

    seen = models.PositiveBigIntegerField(_("seen"), default=0)
    created = models.PositiveBigIntegerField(_("created"), default=0)
    updated = models.PositiveBigIntegerField(_("updated"), default=0)
    unchanged = models.PositiveBigIntegerField(_("unchanged"), default=0)
    skipped = models.PositiveBigIntegerField(_("skipped"), default=0)
    conflicts = models.PositiveBigIntegerField(_("conflicts"), default=0)
    problems = models.PositiveBigIntegerField(_("problems"), default=0)
    # How many people a full import did not find in the pool any more.
    gone = models.PositiveBigIntegerField(_("gone"), default=0)

    started_at = models.DateTimeField(_("started"), db_index=True)
    updated_at = models.DateTimeField(_("last sign of life"))
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering: ClassVar = ["-started_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection"], condition=Q(state="running"), name=ONE_AT_A_TIME)
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_source_display()} ({self.pk})"


class SeenPeople(models.Model):
    """The primary keys of unchanged people on a page of a run: their records are not written, and the end of the run
    needs to know who was seen. Deleted at that end."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="seen_people")
    people = models.TextField()

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.run_id}: {self.pk}"


class ImportProblem(models.Model):
    """A row of the directory that could not be used. ``position`` counts the rows of the run from 1."""

    class Reason(models.TextChoices):
        MALFORMED = "malformed", _("Not a row of a directory")
        NO_SUB = "no_sub", _("No sub")
        NO_USERNAME = "no_username", _("No user name")
        DUPLICATE = "duplicate", _("The same sub again; the later row counts")
        TOO_LONG = "too_long", _("A value is too long")
        NOT_TEXT = "not_text", _("A value is no text")
        NOT_UNDERSTOOD = "not_understood", _("A value is not understood")
        REFUSED = "refused", _("The database refuses it")
        FAILED = "failed", _("Could not be activated")

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="problem_rows", verbose_name=_("import"))
    position = models.PositiveBigIntegerField(_("position"))
    sub = models.CharField(_("sub"), max_length=SUB_LENGTH, blank=True)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    detail = models.CharField(_("detail"), max_length=100, blank=True)  # names of fields, never their values

    class Meta:
        verbose_name = _("import problem")
        verbose_name_plural = _("import problems")
        ordering: ClassVar = ["run", "position"]
        constraints: ClassVar = [
            # A page that is read again adds none.
            models.UniqueConstraint(fields=["run", "position", "reason"], name="cpw_import_problem_once")
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.get_reason_display()}"

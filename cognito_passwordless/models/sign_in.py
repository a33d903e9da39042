"""Attempts to sign in: the challenges, the counters, and the messages."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..identifiers import MAX_LENGTH
from ..otp.masking import mask
from .base import ALIAS_LENGTH, CHANNEL_CHOICES, Route, WrittenManager


class ChallengeSession(models.Model):
    """One attempt to sign in. The browser holds a random handle, this row only its hash (law 5)."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")  # a hosted login's one answer has been taken
        PROVEN = "proven", _("Proven")  # by a pool that was asked in the background; the browser has to come for it
        VERIFIED = "verified", _("Verified")
        SUPERSEDED = "superseded", _("Superseded")

    class Verdict(models.TextChoices):
        """On the latest answer; empty while it is being checked. A right one is an outcome."""

        REFUSED = "refused", _("Refused")
        UNCHECKED = "unchecked", _("Could not be checked")

    class Sending(models.TextChoices):
        """Whether the worker has finished; the same for every identifier, decoys included (law 4)."""

        QUEUED = "queued", _("Queued")
        DONE = "done", _("Finished")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle_hash = models.CharField(max_length=64, unique=True, editable=False)
    identifier = models.CharField(_("identifier"), max_length=MAX_LENGTH, db_index=True)
    # As it was typed, where that is another spelling: a pool may know no other.
    spelling = models.CharField(max_length=MAX_LENGTH, blank=True, editable=False)
    channel = models.CharField(_("channel"), max_length=5, choices=CHANNEL_CHOICES)
    purpose = models.CharField(_("purpose"), max_length=20, default="sign_in")
    language = models.CharField(_("language"), max_length=15, blank=True)
    next_url = models.TextField(_("next page"), blank=True)
    # Of a step that a site's own view asked for: the claims that it wants, with spaces between.
    scope = models.TextField(blank=True, editable=False)

    # Derived from the configuration alone when the challenge starts, so that no page has to look it up again.
    hosted_login = models.CharField(_("hosted login offered"), max_length=ALIAS_LENGTH, blank=True)
    refusal_floor = models.FloatField(_("refusal floor (seconds)"), default=0)
    password_offered = models.BooleanField(_("password offered"), default=False)
    known_browser = models.CharField(max_length=32, blank=True, editable=False)

    # Chosen by the worker. Whose wrong answers are counted together; blank for a person whom it does not know.
    account = models.CharField(max_length=MAX_LENGTH, blank=True, editable=False)
    route = models.CharField(_("route"), max_length=12, choices=Route, blank=True)
    connection = models.CharField(_("connection"), max_length=ALIAS_LENGTH, blank=True)
    recipient = models.CharField(_("recipient"), max_length=MAX_LENGTH, blank=True)
    decoy_reason = models.CharField(_("nothing was sent because"), max_length=40, blank=True)
    pool_username = models.CharField(max_length=MAX_LENGTH, blank=True, editable=False)
    pool_challenge = models.CharField(max_length=40, blank=True, editable=False)
    pool_session = models.TextField(blank=True, editable=False)  # encrypted

    # The state of `otp.machine.Challenge`.
    key_fingerprint = models.CharField(max_length=16, editable=False)
    code_length = models.PositiveSmallIntegerField(editable=False)
    generation = models.PositiveSmallIntegerField(_("generation"), default=1)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sends = models.PositiveSmallIntegerField(_("sends"), default=1)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.OPEN)
    sending = models.CharField(_("sending"), max_length=6, choices=Sending, default=Sending.QUEUED)
    answered_at = models.DateTimeField(_("last answer"), null=True, blank=True)
    verdict = models.CharField(_("verdict on it"), max_length=9, choices=Verdict, blank=True)
    created_at = models.DateTimeField(_("started"), db_index=True)
    last_sent_at = models.DateTimeField(_("last send requested"))
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    objects: ClassVar[models.Manager["ChallengeSession"]] = WrittenManager()

    class Meta:
        verbose_name = _("challenge session")
        verbose_name_plural = _("challenge sessions")
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["answered_at"], condition=models.Q(verdict="unchecked"), name="cpw_unchecked")
        ]

    def __str__(self) -> str:
        return f"{mask(self.identifier)} ({self.pk})"


class FailureCount(models.Model):
    """Failed answers in a row for one identifier, and for one account with all its identifiers, across challenges,
    channels and routes (law 3). Only a success ends the row.

    Of two rows of an answer, one has the ``identifier`` that was typed, and one the key of its account (`ACCOUNTS`).
    ``browser`` is empty there; ``count`` is of browsers that nobody knows, ``known`` of those that have signed in as
    this person before. One of these has a row of its own too, with the account and its id: ``count`` is its own.
    """

    # What keys of accounts that exist begin with.
    ACCOUNTS: ClassVar = ("user ", "pool ")

    identifier = models.CharField(_("identifier"), max_length=MAX_LENGTH + 10)
    browser = models.CharField(_("browser"), max_length=32, blank=True)
    count = models.PositiveIntegerField(_("failures"), default=0)
    known = models.PositiveIntegerField(_("failures in known browsers"), default=0)
    failed_at = models.DateTimeField(_("latest failure"), default=timezone.now, db_index=True)

    objects: ClassVar[models.Manager["FailureCount"]] = WrittenManager()

    class Meta:
        verbose_name = _("failure count")
        verbose_name_plural = _("failure counts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["identifier", "browser"], name="cpw_failure_count_once")
        ]

    def __str__(self) -> str:
        return f"{mask(self.identifier)}: {self.count}"


class SendCount(models.Model):
    """Messages or starts counted for one key (an identifier, an address, a prefix) in the current window."""

    scope = models.CharField(_("limit"), max_length=30)
    key = models.CharField(_("key"), max_length=MAX_LENGTH)
    count = models.PositiveIntegerField(_("count"), default=0)
    window_started_at = models.DateTimeField(_("counted since"), default=timezone.now, db_index=True)

    objects: ClassVar[models.Manager["SendCount"]] = WrittenManager()

    class Meta:
        verbose_name = _("send count")
        verbose_name_plural = _("send counts")
        constraints: ClassVar = [models.UniqueConstraint(fields=["scope", "key"], name="cpw_send_count_once")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.count}"


class NumberBlock(models.Model):
    """What `flows.limits.conversion` keeps of a range of numbers, a network or a country; no person's number.

    ``sent`` and ``entered`` fade with time. ``probe`` is the challenge that is let through to a closed block now, and
    ``hits`` how many in a row were entered; ``looked_at``, of the site's own row, is how far the task has counted.
    """

    key = models.CharField(_("numbers"), max_length=30, primary_key=True)
    sent = models.FloatField(_("sent"), default=0)
    entered = models.FloatField(_("entered"), default=0)
    score = models.FloatField(_("suspicion"), default=0)
    seen_at = models.DateTimeField(_("last message"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    probe_at = models.DateTimeField(_("next probe"), null=True, blank=True)
    probe = models.UUIDField(null=True, blank=True, editable=False)
    wait = models.DurationField(_("time between probes"), default=timedelta(hours=1))
    hits = models.PositiveSmallIntegerField(_("probes entered"), default=0)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager["NumberBlock"]] = WrittenManager()

    class Meta:
        verbose_name = _("block of numbers")
        verbose_name_plural = _("blocks of numbers")

    def __str__(self) -> str:
        return self.key


class Delivery(models.Model):
    """One message that a worker was asked to send, and its outcome. Never the code."""

    class Status(models.TextChoices):
        SENDING = "sending", _("Sending")
        WAITING = "waiting", _("Will be tried again")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Perhaps sent")
        SKIPPED = "skipped", _("Nothing to send")

    challenge = models.ForeignKey(ChallengeSession, models.CASCADE, related_name="deliveries")
    number = models.PositiveSmallIntegerField(_("number"))
    generation = models.PositiveSmallIntegerField(_("generation"))
    channel = models.CharField(_("channel"), max_length=5, choices=CHANNEL_CHOICES)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.SENDING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=1)
    copies = models.PositiveSmallIntegerField(_("copies possibly sent"), default=0)
    sender = models.CharField(_("sender"), max_length=200, blank=True)
    provider_message_id = models.CharField(_("provider's message id"), max_length=200, blank=True)
    cause = models.CharField(_("cause"), max_length=60, blank=True)
    # Of what may fail for everybody, several people's messages fail; what does by its nature, needs one.
    provider_down = models.BooleanField(_("the provider was down"), default=False)
    for_everybody = models.BooleanField(_("failed for everybody"), default=False)
    started_at = models.DateTimeField(_("begun"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects: ClassVar[models.Manager["Delivery"]] = WrittenManager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [models.UniqueConstraint(fields=["challenge", "number"], name="cpw_delivery_once")]
        indexes: ClassVar = [models.Index(fields=["channel", "-finished_at"], name="cpw_delivery_latest")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_status_display()}"

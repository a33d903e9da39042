"""The people of the pools: their records, phone numbers, tombstones, and pending notices to a pool."""

from typing import Any, ClassVar, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from ..cognito import is_true
from ..identifiers import MAX_LENGTH
from ..identity.addresses import email_key, phone_key
from ..otp.masking import mask
from .base import ALIAS_LENGTH, SUB_LENGTH
from .imports import ImportRun


class MigratedUser(models.Model):
    """The record of one pool user. A person is (pool, sub); ``connection`` is only a name (law 7)."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        MIGRATED = "migrated", _("Migrated")
        CONFLICT = "conflict", _("Conflict")
        FAILED = "failed", _("Failed")
        EXCLUDED = "excluded", _("Excluded")
        GONE = "gone", _("Gone from the pool")

    class Method(models.TextChoices):
        COGNITO_OTP = "cognito_otp", _("Cognito's code")
        COGNITO_OIDC = "cognito_oidc", _("Cognito's hosted login")
        LOCAL_OTP = "local_otp", _("Our code")
        BULK = "bulk", _("Activated in bulk")

    # No sign-in is expected: an operator excluded them, or a full import did not find them in the pool any more.
    OUT: ClassVar = (Status.EXCLUDED, Status.GONE)

    connection = models.CharField(_("connection"), max_length=ALIAS_LENGTH)
    pool = models.CharField(_("pool"), max_length=255)
    sub = models.CharField(_("sub"), max_length=SUB_LENGTH)
    username = models.CharField(_("pool username"), max_length=MAX_LENGTH, blank=True)
    email = models.CharField(_("e-mail address"), max_length=MAX_LENGTH, blank=True)
    phone_number = models.CharField(_("phone number"), max_length=32, blank=True)
    # The two as `identity.addresses` compares them: a pool keeps an address as it was typed, and may know no other.
    email_key = models.CharField(max_length=MAX_LENGTH, blank=True, editable=False)
    phone_key = models.CharField(max_length=32, blank=True, editable=False)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    pool_status = models.CharField(_("status in the pool"), max_length=30, blank=True)
    pool_enabled = models.BooleanField(_("enabled in the pool"), default=True)
    pool_created_at = models.DateTimeField(_("created in the pool"), null=True, blank=True)
    pool_modified_at = models.DateTimeField(_("modified in the pool"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING)
    method = models.CharField(_("method"), max_length=12, choices=Method, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("user")
    )
    imported_at = models.DateTimeField(_("imported"), null=True, blank=True)
    # The import that last wrote this row, and a digest of what it wrote: a row that has not changed costs no write.
    import_run = models.ForeignKey(
        ImportRun, models.SET_NULL, null=True, blank=True, related_name="people", verbose_name=_("import")
    )
    digest = models.CharField(max_length=32, blank=True, editable=False)
    # Several rows carry its address: of one person or of several, an operator decides. Written by the imports.
    shares_address = models.BooleanField(_("shares an address"), default=False)
    migrated_at = models.DateTimeField(_("migrated"), null=True, blank=True)
    # The last sign-in that was seen, here or in the pool; there may have been others.
    active_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=60, blank=True)
    # What the migration changed (`flows.accounts.changes`): an undo reverts exactly that.
    changes = models.JSONField(default=dict, blank=True, editable=False)
    # An operator's decision about a conflict, until the person proves themselves (`flows.accounts.decisions`).
    decision = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("migrated user")
        verbose_name_plural = _("migrated users")
        # For all pages of the admin: without it, addresses are masked.
        permissions: ClassVar = [
            ("view_addresses", _("Can see full addresses")),
            ("resolve_conflicts", _("Can decide conflicts")),
            ("undo_migrations", _("Can undo migrations")),
            ("erase_people", _("Can erase people")),
        ]
        constraints: ClassVar = [models.UniqueConstraint(fields=["pool", "sub"], name="cpw_migrated_user_once")]
        # Each list that the progress page links to is read in the order of one of these, however many people there
        # are. What an import never fills costs it nothing. Not `db_index`, which makes two of each on PostgreSQL:
        # nothing here is searched for by its beginning.
        indexes: ClassVar = [
            models.Index(
                fields=["email_key", "phone_key"], condition=models.Q(shares_address=True), name="cpw_people_twins"
            ),
            models.Index(fields=["email_key"], name="cpw_people_email"),
            models.Index(fields=["phone_key"], name="cpw_people_phone"),
            models.Index(Lower("username"), name="cpw_people_username"),
            models.Index(fields=["status", "id"], name="cpw_people_status"),
            models.Index(fields=["connection", "status", "id"], name="cpw_people_connection"),
            models.Index(fields=["status", "imported_at", "id"], name="cpw_people_cohort"),
            models.Index(fields=["method", "id"], condition=~models.Q(method=""), name="cpw_people_method"),
            models.Index(fields=["last_error", "id"], condition=~models.Q(last_error=""), name="cpw_people_error"),
            models.Index(
                fields=["migrated_at", "id"], condition=models.Q(migrated_at__isnull=False), name="cpw_people_migrated"
            ),
            models.Index(
                fields=["active_at", "id"], condition=models.Q(active_at__isnull=False), name="cpw_people_active"
            ),
            models.Index(
                fields=["status", "active_at", "id"],
                condition=models.Q(active_at__isnull=False),
                name="cpw_people_status_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.sub}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.set_keys()
        super().save(*args, **kwargs)

    def set_keys(self) -> Self:
        """Derives the keys from the addresses; for rows that are written without `save`."""
        self.email_key, self.phone_key = email_key(self.email), phone_key(self.phone_number)
        return self

    @property
    def verified_keys(self) -> set[str]:
        """The keys of the addresses that the pool calls verified."""
        keys = {"email_verified": self.email_key, "phone_number_verified": self.phone_key}
        return {key for name, key in keys.items() if key and is_true(self.attributes.get(name))}

    @property
    def awaits_proof(self) -> bool:
        """Activated in bulk: a Django user exists, and the person has yet to prove themselves."""
        return self.status == self.Status.MIGRATED and self.method == self.Method.BULK and self.user_id is not None


class ConflictCase(MigratedUser):
    """The same rows as a queue: those that an operator has to decide."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")


class PhoneNumber(models.Model):
    """A user's phone number in E.164. At most one user has a number verified."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="cognito_passwordless_phone",
        verbose_name=_("user"),
    )
    number = models.CharField(_("number"), max_length=16, db_index=True)
    verified = models.BooleanField(_("verified"), default=False)

    class Meta:
        verbose_name = _("phone number")
        verbose_name_plural = _("phone numbers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(verified=True), name="cpw_verified_number_once"
            )
        ]

    def __str__(self) -> str:
        return mask(self.number)


class Erasure(models.Model):
    """A tombstone: it recognises an erased person, and does not say who that is (`flows.lifecycle.erase`).

    ``mark`` is a keyed hash of (pool, sub) and ``key_fingerprint`` names the key, one of ``SECRET_KEY`` and its
    fallbacks. Without that key the tombstone recognises no person, so the key must stay among the fallbacks.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    mark = models.CharField(max_length=32, unique=True, editable=False)
    key_fingerprint = models.CharField(_("key"), max_length=16, editable=False)
    connection = models.CharField(_("connection"), max_length=ALIAS_LENGTH, blank=True)
    erased_at = models.DateTimeField(_("erased"), db_index=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering: ClassVar = ["-erased_at"]

    def __str__(self) -> str:
        return str(self.pk)


class PoolNotice(models.Model):
    """The outbox row of one person, written in the migration's transaction, so that no update to the pool is lost.

    ``told`` maps each word of the connection's ``after_migration`` to ``begun`` (it may have happened) or ``done``.
    ``version`` counts the requests: a worker sees by it that another one came in meanwhile.
    """

    person = models.OneToOneField(MigratedUser, models.CASCADE, primary_key=True, related_name="pool_notice")
    told = models.JSONField(default=dict)
    waiting = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    cause = models.CharField(_("cause"), max_length=60, blank=True)
    asked_at = models.DateTimeField()
    # Until then a worker has claimed it.
    held_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice to a pool")
        verbose_name_plural = _("notices to pools")
        indexes: ClassVar = [
            models.Index(fields=["asked_at"], condition=models.Q(waiting=True), name="cpw_pool_notice_waiting")
        ]

    def __str__(self) -> str:
        return str(self.pk)

"""The state of a connection that a cut-over sets, wherever the connection itself is configured."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import ALIAS_LENGTH


class ConnectionState(models.Model):
    """``retired_at``: every process stops calling this pool from its next request on. Stored here because settings
    differ between processes until all of them have been restarted."""

    alias = models.CharField(_("connection"), max_length=ALIAS_LENGTH, unique=True)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)
    # The last backup of the mapping: when, how many rows, and the file's SHA-256.
    exported_at = models.DateTimeField(_("mapping exported"), null=True, blank=True)
    exported_rows = models.PositiveBigIntegerField(_("rows exported"), default=0)
    exported_digest = models.CharField(_("SHA-256 of the export"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("connection state")
        verbose_name_plural = _("connection states")

    def __str__(self) -> str:
        return self.alias

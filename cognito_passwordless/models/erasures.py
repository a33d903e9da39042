"""Who has been erased, as far as that may still be known."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from .base import ALIAS_LENGTH


class Erasure(models.Model):
    """A tombstone: nobody can read from it who it is, and whoever is it can be recognised (`flows.lifecycle.erase`).

    ``mark`` is a keyed hash of (pool, sub) and ``key_fingerprint`` names the key, one of ``SECRET_KEY`` and its
    fallbacks. Without that key the tombstone stands for nobody, so it must stay among the fallbacks.
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

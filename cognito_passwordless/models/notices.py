"""What a pool is to be told, or has been told, about somebody who has left it."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from .people import MigratedUser


class PoolNotice(models.Model):
    """One per person, written in the transaction of the migration: whatever dies, nothing is forgotten.

    ``told`` has a word of the connection's ``after_migration`` for each thing that was ``begun`` (it may have
    happened) or is ``done``. ``version`` counts what was asked for: a worker sees by it that more was asked.
    """

    person = models.OneToOneField(MigratedUser, models.CASCADE, primary_key=True, related_name="pool_notice")
    told = models.JSONField(default=dict)
    waiting = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    cause = models.CharField(_("cause"), max_length=60, blank=True)
    asked_at = models.DateTimeField()
    # Whoever works on it has it until then.
    held_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice to a pool")
        verbose_name_plural = _("notices to pools")
        indexes: ClassVar = [
            models.Index(fields=["asked_at"], condition=models.Q(waiting=True), name="cpw_pool_notice_waiting")
        ]

    def __str__(self) -> str:
        return str(self.pk)

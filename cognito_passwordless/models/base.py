"""Choices, lengths and a manager that several tables share."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.db import models, router
from django.utils.translation import gettext_lazy as _

from ..identity import Channel

ALIAS_LENGTH = 200  # allauth's SocialApp.provider_id
SUB_LENGTH = 191  # allauth's SocialAccount.uid


_CHANNEL_NAMES = {Channel.EMAIL: _("E-mail"), Channel.SMS: _("SMS")}
CHANNEL_CHOICES = [(channel.value, _CHANNEL_NAMES[channel]) for channel in Channel]


R = TypeVar("R")
M = TypeVar("M", bound=models.Model)


class WrittenManager(models.Manager[M]):
    """Reads where it writes, whatever a router says of reading: a replica lags behind what this very sign-in did."""

    def get_queryset(self) -> "models.QuerySet[M]":
        return super().get_queryset().using(self._db or router.db_for_write(self.model))


def in_pages(rows: "models.QuerySet[Any, R]", key: Callable[[R], Any], size: int = 2000) -> Iterator[R]:
    """All rows in the order of their primary key, which ``key`` reads from one, a page at a time: ``iterator()`` opens
    a server-side cursor, which PgBouncer loses between two transactions."""
    rows = rows.order_by("pk")
    page = list(rows[:size])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=key(page[-1]))[:size])


class Route(models.TextChoices):
    """Who proves the person."""

    LOCAL = "local", _("Our code")
    COGNITO_OTP = "cognito_otp", _("Cognito's code")
    COGNITO_OIDC = "cognito_oidc", _("Cognito's hosted login")

"""Choices and lengths that several tables share."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..identity import Channel

ALIAS_LENGTH = 200  # allauth's SocialApp.provider_id
SUB_LENGTH = 191  # allauth's SocialAccount.uid


_CHANNEL_NAMES = {Channel.EMAIL: _("E-mail"), Channel.SMS: _("SMS")}
CHANNEL_CHOICES = [(channel.value, _CHANNEL_NAMES[channel]) for channel in Channel]


class Route(models.TextChoices):
    """Who proves the person."""

    LOCAL = "local", _("Our code")
    COGNITO_OTP = "cognito_otp", _("Cognito's code")
    COGNITO_OIDC = "cognito_oidc", _("Cognito's hosted login")

"""The words that several tables share."""

from django.db import models
from django.utils.translation import gettext_lazy as _

ALIAS_LENGTH = 200  # allauth's SocialApp.provider_id
SUB_LENGTH = 191  # allauth's SocialAccount.uid


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class Route(models.TextChoices):
    """Who proves the person."""

    LOCAL = "local", _("Our code")
    COGNITO_OTP = "cognito_otp", _("Cognito's code")
    COGNITO_OIDC = "cognito_oidc", _("Cognito's hosted login")

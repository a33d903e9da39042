from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CognitoPasswordlessConfig(AppConfig):
    name = "cognito_passwordless"
    verbose_name = _("Passwordless sign-in")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: PLC0415  (checks import models, which are ready only now)

        checks.register()

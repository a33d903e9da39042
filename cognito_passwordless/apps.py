from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CognitoPasswordlessConfig(AppConfig):
    name = "cognito_passwordless"
    verbose_name = _("Passwordless sign-in")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out  # noqa: PLC0415  (models are ready only now)

        from . import checks  # noqa: PLC0415  (the same)
        from .flows.sign_in import completion  # noqa: PLC0415  (the same)
        from .web import signed_in  # noqa: PLC0415  (the same)

        checks.register()
        user_logged_in.connect(completion.finish_second_factor, dispatch_uid="cognito_passwordless.held")
        user_logged_out.connect(signed_in.end_challenge, dispatch_uid="cognito_passwordless.ended")

from django.apps import AppConfig
from django.core.checks import Tags, register

from .checks import inbox_is_closed


class ExampleConfig(AppConfig):
    name = "example_project"

    def ready(self) -> None:
        register(inbox_is_closed, Tags.security, deploy=True)

from django.apps import AppConfig


class PhoneUserConfig(AppConfig):
    name = "tests.phone_user"
    label = "phone_user"

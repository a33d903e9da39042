"""The settings of the test suite: the example project's, on `TEST_DATABASE_URL` (default: SQLite in memory)."""

import os

os.environ.setdefault("EMAIL_URL", "memorymail://")

from example_project.settings import *  # noqa: F403
from example_project.settings import env

SECRET_KEY = "the-tests-own-secret-key-which-is-long-enough"
DATABASES = {"default": env.db("TEST_DATABASE_URL", default="sqlite://:memory:")}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # No test pulls the plug; most of the time would go by waiting for the disk.
    DATABASES["default"]["OPTIONS"] = {"options": "-c synchronous_commit=off"}
# Every test client would list all static files first.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
COGNITO_PASSWORDLESS = {
    "APP_NAME": "Example",
    "PUBLIC_URL": "https://www.example.com",
    "DISPATCH": "inline",
    "REFUSAL_FLOOR": 0,
    "SMS_COUNTRIES": ["DE"],
    "SENDERS": {
        "email": [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}],
        "sms": [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}],
    },
}
SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": []}}

"""The example project with both ways to sign in by code, and nothing in one's favour.

Both use the same user, middleware, session engine (database), cache and mail backend (memory), and keep their rate
limits on; limits are raised so that no round meets them.
"""

import os

os.environ["EMAIL_URL"] = "memorymail://"

from example_project.settings import *  # noqa: F403
from example_project.settings import DATABASES

SECRET_KEY = "only-for-the-benchmark-and-long-enough-for-django"
DEBUG = False
ALLOWED_HOSTS = ["testserver"]
DATABASES["default"]["CONN_MAX_AGE"] = None
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING_CONFIG = None
SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": []}}

MANY = 1_000_000
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_RATE_LIMITS = {
    "request_login_code": f"{MANY}/m/ip,{MANY}/m/key",
    "login": f"{MANY}/m/ip",
    "login_failed": f"{MANY}/m/ip,{MANY}/5m/key",
}
COGNITO_PASSWORDLESS = {
    "APP_NAME": "Example",
    "DISPATCH": "benchmarks.routes.queue",
    "LIMITS": dict.fromkeys(
        ("starts_per_ip", "sends", "sends_per_recipient", "emails_per_day", "failures"), f"{MANY}/1h"
    ),
}

"""The test settings with everything of allauth's that a site may have besides: MFA, its API, sessions, phones."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django.contrib.humanize",
    "allauth.mfa",
    "allauth.usersessions",
]
MIDDLEWARE = [*MIDDLEWARE, "allauth.usersessions.middleware.UserSessionsMiddleware"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_METHODS = {"email", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "phone"]
ACCOUNT_LOGIN_BY_CODE_REQUIRED = True
USERSESSIONS_TRACK_ACTIVITY = True
HEADLESS_FRONTEND_URLS = {"socialaccount_login_error": "/", "account_signup": "/"}

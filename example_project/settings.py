"""Configured by the environment alone; every variable is optional. docs/example-project.md lists them."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from . import cognito, mail

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
REDIS_URL = env("REDIS_URL", default="")
# Without one, a key of the process's own: codes and sessions end with it. The site and its worker have to share one,
# for the worker derives the code that the site compares.
if REDIS_URL and not env("SECRET_KEY", default=""):
    raise ImproperlyConfigured("Set SECRET_KEY: with REDIS_URL the site and its worker are two processes.")
SECRET_KEY = env("SECRET_KEY", default="") or get_random_secret_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.headless",
    "cognito_passwordless",
    "example_project.apps.ExampleConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "example_project.security.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
}
DATABASES["default"]["ATOMIC_REQUESTS"] = env.bool("ATOMIC_REQUESTS", default=False)
# Seconds. Connecting to PostgreSQL takes longer than most of our statements.
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Writers wait for each other instead of failing; readers never wait.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Seconds that a person waits for Redis, connecting and reading. One that is down must be known at once.
REDIS_TIMEOUT = 0.5
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": REDIS_TIMEOUT, "socket_timeout": REDIS_TIMEOUT},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

CELERY_BROKER_URL = REDIS_URL or None
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_TIMEOUT = REDIS_TIMEOUT
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": REDIS_TIMEOUT,
    "socket_timeout": REDIS_TIMEOUT,
    "retry_on_timeout": False,
    "max_retries": 0,
    # Longer than a sending takes with all its retries: an earlier redelivery would be a second copy.
    "visibility_timeout": 120,
}
# A worker, though, waits for its broker as long as it takes.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None

# For `celery beat`, or `celery worker --beat` where one worker is all there is.
CELERY_BEAT_SCHEDULE = {
    "recover": {"task": "cognito_passwordless.recover_sends", "schedule": 60},
    "notices": {"task": "cognito_passwordless.recover_notices", "schedule": 600},
    "purge": {"task": "cognito_passwordless.purge_expired", "schedule": 24 * 3600},
    "progress": {"task": "cognito_passwordless.roll_up_progress", "schedule": 5 * 60},
}

vars().update(mail.settings(env("EMAIL_URL", default="consolemail://")))
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="sign-in@example.com")

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "cognito_passwordless:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "cognito_passwordless:login"
ACCOUNT_ADAPTER = "cognito_passwordless.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "cognito_passwordless.adapters.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": cognito.apps(env)}}

COGNITO_PASSWORDLESS: dict[str, Any] = {
    "APP_NAME": "Example",
    "PUBLIC_URL": env("PUBLIC_URL", default=""),
    "DISPATCH": "celery" if REDIS_URL else "inline",
    **env.json("COGNITO_PASSWORDLESS_JSON", default={}),
}

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
# WhiteNoise serves the files from where the apps have them: nothing to collect first, with DEBUG or without.
WHITENOISE_USE_FINDERS = True

# Shows every code to everybody at /inbox/. Only for a site that nobody else can reach, such as `make demo`.
INBOX_DIR = env("INBOX_DIR", default="")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("COOKIES_SECURE", default=False)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
}

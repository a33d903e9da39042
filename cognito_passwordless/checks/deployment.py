"""What only matters in production: `manage.py check --deploy`."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from django.utils import timezone

from ..conf import conf
from .problems import SETTING, Messages, configured, usable, warning

LOCAL_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
MEMORY_SENDER = "cognito_passwordless.delivery.memory.MemorySender"
DJANGO_SENDER = "cognito_passwordless.delivery.email.DjangoEmailSender"
# Those print or drop what they are given; printed codes end in a log.
NOT_SENDING = tuple(f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "locmem"))


def public_url(**kwargs: Any) -> Messages:
    url = usable(lambda: conf.public_url, "https:")
    if not url:
        text = f"{SETTING}['PUBLIC_URL'] is not set: messages carry no link and SMS codes are not bound to the site."
        hint = "Set it to the site's origin, as in 'https://www.example.com'."
        return [warning("W701", text, hint=hint)]
    if urlsplit(url).scheme != "http":
        return []  # `settings.public_url` reports anything but a URL.
    text = f"{SETTING}['PUBLIC_URL'] is not https."
    hint = "Serve the site by https: codes are typed into it."
    return [warning("W702", text, hint=hint)]


def inline(**kwargs: Any) -> Messages:
    dispatch = usable(lambda: conf.dispatch, "")
    if dispatch != "inline" and not (dispatch == "celery" and current_app.conf.task_always_eager):
        return []
    text = (
        "Codes are sent inside the request: people wait for the mail provider, and the time it takes tells who "
        "has an account."
    )
    hint = f"Set {SETTING}['DISPATCH'] to 'celery' and run a worker; CELERY_TASK_ALWAYS_EAGER is for tests."
    return [warning("W703", text, hint=hint)]


def cookies(**kwargs: Any) -> Messages:
    found = []
    if not settings.SESSION_COOKIE_SECURE:
        text = "SESSION_COOKIE_SECURE is not True, so the cookies of a sign-in in progress travel in the clear too."
        hint = "Set SESSION_COOKIE_SECURE = True."
        found.append(warning("W704", text, hint=hint))
    if not settings.CSRF_COOKIE_SECURE and not settings.CSRF_USE_SESSIONS:
        found.append(
            warning("W705", "CSRF_COOKIE_SECURE is not True.", hint="Set CSRF_COOKIE_SECURE = True."),
        )
    return found


def senders(**kwargs: Any) -> Messages:
    lists: list[Any] = [usable(partial(conf.senders, channel), []) for channel in ("email", "sms")]
    used = {entry.get("BACKEND") for entries in lists for entry in entries}
    found = []
    if MEMORY_SENDER in used:
        text = f"{SETTING}['SENDERS'] keeps messages in memory: no message arrives."
        hint = "Use the MemorySender in tests alone."
        found.append(warning("W706", text, hint=hint))
    # Since Django 6.1 the default of MAILERS takes the place of EMAIL_BACKEND.
    mailers = getattr(settings, "MAILERS", None)
    backend = str(settings.EMAIL_BACKEND if mailers is None else mailers.get("default", {}).get("BACKEND", ""))
    if DJANGO_SENDER in used and backend in NOT_SENDING:
        text = f"E-mail goes to '{backend}', which sends nothing; printed codes end in a log."
        hint = "Set EMAIL_BACKEND (or the default of MAILERS) to one that sends."
        found.append(warning("W707", text, hint=hint))
    return found


def cache(**kwargs: Any) -> Messages:
    if settings.CACHES.get("default", {}).get("BACKEND") != LOCAL_MEMORY:
        return []
    text = "The default cache is the memory of one process: with several, allauth's rate limits are multiplied."
    hint = "Use a cache that all processes share, such as Redis. The limits of this package do not need it."
    return [warning("W708", text, hint=hint)]


def proxies(**kwargs: Any) -> Messages:
    """Behind a proxy that is not counted, everybody seems to come from the proxy's address."""
    behind = settings.SECURE_PROXY_SSL_HEADER or settings.USE_X_FORWARDED_HOST
    is_configured = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0) or getattr(
        settings, "ALLAUTH_TRUSTED_CLIENT_IP_HEADER", None
    )
    if not behind or is_configured:
        return []
    text = "The site is behind a proxy, and allauth does not know: all people share one address and its limits."
    hint = "Set ALLAUTH_TRUSTED_PROXY_COUNT to the number of your proxies."
    return [warning("W709", text, hint=hint)]


def review_codes(**kwargs: Any) -> Messages:
    active = [code for code in usable(lambda: conf.review_codes, ()) if code.is_valid(timezone.now())]
    if not active:
        return []
    last = max(code.until for code in active).isoformat()
    text = f"{SETTING}['REVIEW_CODES'] opens {len(active)} account(s) by a fixed code, until {last}."
    hint = "Remove the entries when the review is over."
    return [warning("W710", text, hint=hint)]


def countries(**kwargs: Any) -> Messages:
    if "sms" not in usable(lambda: configured().get("SENDERS", {}), {}) or usable(lambda: conf.sms_countries, ["DE"]):
        return []
    text = f"{SETTING}['SENDERS'] can send SMS, and SMS_COUNTRIES allows no country: none is sent."
    hint = "List the countries of your people in SMS_COUNTRIES, as in ['DE', 'AT']."
    return [warning("W711", text, hint=hint)]

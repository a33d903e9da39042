"""Django's e-mail settings from one URL, for releases before and after `MAILERS` (Django 6.1)."""

from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import django
from django.core.exceptions import ImproperlyConfigured

BACKENDS = {
    "consolemail": "console",
    "dummymail": "dummy",
    "filemail": "filebased",
    "memorymail": "locmem",
    "smtp": "smtp",
    "smtps": "smtp",  # TLS from the first byte
    "smtp+tls": "smtp",  # STARTTLS
}
# Seconds. smtplib waits for ever unless told; a worker that waits sends nobody else's code either.
TIMEOUT = 10


def settings(url: str) -> dict[str, Any]:
    """`MAILERS` where Django has it, else the `EMAIL_…` settings.

    ``consolemail://``, ``filemail:///absolute/directory``, ``smtp://user:password@host:port``, also with ``smtps`` or
    ``smtp+tls``. Raises `ImproperlyConfigured` for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme not in BACKENDS:
        raise ImproperlyConfigured(f"EMAIL_URL must begin with one of {', '.join(BACKENDS)}")
    backend = f"django.core.mail.backends.{BACKENDS[parts.scheme]}.EmailBackend"
    options = _options(parts)
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": options}}}
    return {"EMAIL_BACKEND": backend, **{_SETTINGS[name]: value for name, value in options.items()}}


_SETTINGS = {
    "file_path": "EMAIL_FILE_PATH",
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "use_ssl": "EMAIL_USE_SSL",
    "timeout": "EMAIL_TIMEOUT",
}


def _options(parts: SplitResult) -> dict[str, Any]:
    if parts.scheme == "filemail":
        return {"file_path": unquote(parts.path)}
    if not parts.scheme.startswith("smtp"):
        return {}
    if not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL names no host")
    return {
        "host": parts.hostname,
        "port": parts.port or {"smtp": 25, "smtps": 465}.get(parts.scheme, 587),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_tls": parts.scheme == "smtp+tls",
        "use_ssl": parts.scheme == "smtps",
        "timeout": TIMEOUT,
    }

"""Installed apps, middleware, authentication backends, templates."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.conf import settings
from django.template import TemplateDoesNotExist, engines
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template
from django.utils.module_loading import import_string

from .problems import Messages, error, warning

NEEDED_APPS = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
)
ACCOUNT = "allauth.account.middleware.AccountMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
REQUEST = "django.template.context_processors.request"


def installed_apps(**kwargs: Any) -> Messages:
    """Everything else needs these, so this one is checked first and imports nothing of allauth."""
    missing = [name for name in NEEDED_APPS if not apps.is_installed(name)]
    if not missing:
        return []
    text = f"INSTALLED_APPS lacks {', '.join(missing)}."
    hint = "Add them before 'cognito_passwordless'. People sign in through allauth, in a Django session."
    return [error("E101", text, hint=hint)]


def middleware(**kwargs: Any) -> Messages:
    found = []
    needed = [SESSION, AUTHENTICATION, *([MESSAGES] if apps.is_installed("django.contrib.messages") else [])]
    missing = [path for path in needed if _position(path) is None]
    if missing:
        text = f"MIDDLEWARE lacks {', '.join(missing)}."
        hint = "Add what is missing: without a session nobody can be signed in."
        found.append(error("E102", text, hint=hint))
    if _position(ACCOUNT) is None:
        text = "MIDDLEWARE lacks allauth's AccountMiddleware."
        hint = f"Add '{ACCOUNT}' at the end of MIDDLEWARE: allauth finishes every sign-in."
        found.append(error("E103", text, hint=hint))
    if _position(CSRF) is None:
        text = "MIDDLEWARE lacks CsrfViewMiddleware."
        hint = f"Add '{CSRF}'. Our own pages are protected without it, allauth's are not all."
        found.append(warning("W104", text, hint=hint))
    return found


def middleware_order(**kwargs: Any) -> Messages:
    """Each of these reads what the one before it has put on the request."""
    chain = [SESSION, AUTHENTICATION, ACCOUNT]
    if _position(LOGIN_REQUIRED) is not None:
        chain.insert(2, LOGIN_REQUIRED)
    places = [place for path in chain if (place := _position(path)) is not None]
    if len(places) < len(chain) or places == sorted(places):
        return []
    names = ", ".join(path.rpartition(".")[2] for path in chain)
    return [error("E105", "MIDDLEWARE is in the wrong order.", hint=f"Put them in this order: {names}.")]


def authentication_backends(**kwargs: Any) -> Messages:
    """allauth signs people in with its own backend, else with the first one that can load a user."""
    if not settings.AUTHENTICATION_BACKENDS:
        text = "AUTHENTICATION_BACKENDS is empty, so nobody can be signed in."
        hint = f"Add '{BACKEND}'."
        return [error("E106", text, hint=hint)]
    if _position(BACKEND, settings.AUTHENTICATION_BACKENDS) is not None:
        return []
    text = (
        "AUTHENTICATION_BACKENDS lacks allauth's backend: sessions are opened in the name of "
        f"'{settings.AUTHENTICATION_BACKENDS[0]}'."
    )
    hint = f"Add '{BACKEND}', so that it is allauth's sessions that end when allauth says so."
    return [warning("W107", text, hint=hint)]


def templates(**kwargs: Any) -> Messages:
    found = []
    try:
        get_template("cognito_passwordless/login.html")
    except TemplateDoesNotExist:
        text = "The templates of this package are not found."
        hint = "Set APP_DIRS to True in TEMPLATES, or add the app directories loader."
        found.append(error("E108", text, hint=hint))
    django_engines = [engine for engine in engines.all() if isinstance(engine, DjangoTemplates)]
    if django_engines and not any(REQUEST in one.engine.context_processors for one in django_engines):
        text = "TEMPLATES has no context processor for the request, which allauth's pages need."
        hint = f"Add '{REQUEST}' to the context_processors."
        found.append(error("E109", text, hint=hint))
    return found


def _position(path: str, among: Sequence[str] | None = None) -> int | None:
    """Where this class, or a subclass of it, stands among the paths; by default in MIDDLEWARE."""
    paths = settings.MIDDLEWARE if among is None else among
    for place, name in enumerate(paths):
        if name == path:
            return place
        # Django itself reports a path that leads nowhere.
        with suppress(ImportError):
            one, other = import_string(name), import_string(path)
            if isinstance(one, type) and isinstance(other, type) and issubclass(one, other):
                return place
    return None

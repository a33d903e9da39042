"""Installation, URLs, services and allauth: each mistake is told by one id, and by none once it is fixed."""

from typing import Any

import pytest
from celery import current_app
from django.db import connection, connections
from django.http import HttpResponse
from django.urls import include, path
from django.urls.base import clear_url_caches

from cognito_passwordless.checks.installation import installed_apps
from example_project import mail

from .conftest import ALLAUTHS, OURS, Find, urlconf

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
}
SOUND = {"PUBLIC_URL": "https://www.example.com", "SMS_COUNTRIES": ["DE"]}
# id, settings with the mistake
CASES: list[tuple[str, dict[str, Any]]] = [
    ("E102", {"MIDDLEWARE": [MIDDLEWARE[0], MIDDLEWARE[1], *MIDDLEWARE[3:]]}),
    ("E102", {"MIDDLEWARE": [*MIDDLEWARE[:3], MIDDLEWARE[4]]}),
    ("E103", {"MIDDLEWARE": MIDDLEWARE[:4]}),
    ("W104", {"MIDDLEWARE": [MIDDLEWARE[0], *MIDDLEWARE[2:]]}),
    ("E105", {"MIDDLEWARE": [MIDDLEWARE[4], *MIDDLEWARE[:4]]}),
    ("E105", {"MIDDLEWARE": ["django.contrib.auth.middleware.LoginRequiredMiddleware", *MIDDLEWARE]}),
    ("E106", {"AUTHENTICATION_BACKENDS": []}),
    ("W107", {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}),
    ("E108", {"TEMPLATES": [{**TEMPLATES, "APP_DIRS": False}]}),
    ("E109", {"TEMPLATES": [{**TEMPLATES, "OPTIONS": {}}]}),
    ("E240", {"ACCOUNT_USER_MODEL_USERNAME_FIELD": "login"}),
    ("E302", {"ROOT_URLCONF": urlconf(OURS, path("enter/", include("cognito_passwordless.urls")), ALLAUTHS)}),
    ("E303", {"ROOT_URLCONF": urlconf(path("login/", HttpResponse, name="mine"), OURS, ALLAUTHS)}),
    ("E304", {"ROOT_URLCONF": urlconf(OURS)}),
    ("W305", {"LOGIN_URL": "/accounts/login/"}),
    ("W401", {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}}),
    ("W502", {"SOCIALACCOUNT_ADAPTER": "allauth.socialaccount.adapter.DefaultSocialAccountAdapter"}),
    ("E503", {"ACCOUNT_UNIQUE_EMAIL": False}),
    ("W504", {"SOCIALACCOUNT_EMAIL_AUTHENTICATION": True}),
    ("W504", {"SOCIALACCOUNT_PROVIDERS": {"cognito": {"VERIFIED_EMAIL": True}}}),
    ("W504", {"SOCIALACCOUNT_PROVIDERS": {"cognito": {"EMAIL_AUTHENTICATION": True}}}),
    ("W505", {"ACCOUNT_LOGIN_BY_CODE_ENABLED": True}),
    ("W505", {"COGNITO_PASSWORDLESS": {**SOUND, "ALLAUTH_PAGES": True}}),
    ("W506", {"ACCOUNT_SIGNUP_FIELDS": ["email*", "phone*"]}),
    ("W508", {"ACCOUNT_ADAPTER": "tests.test_entrances.OpenAdapter"}),
    ("W704", {"SESSION_COOKIE_SECURE": False}),
    ("W705", {"CSRF_COOKIE_SECURE": False}),
    ("W707", mail.settings("consolemail://")),
    ("W708", {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}),
    ("W709", {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}),
]
FIXED: list[dict[str, Any]] = [
    {"MIDDLEWARE": MIDDLEWARE},
    {"TEMPLATES": [TEMPLATES]},
    {"ROOT_URLCONF": urlconf(OURS, ALLAUTHS)},
    {"ACCOUNT_SIGNUP_FIELDS": ["email*", "phone"]},
    {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"), "ALLAUTH_TRUSTED_PROXY_COUNT": 1},
]


@pytest.mark.parametrize(("number", "mistake"), CASES)
def test_a_mistake_is_told_once(number: str, mistake: dict[str, Any], find: Find, settings: Any) -> None:
    for name, value in mistake.items():
        setattr(settings, name, value)
    assert find() == [number]


@pytest.mark.parametrize("fixed", FIXED)
def test_a_sound_site_has_none(fixed: dict[str, Any], find: Find, settings: Any) -> None:
    for name, value in fixed.items():
        setattr(settings, name, value)
    assert find() == []


def test_allauths_own_adapter(find: Find, settings: Any) -> None:
    settings.ACCOUNT_ADAPTER = "allauth.account.adapter.DefaultAccountAdapter"
    assert find() == ["W501", "W508"]
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    assert find() == ["W501"]


def test_codes_of_allauths_api(find: Find, settings: Any) -> None:
    api, ours = (path("_allauth/", include(f"{name}.headless.urls")) for name in ("allauth", "cognito_passwordless"))
    settings.ROOT_URLCONF = urlconf(OURS, ALLAUTHS, api)
    assert find() == ["W507", "W507"]  # for browsers and for apps
    settings.ROOT_URLCONF = urlconf(OURS, ALLAUTHS, api, ours)
    assert find() == ["W507", "W507"]
    settings.ROOT_URLCONF = urlconf(OURS, ALLAUTHS, ours, api)
    assert find() == []


def test_our_api_without_allauths(find: Find, settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf(OURS, ALLAUTHS, path("_allauth/", include("cognito_passwordless.headless.urls")))
    assert find() == ["E307", "E307"]
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "allauth.headless"]
    assert find() == ["E306"]


def test_urls_that_are_not_included(find: Find, settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf(ALLAUTHS)
    assert find() == ["E301", "W305"]


def test_mfa_without_its_pages(find: Find, settings: Any) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "allauth.mfa"]
    settings.ROOT_URLCONF = urlconf(
        OURS,
        path("accounts/", include("allauth.account.urls")),
        path("3rdparty/", include("allauth.socialaccount.urls")),
    )
    clear_url_caches()
    assert find() == ["E304"]


def test_a_headless_site_needs_no_pages_of_allauths(find: Find, settings: Any) -> None:
    settings.ROOT_URLCONF, settings.HEADLESS_ONLY = urlconf(OURS), True
    assert find() == []


@pytest.mark.parametrize("missing", ["allauth.socialaccount", "django.contrib.sessions"])
def test_apps_that_are_not_installed(missing: str, settings: Any) -> None:
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != missing]
    (message,) = installed_apps()
    assert str(message.id).rpartition(".")[2] == "E101"
    assert missing in message.msg


@pytest.mark.parametrize(
    ("number", "options"),
    [
        ("E402", {"broker_url": None}),
        ("W403", {"broker_url": "memory://"}),
        ("W404", {"broker_transport_options": {"socket_timeout": 1}}),
        ("E408", {"task_create_missing_queues": False}),
        ("W703", {"task_always_eager": True}),
    ],
)
def test_celery(number: str, options: dict[str, Any], find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    for name, value in options.items():
        monkeypatch.setitem(current_app.conf, name, value)
    assert find() == [number]


def test_no_broker_is_needed_where_nothing_is_queued(
    find: Find, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.COGNITO_PASSWORDLESS |= {"DISPATCH": "inline"}
    monkeypatch.setitem(current_app.conf, "broker_url", None)
    assert find(deploy=False) == []


def test_sqlite_without_returning(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setitem(vars(connection.features), "can_return_columns_from_insert", False)
    assert find() == ["E410"]


@pytest.mark.parametrize("mode", [None, "DEFERRED"])
def test_sqlite_that_reads_first(mode: str | None, find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": mode} if mode else {})
    assert find() == ["W406"]


def test_a_database_that_was_not_tried(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "cockroachdb")
    assert find() == ["W405"]


@pytest.mark.parametrize("vendor", ["mysql", "oracle", "microsoft"])
def test_a_database_that_cannot_count_in_one_statement_is_refused(
    vendor: str, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "vendor", vendor)
    assert find() == ["E407"]


def test_a_refused_database_is_asked_nothing(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    """MySQL's backend asks the server whether it is MariaDB as soon as its name is read."""
    monkeypatch.setattr(connection, "vendor", "mysql")
    backend = type(connections["default"])
    monkeypatch.setattr(backend, "display_name", property(lambda self: pytest.fail("the server was asked")))
    assert find() == ["E407"]

"""A site without a mistake, and the ids of what Django's own `check` finds in it."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from celery import current_app
from django.contrib.admin import site
from django.core import checks
from django.db import connection
from django.urls import include, path

from cognito_passwordless.checks.problems import TAG
from example_project import mail

Find = Callable[..., list[str]]

POOL = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main", "domain": "https://login.example.com"}


@pytest.fixture(autouse=True)
def _admin_pages() -> Iterator[None]:
    """An app added for one test registers its pages with the one admin site, and would stay there without its app."""
    pages = dict(site._registry)
    yield
    for model in site._registry.keys() - pages.keys():
        site.unregister(model)


@pytest.fixture(autouse=True, scope="session")
def _features(django_db_setup: None, django_db_blocker: Any) -> None:
    """Django 6.1's own checks try out once what the database can do, whichever databases are asked for."""
    with django_db_blocker.unblock():
        assert connection.features.supports_json_field


@pytest.fixture(autouse=True)
def _sound(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test settings, as they would be in production."""
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": "IMMEDIATE"})
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    for name, value in mail.settings("smtp://127.0.0.1").items():
        setattr(settings, name, value)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://"}}
    settings.COGNITO_PASSWORDLESS = {"PUBLIC_URL": "https://www.example.com", "SMS_COUNTRIES": ["DE"]}
    monkeypatch.setitem(current_app.conf, "broker_url", "redis://127.0.0.1")


@pytest.fixture
def find() -> Find:
    """The ids that ``manage.py check`` tells, without the package's name, sorted; every message has a hint."""

    def run(*, deploy: bool = True, databases: list[str] | None = None) -> list[str]:
        everything = checks.run_checks(include_deployment_checks=deploy, databases=databases)
        found = [message for message in everything if str(message.id).startswith(f"{TAG}.")]
        assert all(message.hint for message in found), found
        return sorted(str(message.id).removeprefix(f"{TAG}.") for message in found)

    return run


def app(alias: str = "main", **chosen: Any) -> dict[str, Any]:
    """One connection as a site writes it; what is chosen is one of its settings."""
    chosen = POOL | {"scope": ["openid", "email", "phone"]} | chosen
    return {"provider_id": alias, "name": alias, "client_id": "client", "secret": "", "settings": chosen}


def urlconf(*patterns: Any) -> ModuleType:
    """A ROOT_URLCONF with these patterns, and an admin so that nothing else is missing."""
    module = ModuleType("urlconf")
    module.urlpatterns = [*patterns]  # type: ignore[attr-defined]
    return module


OURS = path("login/", include("cognito_passwordless.urls"))
ALLAUTHS = path("accounts/", include("allauth.urls"))

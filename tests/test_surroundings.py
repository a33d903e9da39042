"""The surroundings that Django sites are put in: in each, one person signs in. docs/surroundings.md has the table."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.urls import set_script_prefix

from cognito_passwordless.models import ChallengeSession, Delivery, FailureCount, SendCount

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"


def csp(get_response: Callable[[Any], HttpResponse]) -> Callable[[Any], HttpResponse]:
    def answer(request: Any) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = "default-src 'none'; script-src 'self'; style-src 'self'"
        return response

    return answer


ACCOUNT = "allauth.account.middleware.AccountMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


def middleware(*added: str, after: str = ACCOUNT) -> list[str]:
    chain = list(site.MIDDLEWARE)
    place = chain.index(after) + 1
    return chain[:place] + [one for one in added if one not in chain] + chain[place:]


def cache_of(backend: str, **more: Any) -> dict[str, Any]:
    return {"default": {"BACKEND": f"django.core.cache.backends.{backend}", **more}}


# By the row of docs/surroundings.md: what is set, and what of the request differs.
SURROUNDINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "`USE_TZ = False`": ({"USE_TZ": False}, {}),
    "`TIME_ZONE` east of UTC": ({"TIME_ZONE": "Pacific/Kiritimati"}, {}),
    "`USE_TZ = False` and a `TIME_ZONE` of its own": ({"USE_TZ": False, "TIME_ZONE": "America/New_York"}, {}),
    "`FORCE_SCRIPT_NAME`": ({"FORCE_SCRIPT_NAME": "/app"}, {}),
    "`SCRIPT_NAME` of the server": ({}, {"SCRIPT_NAME": "/app"}),
    "`SESSION_ENGINE` signed cookies": ({"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}, {}),
    "`SESSION_ENGINE` cache": ({"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}, {}),
    "`SESSION_ENGINE` cached database": ({"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"}, {}),
    '`SESSION_COOKIE_SAMESITE = "Strict"`': ({"SESSION_COOKIE_SAMESITE": "Strict"}, {}),
    "`SESSION_COOKIE_NAME` of its own": ({"SESSION_COOKIE_NAME": "sid"}, {}),
    "`SESSION_SAVE_EVERY_REQUEST`": ({"SESSION_SAVE_EVERY_REQUEST": True}, {}),
    "`SESSION_EXPIRE_AT_BROWSER_CLOSE`": ({"SESSION_EXPIRE_AT_BROWSER_CLOSE": True}, {}),
    "`CSRF_USE_SESSIONS`": ({"CSRF_USE_SESSIONS": True}, {}),
    "`CSRF_COOKIE_HTTPONLY`": ({"CSRF_COOKIE_HTTPONLY": True}, {}),
    "`SECURE_PROXY_SSL_HEADER`": (
        {
            "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
            "SECURE_SSL_REDIRECT": True,
            "SESSION_COOKIE_SECURE": True,
            "CSRF_COOKIE_SECURE": True,
        },
        {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_ORIGIN": "https://testserver", "SERVER_PORT": "443"},
    ),
    "`USE_X_FORWARDED_HOST`": ({"USE_X_FORWARDED_HOST": True}, {"HTTP_X_FORWARDED_HOST": "testserver"}),
    "`APPEND_SLASH = False`": ({"APPEND_SLASH": False}, {}),
    "`PREPEND_WWW`": ({"PREPEND_WWW": True, "ALLOWED_HOSTS": ["www.testserver"]}, {"SERVER_NAME": "www.testserver"}),
    "`DEFAULT_AUTO_FIELD` of 32 bits": ({"DEFAULT_AUTO_FIELD": "django.db.models.AutoField"}, {}),
    "`USE_THOUSAND_SEPARATOR`": ({"USE_THOUSAND_SEPARATOR": True, "NUMBER_GROUPING": 1, "LANGUAGE_CODE": "de"}, {}),
    "a language from right to left": ({"LANGUAGE_CODE": "ar"}, {"HTTP_ACCEPT_LANGUAGE": "ar"}),
    "a language that we have not": ({"LANGUAGE_CODE": "ja", "LANGUAGES": [("ja", "Japanese")]}, {}),
    "`USE_I18N = False`": ({"USE_I18N": False}, {}),
    "static files with a manifest": (
        {"STORAGES": {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}},
        {},
    ),
    "a content security policy": ({"MIDDLEWARE": middleware("tests.test_surroundings.csp")}, {}),
    "`LoginRequiredMiddleware`": (  # the example has it already; a site may not
        {"MIDDLEWARE": middleware("django.contrib.auth.middleware.LoginRequiredMiddleware", after=AUTHENTICATION)},
        {},
    ),
    "`i18n_patterns`": ({"ROOT_URLCONF": "tests.test_surroundings_urls"}, {}),
    "a dummy cache": ({"CACHES": cache_of("dummy.DummyCache")}, {}),
    "`DEBUG = True`": ({"DEBUG": True}, {}),
    "`SECRET_KEY` rotated": ({"SECRET_KEY": "a new key " * 6, "SECRET_KEY_FALLBACKS": [site.SECRET_KEY]}, {}),
    "`DATA_UPLOAD_MAX_NUMBER_FIELDS` small": ({"DATA_UPLOAD_MAX_NUMBER_FIELDS": 6}, {}),
    '`X_FRAME_OPTIONS = "DENY"`': ({"X_FRAME_OPTIONS": "DENY"}, {}),
}


def sign_in(client: Client, code: Callable[[], str], extra: dict[str, Any]) -> None:
    """As a browser does: it follows where it is sent, and posts to the action of the form that it was shown."""
    # A path with the prefix is what the server cuts off before it calls Django.
    prefix = site.FORCE_SCRIPT_NAME or extra.get("SCRIPT_NAME", "")
    start = "/de/login/" if site.ROOT_URLCONF.endswith("_urls") else "/login/"

    def cut(address: str) -> str:
        assert address.startswith(prefix + "/"), address
        return address.removeprefix(prefix)

    page = client.get(start, **extra)
    assert page.status_code == 200, page
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    action = re.search(r'<form method="post" action="([^"]+)"', page.content.decode())
    assert token is not None
    assert action is not None
    asked = client.post(cut(action[1]), {"identifier": ANN, "csrfmiddlewaretoken": token[1]}, **extra)
    assert asked.status_code == 302, asked.content
    page = client.get(cut(asked.url), **extra)
    assert page.status_code == 200
    seconds = re.search(r'data-seconds-left="([^"]*)"', page.content.decode())
    assert seconds is not None
    assert 590 < int(seconds[1]) <= 600  # a number for code.js, whatever the locale
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    action = re.search(r'<form method="post" action="([^"]+)"', page.content.decode())
    assert token is not None
    assert action is not None
    status = re.search(r'data-status-url="([^"]+)"', page.content.decode())
    assert status is not None
    assert client.get(cut(status[1]), **extra).json()["seconds_left"] > 590
    done = client.post(cut(action[1]), {"code": code(), "csrfmiddlewaretoken": token[1]}, **extra)
    assert done.status_code == 302, done.content
    assert done.url.startswith(prefix or "/")
    assert "_auth_user_id" in client.session
    assert ChallengeSession.objects.get().outcome == "verified"


class Replica:
    """Reads elsewhere, at a database that is not even there: whoever reads what a sign-in has just written fails."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model in (ChallengeSession, Delivery, FailureCount, SendCount) else None


@pytest.fixture
def sent_to_ann(make_user: Callable[..., Any], sent_code: Callable[[], str]) -> Iterator[Callable[[], str]]:
    make_user(ANN)
    yield sent_code
    set_script_prefix("/")


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_one_person_signs_in(name: str, settings: Any, sent_to_ann: Callable[[], str], tmp_path: Path) -> None:
    chosen, extra = SURROUNDINGS[name]
    for key, value in chosen.items():
        setattr(settings, key, value)
    if "STORAGES" in chosen:
        settings.STATIC_ROOT = tmp_path
        call_command("collectstatic", verbosity=0, interactive=False)
    # As a server's handler does; the test client's does not.
    set_script_prefix((chosen.get("FORCE_SCRIPT_NAME") or extra.get("SCRIPT_NAME", "")) + "/")
    sign_in(Client(enforce_csrf_checks=True), sent_to_ann, extra)


def test_with_atomic_requests(monkeypatch: pytest.MonkeyPatch, sent_to_ann: Callable[[], str]) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    sign_in(Client(enforce_csrf_checks=True), sent_to_ann, {})


def test_what_a_sign_in_has_written_is_never_read_from_a_replica(
    settings: Any, client: Client, sent_to_ann: Callable[[], str]
) -> None:
    settings.DATABASE_ROUTERS = ["tests.test_surroundings.Replica"]
    sign_in(Client(enforce_csrf_checks=True), sent_to_ann, {})
    client.post("/login/", {"identifier": "nobody@example.com"})
    for page in ("resend", "retry"):
        ChallengeSession.objects.update(last_sent_at="2020-01-01T00:00:00Z")
        assert client.post(f"/login/code/{page}/").status_code == 302
    assert client.post("/login/code/", {"code": "00000000"}).status_code == 200


def test_the_table_of_the_docs_is_this_one() -> None:
    page = (Path(__file__).parent.parent / "docs" / "surroundings.md").read_text()
    told = re.findall(r"^\| (.+?) \| works \|", page, re.MULTILINE)
    assert sorted(told) == sorted(SURROUNDINGS)


def test_there_are_at_least_twenty() -> None:
    assert len(SURROUNDINGS) >= 20

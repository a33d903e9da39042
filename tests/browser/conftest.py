"""A real browser (the system's Chromium) and what a person does in it.

A page that says anything on its console, breaks the content security policy, or throws, fails its test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from .axe import script
from .server import database_of_many_threads, serving

# Milliseconds until a failing test gives up: machines that test are busy.
PATIENCE = 30_000
WIDTHS = {
    "phone": {"width": 390, "height": 844},
    "desktop": {"width": 1280, "height": 800},
    # WCAG 1.4.10: a desktop enlarged four times.
    "narrow": {"width": 320, "height": 256},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    # playwright keeps an event loop in this thread, in which Django would refuse to touch the database.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The script of axe-core, in pytest's cache."""
    return script(Path(pytestconfig.cache.mkdir("axe-core")))


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    with serving() as origin:
        yield origin


@pytest.fixture
def site(transactional_db: None, server: str, tmp_path: Path) -> Iterator[str]:
    """The site's origin, with a database of this test's own."""
    with database_of_many_threads(tmp_path):
        yield server


@dataclass
class Complaints:
    """What the browser had to say against the pages."""

    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *parts: str) -> None:
        """Complaints with this text are part of the test: browsers report every answer of 400 and above."""
        self.expected += parts

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.heard.append(f"thrown: {error.error}"))
        context.expose_function("reportViolation", lambda text: self.heard.append(f"policy: {text}"))
        context.add_init_script(
            "addEventListener('securitypolicyviolation', (event) =>"
            " reportViolation(`${event.violatedDirective} ${event.blockedURI}`))"
        )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.heard.append(f"{message.type}: {message.text}")

    def unexpected(self) -> list[str]:
        return [text for text in self.heard if not any(part in text for part in self.expected)]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    collected = Complaints()
    yield collected
    assert collected.unexpected() == []


@dataclass(frozen=True)
class Look:
    """How somebody looks at the site."""

    width: str = "desktop"
    scheme: str = "light"
    javascript: bool = True
    locale: str = "en-GB"
    forced_colors: str = "none"

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}-{'js' if self.javascript else 'nojs'}"


BOTH = [Look(), Look(javascript=False)]
LOOKS = [
    Look(width, scheme, js) for width in ("phone", "desktop") for scheme in ("light", "dark") for js in (True, False)
]


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Look:
    """Desktop, light, with JavaScript, unless a test is parametrised over it."""
    look: Look = getattr(request, "param", Look())
    return look


@pytest.fixture
def context(browser: Browser, site: str, look: Look, complaints: Complaints) -> Iterator[BrowserContext]:
    options: dict[str, Any] = {
        "base_url": site,
        "viewport": WIDTHS[look.width],
        "color_scheme": look.scheme,
        "java_script_enabled": look.javascript,
        "has_touch": look.width == "phone",
        "locale": look.locale,
        "forced_colors": look.forced_colors,
    }
    made = browser.new_context(**options)
    made.set_default_timeout(PATIENCE)
    complaints.listen(made)
    yield made
    made.close()


@pytest.fixture
def admin(context: BrowserContext, site: str) -> User:
    """A superuser, whose browser is signed in."""
    user = User.objects.create_superuser("boss", "boss@example.com")
    client = Client()
    client.force_login(user)
    context.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # Django's admin names none
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    return user


@pytest.fixture
def page(context: BrowserContext) -> Page:
    expect.set_options(timeout=PATIENCE)
    return context.new_page()

"""Makes the pictures of the documentation from the example project, as it is: ``python docs/make_screenshots.py``.

Needs playwright and Chromium on the PATH. Nothing outside `docs/images` is touched: the database is in a temporary
directory, and no message leaves the process.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import django
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
LOGIN: ViewportSize = {"width": 800, "height": 480}
CODE: ViewportSize = {"width": 800, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 720}
ADMIN: ViewportSize = {"width": 1000, "height": 930}
ADMIN_ON_A_PHONE: ViewportSize = {"width": 390, "height": 900}
PROGRESS = "/admin/cognito_passwordless/progress/"
MOST_BYTES = 100 * 1024


@contextmanager
def example_project() -> Iterator[str]:
    """Serves it from this process; yields its origin."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            # playwright keeps an event loop in this thread, in which Django would refuse to touch the database.
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
            "DATABASE_URL": f"sqlite:///{directory}/db.sqlite3",
            "EMAIL_URL": "dummymail://",
            "LOG_LEVEL": "WARNING",
        }
        sys.path.insert(0, str(ROOT))
        django.setup()
        call_command("migrate", verbosity=0)
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.terminate()


def picture(
    browser: Browser,
    origin: str,
    name: str,
    scheme: Literal["light", "dark"],
    viewport: ViewportSize,
    *,
    code_page: bool,
) -> None:
    """Takes one picture. Raises `SystemExit` when it is too large for a README."""
    page = browser.new_page(base_url=origin, color_scheme=scheme, viewport=viewport, locale="en-GB")
    page.goto("/login/")
    page.get_by_label("E-mail address or phone number").fill("ada@example.com")
    if code_page:
        page.get_by_role("button", name="Send code").click()
        page.get_by_text("Now look").wait_for()
    keep(page, name)


def picture_of_the_progress(
    browser: Browser,
    origin: str,
    name: str,
    scheme: Literal["light", "dark"],
    viewport: ViewportSize,
    *,
    session: str,
) -> None:
    """Takes one picture of the admin. Raises `SystemExit` when it is too large."""
    context = browser.new_context(base_url=origin, color_scheme=scheme, viewport=viewport, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": origin}])
    page = context.new_page()
    page.add_init_script("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
    page.goto(PROGRESS)
    keep(page, name)
    context.close()


def half_way_through() -> str:
    """Months of a migration; returns the session of somebody who may look at it."""
    from django.contrib.auth.models import User  # noqa: PLC0415  (after `setup`)
    from django.test import Client  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from cognito_passwordless.flows.progress import rollup  # noqa: PLC0415
    from example_project.demo import history  # noqa: PLC0415

    now = timezone.now()
    history.fill(now, "late")
    rollup.roll_up(now)
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client.cookies["sessionid"].value


def keep(page: Page, name: str) -> None:
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path.relative_to(ROOT)} is larger than {MOST_BYTES} bytes")
    print(path.relative_to(ROOT), path.stat().st_size, "bytes")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with example_project() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        picture(browser, origin, "login-light", "light", LOGIN, code_page=False)
        picture(browser, origin, "code-dark", "dark", CODE, code_page=True)
        picture(browser, origin, "code-phone", "light", PHONE, code_page=True)
        session = half_way_through()
        picture_of_the_progress(browser, origin, "progress-light", "light", ADMIN, session=session)
        picture_of_the_progress(browser, origin, "progress-phone", "dark", ADMIN_ON_A_PHONE, session=session)
        browser.close()


if __name__ == "__main__":
    main()

"""One sign-in by each route over HTTP, as a person at a browser does it: type, read the inbox, type the code."""

import re
import time
from collections.abc import Callable, Mapping

from . import people
from .browser import Browser, BrowserError, Page

MESSAGE_TIMEOUT = 15  # seconds

Way = Callable[[Browser], None]


class CheckFailed(Exception):
    """A sign-in did not go as it should; the message says where."""


def by_code(identifier: str, *, sender: str) -> Way:
    """Signs in by a code that ``sender`` (``site`` or ``cognito``) has to have sent, after a wrong one was refused."""

    def sign_in(browser: Browser) -> None:
        before = _messages_to(identifier, browser)
        page = browser.submit(browser.get("/login/"), identifier=identifier)
        code = _new_code(identifier, sender, browser, len(before))
        page = answer(browser, page, _another(code))
        if _signed_in(page, identifier):
            raise CheckFailed("a wrong code signed in")
        page = answer(browser, page, code)
        if not _signed_in(page, identifier):
            raise CheckFailed(f"the right code led to {page.url} ({page.status})")

    return sign_in


def answer(browser: Browser, page: Page, code: str) -> Page:
    """What a code leads to in the end: the page that checks it loads itself again, and asks to go on."""
    page = browser.submit(page, code=code)
    deadline = time.monotonic() + MESSAGE_TIMEOUT
    while 'data-state="checking"' in page.text and time.monotonic() < deadline:
        time.sleep(0.1)
        page = browser.get(page.url)
    return browser.submit(page, csrfmiddlewaretoken=page.token) if 'data-state="right"' in page.text else page


def by_hosted_login(identifier: str) -> Way:
    """Signs in on Cognito's own pages, and comes back."""

    def sign_in(browser: Browser) -> None:
        before = _messages_to(identifier, browser)
        page = browser.submit(browser.get("/login/cognito/main/"), username=identifier)
        code = _new_code(identifier, "cognito", browser, len(before))
        page = browser.submit(page, code=code)
        if not _signed_in(page, identifier):
            raise CheckFailed(f"the hosted login led to {page.url} ({page.status})")

    return sign_in


# A route is one line here, whatever its way is.
ROUTES: Mapping[str, Way] = {
    "local": by_code(people.LOCAL, sender="site"),
    "cognito_otp": by_code(people.POOL, sender="cognito"),
    "cognito_custom": by_code(people.CUSTOM, sender="cognito"),
    "cognito_oidc": by_hosted_login(people.HOSTED),
}


def run(url: str, write: Callable[[str], object], routes: Mapping[str, Way] = ROUTES) -> bool:
    """Tries every route with a browser of its own; one line each. True if all are well."""
    well = True
    for name, way in routes.items():
        try:
            way(Browser(url))
        except (CheckFailed, BrowserError, OSError) as error:
            write(f"FAIL {name}: {error}")
            well = False
        else:
            write(f"PASS {name}")
    return well


def _signed_in(page: Page, identifier: str) -> bool:
    can_sign_out = any(form.action.endswith("/logout/") for form in page.forms)
    # The home page names a person by e-mail address; those with a phone alone have none.
    return can_sign_out and (identifier in page.text or "@" not in identifier)


def _new_code(identifier: str, sender: str, browser: Browser, seen: int) -> str:
    deadline = time.monotonic() + MESSAGE_TIMEOUT
    while time.monotonic() < deadline:
        messages = _messages_to(identifier, browser)
        if len(messages) > seen:
            newest_sender, text = messages[0]
            if newest_sender != sender:
                raise CheckFailed(f"the code came from {newest_sender}, not from {sender}")
            return _code_in(text)
        time.sleep(0.2)
    raise CheckFailed(f"no message within {MESSAGE_TIMEOUT} s")


def _messages_to(identifier: str, browser: Browser) -> list[tuple[str, str]]:
    """Who sent what, newest first."""
    articles = browser.get("/inbox/").articles
    return [(article.data["sender"], article.text) for article in articles if article.data["recipient"] == identifier]


def _code_in(text: str) -> str:
    found = re.search(r"(?<![\d-])\d{6,10}(?![\d-])", text)
    if found is None:
        raise CheckFailed("the message has no code in it")
    return found.group()


def _another(code: str) -> str:
    """A code of the same length that is not this one."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)

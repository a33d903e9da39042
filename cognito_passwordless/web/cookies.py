"""The cookies of this package (law 5): the handle of the challenge in progress, a browser's own mark, and for a moment
the link that a person has opened."""

from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from .. import keys
from ..conf import conf

HANDLE_COOKIE = "cognito_passwordless"
API_COOKIE = "cognito_passwordless_api"  # a page's challenge is nothing to the JSON API, and the other way round
KNOWN_COOKIE = "cognito_passwordless_browser"
LINK_COOKIE = "cognito_passwordless_link"
AT_LEAST = 1800  # seconds: a hosted login takes longer than a code
KNOWN_FOR = 365 * 24 * 3600  # seconds
KNOWN_PEOPLE = 5
_SALT = "cognito_passwordless.known_browser"


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """A random id, and the marks of the people who have signed in here before; addresses themselves are not kept."""

    id: str
    marks: tuple[str, ...] = ()

    def id_for(self, identifier: str) -> str:
        """The browser's id if this person has signed in here before, else empty."""
        return self.id if keys.mark(identifier) in self.marks else ""


def handle(request: HttpRequest, name: str = HANDLE_COOKIE) -> str:
    """What this browser holds of a challenge; empty if nothing."""
    return request.COOKIES.get(name, "")[:100]


def known_browser(request: HttpRequest) -> KnownBrowser:
    """What the signed cookie says; a fresh unknown browser where there is none, or a forged one."""
    try:
        value = signing.loads(request.COOKIES.get(KNOWN_COOKIE, ""), salt=_SALT, max_age=KNOWN_FOR)
        return KnownBrowser(str(value["id"])[:32], tuple(map(str, value["people"]))[:KNOWN_PEOPLE])
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return KnownBrowser(get_random_string(32))


def set_handle(response: HttpResponse, new_handle: str, name: str = HANDLE_COOKIE) -> None:
    """Gives the handle to the browser, for as long as the challenge lives and a little longer, so that the code page
    can still say what to do next."""
    _set(response, name, new_handle, max_age=max(2 * conf.otp.ttl, AT_LEAST))


def delete_handle(response: HttpResponse, name: str = HANDLE_COOKIE) -> None:
    response.delete_cookie(name, path=settings.SESSION_COOKIE_PATH, samesite=_same_site())


def link(request: HttpRequest) -> str:
    """The token of the link that was opened here; empty if none."""
    return request.COOKIES.get(LINK_COOKIE, "")[:100]


def set_link(response: HttpResponse, token: str) -> None:
    """For as long as the page is looked at. It has to come along from a mail program, whatever the session does."""
    _set(response, LINK_COOKIE, token, max_age=AT_LEAST, same_site="Lax")


def delete_link(response: HttpResponse) -> None:
    response.delete_cookie(LINK_COOKIE, path=settings.SESSION_COOKIE_PATH, samesite="Lax")


def remember(
    request: HttpRequest, response: HttpResponse, identifier: str, browser: KnownBrowser | None = None
) -> None:
    """Notes that this person has signed in here, the latest first. ``browser``: what `known_browser` said before."""
    browser = browser or known_browser(request)
    marks = dict.fromkeys((keys.mark(identifier), *browser.marks))
    value = {"id": browser.id, "people": list(marks)[:KNOWN_PEOPLE]}
    _set(response, KNOWN_COOKIE, signing.dumps(value, salt=_SALT), max_age=KNOWN_FOR)


def _set(
    response: HttpResponse, name: str, value: str, max_age: int, same_site: Literal["Lax", "Strict"] | None = None
) -> None:
    # Host-only, whatever SESSION_COOKIE_DOMAIN says: no sister domain needs it, and none should be able to read it.
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=settings.SESSION_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite=same_site or _same_site(),
    )


def comes_back_with_cookies(request: HttpRequest) -> bool:
    """Whether this request, sent to us by another site, may finish a sign-in: our handle came with it, and the session
    cookie that we would set goes along with the redirect that follows. Neither is so for a cross-site POST, nor under
    ``SameSite=Strict``."""
    return HANDLE_COOKIE in request.COOKIES and _same_site() != "Strict"


def _same_site() -> Literal["Lax", "Strict"]:
    # As strict as the site's own session, and never "None".
    return "Strict" if str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict" else "Lax"

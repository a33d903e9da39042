"""A browser without a screen: cookies, redirects, and forms that are filled in as they came, CSRF token and all."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

TIMEOUT = 30  # seconds


class BrowserError(Exception):
    """The page is not what a person would need to go on."""


@dataclass(slots=True)
class Form:
    """One form of a page; ``fields`` with the values they came with."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Article:
    """One ``<article>``: its ``data-…`` attributes and its text."""

    data: dict[str, str]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What the server sent in the end."""

    url: str
    status: int
    text: str
    forms: list[Form]
    articles: list[Article]

    @property
    def token(self) -> str:
        """The CSRF token of its first form."""
        return self.forms[0].fields["csrfmiddlewaretoken"]

    def form_with(self, name: str) -> Form:
        """The form that asks for ``name``. Raises `BrowserError` if there is none."""
        for form in self.forms:
            if name in form.fields:
                return form
        raise BrowserError(f"{self.url} ({self.status}) has no field {name!r}")


class Browser:
    """One person's browser: what it is given in one visit it brings along in the next."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> Page:
        return self._open(Request(urljoin(self._site, path)))  # noqa: S310 - the demo's own http address

    def submit(self, page: Page, **filled: str) -> Page:
        """Fills in the form that has these fields, and sends it."""
        form = page.form_with(next(iter(filled)))
        body = urlencode(form.fields | filled).encode()
        target = urljoin(page.url, form.action)
        return self._open(Request(target, data=body, headers={"Referer": page.url}))  # noqa: S310

    def _open(self, request: Request) -> Page:
        try:
            response = self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as error:
            # A refusal is a page too.
            response = error
        with response:
            text = response.read().decode("utf-8", "replace")
            reader = _Reader()
            reader.feed(text)
            return Page(response.url, response.status, text, reader.forms, reader.articles)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.articles: list[Article] = []
        self._in_form = self._in_article = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
            self._in_form = True
        elif tag == "article":
            self.articles.append(Article({name[5:]: text for name, text in given.items() if name.startswith("data-")}))
            self._in_article = True
        elif tag in {"input", "select", "textarea"} and self._in_form and "name" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        elif tag == "article":
            self._in_article = False

    def handle_data(self, data: str) -> None:
        if self._in_article:
            self.articles[-1].text += data

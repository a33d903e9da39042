"""Requests and responses of the hosted pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

COOKIE = "cognito_local"
MAX_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """`query` and `form` keep every value, so that a repeated parameter can be told from a single one."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    authorization: str = field(default="", repr=False)
    cookie: str = field(default="", repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> Request:
        form: tuple[tuple[str, str], ...] = ()
        try:
            morsel = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
        except CookieError:
            morsel = None
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            length = min(int(environ.get("CONTENT_LENGTH") or 0), MAX_BODY)
            form = _pairs(environ["wsgi.input"].read(length).decode("utf-8", "replace"))
        return cls(
            method=environ.get("REQUEST_METHOD", ""),
            path=environ.get("PATH_INFO", ""),
            query=_pairs(environ.get("QUERY_STRING", "")),
            form=form,
            authorization=environ.get("HTTP_AUTHORIZATION", ""),
            cookie=morsel.value if morsel else "",
        )


@dataclass(frozen=True, slots=True)
class Response:
    status: str
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """The parameters as a mapping, or None where one is repeated (RFC 6749 3.1 forbids it)."""
    listed = tuple(pairs)
    parameters = dict(listed)
    return parameters if len(parameters) == len(listed) else None


def html(body: str, status: str = "200 OK", headers: Iterable[tuple[str, str]] = ()) -> Response:
    always = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"))
    return Response(status, body.encode(), (*always, *headers))


def text_page(status: str, text: str) -> Response:
    return Response(status, text.encode(), (("Content-Type", "text/plain; charset=utf-8"),))


def as_json(document: Mapping[str, Any], status: str = "200 OK", headers: Iterable[tuple[str, str]] = ()) -> Response:
    always = (("Content-Type", "application/json;charset=UTF-8"), ("Cache-Control", "no-store"))
    return Response(status, json.dumps(document).encode(), (*always, *headers))


def redirect(
    to: str, parameters: Mapping[str, str] | None = None, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    return Response("302 Found", b"", (("Location", with_query(to, parameters or {})), *headers))


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    scheme, host, path, query, fragment = urlsplit(url)
    query = "&".join(part for part in (query, urlencode(parameters)) if part)
    return urlunsplit((scheme, host, path, query, fragment))


def set_cookie(value: str) -> tuple[str, str]:
    return "Set-Cookie", f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax"


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(text, keep_blank_values=True))

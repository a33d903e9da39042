"""A database full of people, and its admin: answers the questions of `benchmarks.progress`, one a line."""

import json
import re
import sys
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from cognito_passwordless.flows.progress import rollup

from . import progress_rows
from .measure import Statements

ADMIN = "/admin/cognito_passwordless/"
PAGE = f"{ADMIN}progress/"
PAGES = (PAGE, f"{PAGE}?connection=partners", f"{PAGE}figures.json", f"{PAGE}figures.csv")
LISTS = tuple(f"{ADMIN}{name}/" for name in ("migrateduser", "journeyevent", "challengesession", "sendcount"))


def count(name: str) -> dict[str, Any]:
    """How long a roll-up takes, or how long it takes to check one and what it finds."""
    began = time.perf_counter()
    drift = len(rollup.check()) if name == "check" else rollup.roll_up(timezone.now()) and 0
    return {"seconds": time.perf_counter() - began, "drift": drift}


def pages(client: Client) -> Iterator[str]:
    """The page, its exports, the whole lists, and of each kind of list that it links to the one with the most rows."""
    yield from (*PAGES, *LISTS)
    longest: dict[str, tuple[int, str]] = {}
    html = client.get(PAGE).content.decode()
    for link, number in re.findall(rf'href="({ADMIN}\w+/\?[^"]*)">([\d,]+)</a>', html):
        url, rows = unescape(link), int(number.replace(",", ""))
        kind = re.sub(r"days=[^&]*", "days=", url)
        longest[kind] = max(longest.get(kind, (0, "")), (rows, url))
    yield from (url for _, url in longest.values())


def visit(client: Client, url: str) -> dict[str, Any]:
    counter = Statements()
    with connection.execute_wrapper(counter):
        began = time.perf_counter()
        response: Any = client.get(url)
        took = time.perf_counter() - began
    assert response.status_code == 200, (url, response)
    listed = (getattr(response, "context_data", None) or {}).get("cl")
    return {"ms": took * 1000, "statements": counter.count, "shown": listed and len(listed.result_list)}


def main(people: int, events: int) -> None:
    call_command("migrate", verbosity=0)
    progress_rows.fill(people, events)
    client = Client()
    client.force_login(User.objects.create_superuser("looks"))
    for line in sys.stdin:
        asked = json.loads(line)
        if "count" in asked:
            told: Any = count(asked["count"])
        else:
            told = visit(client, asked["url"]) if "url" in asked else list(pages(client))
        print(json.dumps(told), flush=True)

"""Runs on one database: ``python -m benchmarks.measure <rounds>`` prints what it measured as JSON."""

import gc
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import django

WARM_UP = 20
# Marks of transactions, which Django sends like any other statement.
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


class Statements:
    """Counts what is sent to the database, marks of transactions apart."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += not sql.startswith(CONTROL)
        return execute(sql, params, many, context)


def prepare() -> None:
    """An empty database with one user, who has verified their address and has no password."""
    from allauth.account.models import EmailAddress  # noqa: PLC0415  (after `setup`)
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    from .routes import EMAIL  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    user = User(username="bench", email=EMAIL)
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)


def run(rounds: int) -> dict[str, Any]:
    """Statements of one warm sign-in, and milliseconds of ``rounds`` sign-ins by turns, for each route."""
    from django.core import mail  # noqa: PLC0415
    from django.core.cache import cache  # noqa: PLC0415
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from .routes import ALLAUTH, OURS, Journey  # noqa: PLC0415

    handler = WSGIHandler()
    routes = (OURS, ALLAUTH)

    def walk(note: Callable[[str, str, Callable[[], None]], None]) -> None:
        for route in routes:
            cache.clear()
            for step, call in Journey(route, handler).steps():
                note(route.name, step, call)
            mail.outbox.clear()

    for _ in range(WARM_UP):
        walk(lambda route, step, call: call())

    statements: dict[str, Counter[str]] = defaultdict(Counter)

    def count(route: str, step: str, call: Callable[[], None]) -> None:
        counter = Statements()
        with connection.execute_wrapper(counter):
            call()
        statements[route][step] = counter.count

    walk(count)

    milliseconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def clock(route: str, step: str, call: Callable[[], None]) -> None:
        began = time.perf_counter()
        call()
        milliseconds[route][step].append((time.perf_counter() - began) * 1000)

    gc.collect()
    gc.freeze()
    for number in range(rounds):
        routes = routes if number % 2 else routes[::-1]
        walk(clock)
    return {"statements": statements, "milliseconds": milliseconds, "versions": versions()}


def versions() -> dict[str, str]:
    from importlib.metadata import version  # noqa: PLC0415

    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        (database,) = cursor.fetchone()
    return {
        "python": sys.version.split()[0],
        "django": django.__version__,
        "allauth": version("django-allauth"),
        connection.vendor: database,
    }


if __name__ == "__main__":
    django.setup()
    prepare()
    json.dump(run(int(sys.argv[1])), sys.stdout)

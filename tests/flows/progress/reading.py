"""Dry runs: every statement that they send is looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def reading_only() -> Iterator[None]:
    """Anything but a SELECT fails the test; a union begins with a bracket on PostgreSQL."""

    def look(execute: Any, sql: str, *rest: Any) -> Any:
        assert sql.lstrip("(").startswith("SELECT"), sql
        return execute(sql, *rest)

    with connection.execute_wrapper(look):
        yield

"""What PostgreSQL does faster than the ORM: COPY for new rows (a tenth of ``bulk_create``'s time), one array parameter
for thousands of subs, and ANALYZE for a table that grows.

Needs psycopg 3: on SQLite and with psycopg2, `available` is False and the import uses the ORM.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from django.db import connections
from django.db.models import Field, JSONField, Model

# Rows that PostgreSQL may find in any way.
_FEW: Final = 5_000


def available(using: str) -> bool:
    """Whether this database is a PostgreSQL that Django reaches by psycopg 3."""
    connection = connections[using]
    driver = getattr(getattr(connection, "Database", None), "__name__", "")
    return bool(connection.vendor == "postgresql" and driver == "psycopg")


def insert(
    model: type[Model],
    names: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    *,
    constants: Mapping[str, Any],
    using: str,
) -> None:
    """Inserts rows with these fields (by name, in this order), and ``constants`` in all of them; the other fields get
    their defaults. Documents are flat, of texts. Raises `IntegrityError` and `DataError`, as the ORM does."""
    connection = connections[using]
    quoted = connection.ops.quote_name
    given = [_field(model, name) for name in names]
    same = {_field(model, name): value for name, value in constants.items()}
    # Fields that others add later are filled as the ORM would.
    others = [field for field in model._meta.concrete_fields if not field.primary_key and field not in given]
    rest = tuple(
        field.get_db_prep_save(same[field] if field in same else field.get_default(), connection) for field in others
    )
    # psycopg would dump each dict anew, but most people's attributes are the same few.
    document = lru_cache(maxsize=256)(lambda items: json.dumps(dict(items)))
    documents = [place for place, field in enumerate(given) if isinstance(field, JSONField)]
    columns = ", ".join(quoted(str(field.column)) for field in (*given, *others))
    statement = f"COPY {quoted(model._meta.db_table)} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            values = [*row, *rest]
            for place in documents:
                values[place] = document(tuple(values[place].items()))
            copy.write_row(values)


def select(
    model: type[Model], wanted: Sequence[str], pool: str, subs: Sequence[str], *, using: str
) -> Iterator[tuple[Any, ...]]:
    """These columns of the rows with this pool and one of these subs."""
    connection = connections[using]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(_field(model, name).column)) for name in wanted)
    # Plain text: execute wrappers and loggers of a site expect a string.
    statement = f"SELECT {columns} FROM {quoted(model._meta.db_table)} WHERE pool = %s AND sub = ANY(%s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [pool, list(subs)])
        yield from cursor.fetchall()


class Statistics:
    """Keeps the planner's statistics up to date while the table grows. Autovacuum updates them a minute later, or
    never if it is off, and until then PostgreSQL may read the whole table for every page."""

    def __init__(self, model: type[Model], using: str) -> None:
        self._table = connections[using].ops.quote_name(model._meta.db_table)
        self._using = using
        self._due = 0 if available(using) else None

    def follow(self, rows: int) -> None:
        """Call it for every page, with the number of rows so far: it runs ANALYZE, which reads a sample, at the start
        and whenever that number has doubled."""
        if self._due is None or rows < self._due:
            return
        with connections[self._using].cursor() as cursor:
            cursor.execute(f"ANALYZE {self._table}")
        self._due = max(_FEW, 2 * rows)


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(name))

"""What PostgreSQL does faster than the ORM asks it to: new rows by COPY, a tenth of ``bulk_create``'s time, a look for
thousands of rows with one parameter, and a plan for it that knows how large the table is by now.

Needs psycopg 3; elsewhere `available` says no.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final, cast

from django.db import connections
from django.db.models import Field, JSONField, Model

# Rows that are sent together; a few hundred KiB.
_BLOCK: Final = 1_000
# Rows that PostgreSQL may find in any way.
_FEW: Final = 5_000
_NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def available(using: str) -> bool:
    """Whether this database takes rows this way."""
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
    their defaults.

    Values are texts, numbers, booleans, moments, documents and None. Raises `IntegrityError` and `DataError`, as the
    ORM does.
    """
    from psycopg import sql  # noqa: PLC0415  (only where there is a PostgreSQL)

    connection = connections[using]
    given = [_field(model, name) for name in names]
    same = {_field(model, name): value for name, value in constants.items()}
    # Fields that others add later are filled as the ORM would.
    others = [field for field in model._meta.concrete_fields if not field.primary_key and field not in given]
    columns = sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in (*given, *others))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), columns)
    end = f"\t{_line([same[field] if field in same else _default(field) for field in others])}\n"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.cursor.copy(statement) as copy,
    ):
        lines = (_line(row) + end for row in rows)
        while block := "".join(islice(lines, _BLOCK)):
            copy.write(block)


def select(
    model: type[Model], wanted: Sequence[str], pool: str, subs: Sequence[str], *, using: str
) -> Iterator[tuple[Any, ...]]:
    """These columns of the rows with this pool and one of these subs."""
    connection = connections[using]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(_field(model, name).column)) for name in wanted)
    # Plain text: whoever listens to a site's statements expects no other.
    statement = f"SELECT {columns} FROM {quoted(model._meta.db_table)} WHERE pool = %s AND sub = ANY(%s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [pool, list(subs)])
        yield from cursor.fetchall()


class Statistics:
    """Keeps what PostgreSQL plans by from falling behind a table that grows. Its own count comes up to a minute later,
    or never where autovacuum is off, and until then it may read the whole table for every page."""

    def __init__(self, model: type[Model], using: str) -> None:
        self._table = connections[using].ops.quote_name(model._meta.db_table)
        self._using = using
        self._due = 0 if available(using) else None

    def follow(self, rows: int) -> None:
        """Called as often as one likes, with the rows that were walked so far: counts at the start, and whenever they
        have doubled. It reads a sample."""
        if self._due is None or rows < self._due:
            return
        with connections[self._using].cursor() as cursor:
            cursor.execute(f"ANALYZE {self._table}")
        self._due = max(_FEW, 2 * rows)


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(name))


def _default(field: "Field[Any, Any]") -> Any:
    value = field.get_default()
    return value if isinstance(field, JSONField) else field.get_prep_value(value)


def _line(values: Sequence[Any]) -> str:
    """Values as COPY reads them: https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"."""
    texts = [value if value.__class__ is str else _text(value) for value in values]
    # Nearly no row has anything to escape.
    if None not in values:
        line = "\t".join(texts)
        if "\\" not in line and "\n" not in line and "\r" not in line and line.count("\t") < len(texts):
            return line
    return "\t".join(
        _NULL if value is None else text.translate(_ESCAPES) for value, text in zip(values, texts, strict=True)
    )


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return _document(value) if isinstance(value, dict) else str(value)


def _document(value: dict[str, Any]) -> str:
    # Most people's are the same few.
    if all(held.__class__ is str for held in value.values()):
        return _dumped(tuple(value.items()))
    return json.dumps(value)


@lru_cache(maxsize=256)
def _dumped(items: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(items))

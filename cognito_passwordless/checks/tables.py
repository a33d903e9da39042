"""Asking the database, for the checks that run with ``--database`` and with ``migrate``."""

from typing import Any

from django.db import connections as databases_
from django.db import models, router


def rows_of(model: type[models.Model], databases: Any) -> "models.QuerySet[Any] | None":
    """A model's rows, or None while its table may not be asked or is not there."""
    alias = router.db_for_read(model)
    if alias not in (databases or ()):
        return None
    # `migrate` runs these checks before it has made or changed the table.
    table, database = model._meta.db_table, databases_[alias]
    with database.cursor() as cursor:
        if table not in database.introspection.table_names(cursor):
            return None
        columns = {column.name for column in database.introspection.get_table_description(cursor, table)}
    is_migrated = columns.issuperset(field.column for field in model._meta.concrete_fields)
    return model._default_manager.using(alias).all() if is_migrated else None

"""Counting in windows, with one statement per count.

It is SQL of our own because Django's ``update_conflicts`` takes no expression, and because it is what every request
waits for: the same in Django's expressions takes ten times as long to build as to run. SQLite and PostgreSQL both
lock the row by it and look at its newest state, so any number of processes agree, on the first count as well.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from ...conf import Limit

# To follow an INSERT of 1; ``kept`` is the row that is there already.
ADD_ONE = """
DO UPDATE SET
    "count" = CASE WHEN kept.window_started_at <= %(over)s THEN 1 ELSE kept."count" + 1 END,
    window_started_at = CASE WHEN kept.window_started_at <= %(over)s THEN %(now)s ELSE kept.window_started_at END
"""
IF_BELOW = """WHERE kept.window_started_at <= %(over)s OR kept."count" < %(most)s"""


def execute(database: str, sql: str, limit: Limit, now: datetime, parameters: Mapping[str, Any]) -> bool:
    """Runs a statement that ends in `ADD_ONE`; ``over``, ``now`` and ``most`` come from here. True when it counted."""
    connection = connections[database]
    moment = connection.ops.adapt_datetimefield_value
    over = now - timedelta(seconds=limit.window)
    known = {"now": moment(now), "over": moment(over), "most": limit.count}
    with connection.cursor() as cursor:
        cursor.execute(sql, known | dict(parameters))
        return bool(cursor.rowcount)

"""A process in which an operator, or a pool's import, meddles with people at a moment that the test chooses.

``python -m tests.races.intervening`` says "ready"; each line it reads is a JSON list, ``["undo", 5, "remove"]``, which
it carries out at once and answers with a line: what came of it, or the reason why nothing did.
"""

import json
import sys
from typing import Any

import django


def act(what: str, key: Any, *more: Any) -> str:
    from django.utils import timezone

    from cognito_passwordless import connections
    from cognito_passwordless.flows.accounts import tombstones
    from cognito_passwordless.flows.accounts.errors import ActionRefused
    from cognito_passwordless.flows.conflicts import resolve
    from cognito_passwordless.flows.lifecycle import cutover, erase, undo
    from cognito_passwordless.models import Erasure

    now = timezone.now()
    try:
        if what == "undo":
            return undo.undo(int(key), choice=more[0], now=now, by="race").outcome
        if what == "erase":
            return f"erased {len(erase.erase(int(key), remove_user=more[0], now=now, by='race').tombstones)}"
        if what == "lift":
            for erasure in Erasure.objects.all():
                tombstones.remove(erasure, now=now, by="race")
            return "lifted"
        if what == "decide":
            return resolve.decide(int(key), more[0], now=now, by="race").record.status
        if what == "withdraw":
            resolve.withdraw(int(key), now=now, by="race")
            return "withdrawn"
        if what == "import":
            return write_row(str(key), *more)
        connection = connections.find(str(key))
        assert connection
        if what == "retire":
            return f"ended {cutover.retire(connection, now=now, by='race')}"
        assert what == "unretire"
        return str(cutover.unretire(connection, now=now, by="race"))
    except ActionRefused as refused:
        return refused.reason


def write_row(sub: str, email: str) -> str:
    """What an import does to somebody who has changed in the pool."""
    from django.db import router, transaction

    from cognito_passwordless import connections
    from cognito_passwordless.flows.accounts import tombstones
    from cognito_passwordless.models import MigratedUser

    connection = connections.find("main")
    assert connection
    row = MigratedUser(connection="main", pool=connection.pool, sub=sub, username=sub, email=email)
    with transaction.atomic(using=router.db_for_write(MigratedUser)):
        MigratedUser.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["pool", "sub"], update_fields=["username", "email"]
        )
        return f"kept out {len(tombstones.delete_erased(connection.pool, [sub]))}"


def main() -> None:
    django.setup()
    from django.db import connection

    connection.ensure_connection()
    print("ready", flush=True)
    for line in sys.stdin:
        print(act(*json.loads(line)), flush=True)


if __name__ == "__main__":
    main()

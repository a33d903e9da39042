"""What the site runs on: cache, broker, database."""

from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connections as databases_
from django.db import router

from .. import models
from ..conf import conf
from ..flows.sending.send_code import QUEUES
from .problems import SETTING, Messages, error, usable, warning

DUMMY = "django.core.cache.backends.dummy.DummyCache"
TRIED_ON = frozenset({"sqlite", "postgresql"})
# Attempts and budgets are counted by INSERT … ON CONFLICT, which these do not have.
CANNOT_COUNT = {"mysql": "MySQL and MariaDB", "oracle": "Oracle", "microsoft": "SQL Server"}
# Without them a worker of the site waits for a broker that does not answer, and so does the person.
TIMEOUTS = frozenset({"socket_connect_timeout", "socket_timeout"})


def cache(**kwargs: Any) -> Messages:
    if settings.CACHES.get("default", {}).get("BACKEND") != DUMMY:
        return []
    text = "The default cache is the dummy cache, which switches allauth's rate limits off."
    hint = "Use a cache that all processes share, such as Redis. The limits of this package do not need it."
    return [warning("W401", text, hint=hint)]


def broker(**kwargs: Any) -> Messages:
    if usable(lambda: conf.dispatch, "") != "celery":
        return []
    url = broker_url()
    if not url:
        text = "Codes are sent by Celery, and Celery has no broker."
        hint = (
            f"Set CELERY_BROKER_URL and load a Celery app in the project (docs/celery.md), or set "
            f"{SETTING}['DISPATCH'] to 'inline' for development."
        )
        return [error("E402", text, hint=hint)]
    if url.startswith("memory:"):
        text = "Celery's broker is this process's memory: no worker sees what is put there."
        hint = "Use Redis or another broker that workers can reach."
        return [warning("W403", text, hint=hint)]
    return []


def broker_timeouts(**kwargs: Any) -> Messages:
    """Redis clients wait for ever by default."""
    if usable(lambda: conf.dispatch, "") != "celery" or not broker_url().startswith(
        ("redis:", "rediss:", "sentinel:")
    ):
        return []
    missing = TIMEOUTS - (current_app.conf.broker_transport_options or {}).keys()
    if not missing:
        return []
    text = f"CELERY_BROKER_TRANSPORT_OPTIONS lacks {', '.join(sorted(missing))}."
    hint = "Set both to a second or two: a person waits while a message is handed over."
    return [warning("W404", text, hint=hint)]


def queues(**kwargs: Any) -> Messages:
    """Celery makes missing queues by itself, unless a site forbids it."""
    options = current_app.conf
    if usable(lambda: conf.dispatch, "") != "celery" or options.task_create_missing_queues:
        return []
    missing = set(QUEUES.values()) - {queue.name for queue in options.task_queues or ()}
    if not missing:
        return []
    text = f"CELERY_TASK_CREATE_MISSING_QUEUES is off, and CELERY_TASK_QUEUES lacks {', '.join(sorted(missing))}."
    return [error("E408", text, hint="Add them (docs/celery.md): without them no code is sent.")]


def broker_url() -> str:
    """Where messages are handed over; empty where none is configured (Celery would then guess one on this machine)."""
    return str(current_app.conf.broker_write_url or current_app.conf.broker_url or "")


def database(**kwargs: Any) -> Messages:
    alias = router.db_for_write(models.ChallengeSession)
    connection = databases_[alias]
    if connection.vendor in CANNOT_COUNT:
        # By the vendor: the name of the product is asked of the server, which a check must not need.
        text = f"The tables of this package are on the database {alias!r}, and {CANNOT_COUNT[connection.vendor]} "
        text += "cannot hold them: no sign-in would start."
        hint = "Keep them on PostgreSQL or SQLite, by a database router if need be (docs/surroundings.md)."
        return [error("E407", text, hint=hint)]
    if connection.vendor == "sqlite" and not connection.features.can_return_columns_from_insert:
        text = f"The SQLite of the database {alias!r} is older than 3.35: without RETURNING nothing is counted."
        return [error("E410", text, hint="Use a Python that was built with SQLite 3.35 or newer.")]
    if connection.vendor not in TRIED_ON:
        text = f"This package's race tests have never run on {connection.display_name}."
        hint = "Keep its tables on SQLite or PostgreSQL, by a database router if need be."
        return [warning("W405", text, hint=hint)]
    options = connection.settings_dict.get("OPTIONS") or {}
    if connection.vendor != "sqlite" or str(options.get("transaction_mode", "")).upper() in ("IMMEDIATE", "EXCLUSIVE"):
        return []
    text = f"The SQLite database {alias!r} begins its transactions by reading: parallel sign-ins fail as locked."
    hint = "Set OPTIONS['transaction_mode'] = 'IMMEDIATE', and a timeout of some seconds."
    return [warning("W406", text, hint=hint)]

"""The site on loopback, in this process, so that a test reaches its settings, its rows and its messages."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread

FILE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
}


@contextmanager
def serving() -> Iterator[str]:
    """Serves pages and static files on a free port; yields the site's origin."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.terminate()


@contextmanager
def database_of_many_threads(directory: Path) -> Iterator[None]:
    """SQLite in memory is one connection, which a server of many threads can't share: for a while, everybody gets a
    copy of it in a file. Other databases stay as they are."""
    before = connections["default"]
    if before.vendor != "sqlite" or not before.is_in_memory_db():
        yield
        return
    path = directory / "site.sqlite3"
    with sqlite3.connect(path) as copy:
        before.ensure_connection()
        before.connection.backup(copy)
    copy.close()
    settings = before.settings_dict
    name, options = settings["NAME"], settings["OPTIONS"]
    settings["NAME"], settings["OPTIONS"] = str(path), FILE_OPTIONS
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = before
        settings["NAME"], settings["OPTIONS"] = name, options
